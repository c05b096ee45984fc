-- Makes spent deliveries due again.
--
-- KEYS  1 meta   2 due   3 deliveries   4 spent
-- ARGV  1… effect id, the delivery that was read, the new one; again and again
-- Reply how many were; one that somebody else redrove or that is gone is left alone. -1: the queue is closed

local call = redis.call
if call('HEXISTS', KEYS[1], 'closed') == 1 then return -1 end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local redriven = 0
for at = 1, #ARGV, 3 do
  local id = ARGV[at]
  if call('ZSCORE', KEYS[4], id) and call('HGET', KEYS[3], id) == ARGV[at + 1] then
    call('HSET', KEYS[3], id, ARGV[at + 2])
    call('ZREM', KEYS[4], id)
    call('ZADD', KEYS[2], now, id)
    redriven = redriven + 1
  end
end
return redriven
