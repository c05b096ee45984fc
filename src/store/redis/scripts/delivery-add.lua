-- Writes deliveries that are not known yet. Those that are known, whatever became of them, stay as they are: handing an effect
-- over twice changes nothing.
--
-- KEYS  1 meta   2 due   3 deliveries   4 spent
-- ARGV  1 'due': to be attempted at once   'spent': given up from the beginning
--       2 how many spent ones are kept
--       3… effect id, delivery, again and again
-- Reply how many are new; -1 if the queue is closed: nothing was written

local call = redis.call
local meta, deliveries = KEYS[1], KEYS[3]
if call('HEXISTS', meta, 'closed') == 1 then return -1 end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local into = ARGV[1] == 'due' and KEYS[2] or KEYS[4]
local added = 0
for at = 3, #ARGV, 2 do
  if call('HSETNX', deliveries, ARGV[at], ARGV[at + 1]) == 1 then
    call('ZADD', into, now, ARGV[at])
    added = added + 1
  end
end
if added > 0 and ARGV[1] == 'spent' then
  local over = call('ZCARD', KEYS[4]) - tonumber(ARGV[2])
  if over > 0 then
    local oldest = call('ZPOPMIN', KEYS[4], over)
    for at = 1, #oldest, 2 do call('HDEL', deliveries, oldest[at]) end
    call('HINCRBY', meta, 'forgotten', over)
  end
end
return added
