-- Takes deliveries that are due, for one process at a time.
--
-- KEYS  1 meta   2 due   3 deliveries
-- ARGV  1 token of the taker   2 for how long it keeps others away, ms
--       3 how many to take at most   4 how long a taken delivery is left to its taker, ms
--       5 failures in a row from which on the breaker is open
--       6 pause between two tries then, ms   7 the longest it grows to, ms
--       8 '1' if the taker has nothing under way
-- Reply {-1}                      the queue is closed
--       {0}                       another process is at it
--       {1, ms}                   nothing to do for so long; -1: until something is added
--       {2, failures, id, delivery, …}
--
-- Invariants
-- · A taken delivery is due again after a while: it outlives a taker that dies.
-- · While the breaker is open one delivery is taken, and the next not before the pause is over, whoever asks.
-- · After it closed, what waits is due at once, a part of it at each call.

local call = redis.call
local meta, due = KEYS[1], KEYS[2]
local stored = call('HMGET', meta, 'closed', 'lease', 'leaseUntil', 'failures', 'nextTry', 'hasten')
if stored[1] then return { -1 } end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease, lease_until = stored[2], tonumber(stored[3]) or 0
if lease and lease ~= ARGV[1] and lease_until > now then return { 0 } end

local function at_rest(ms)
  if ARGV[8] == '1' then call('HDEL', meta, 'lease', 'leaseUntil') end
  return { 1, ms }
end

local next_try = tonumber(stored[5]) or 0
if next_try > now then return at_rest(next_try - now) end

if stored[6] and ARGV[8] == '1' then
  local later = call('ZRANGEBYSCORE', due, '(' .. now, '+inf', 'LIMIT', 0, 1000)
  if #later == 0 then call('HDEL', meta, 'hasten') end
  for _, id in ipairs(later) do call('ZADD', due, now, id) end
end

local failures, count = tonumber(stored[4]) or 0, tonumber(ARGV[3])
local is_open = failures >= tonumber(ARGV[5])
if is_open then
  if ARGV[8] ~= '1' then return at_rest(tonumber(ARGV[6])) end
  count = 1
end
local ids = call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, count)
if #ids == 0 then
  local first = call('ZRANGE', due, 0, 0, 'WITHSCORES')
  return at_rest(first[2] and math.ceil(tonumber(first[2]) - now) or -1)
end
if is_open then
  local pause = tonumber(ARGV[6]) * 1.02 ^ (failures - tonumber(ARGV[5]))
  call('HSET', meta, 'nextTry', string.format('%.0f', now + math.min(pause, tonumber(ARGV[7]))))
end
call('HSET', meta, 'lease', ARGV[1], 'leaseUntil', string.format('%.0f', now + ARGV[2]))
local reply = { 2, failures }
local values = call('HMGET', KEYS[3], unpack(ids))
for i, id in ipairs(ids) do
  if values[i] then
    call('ZADD', due, now + ARGV[4], id)
    reply[#reply + 1] = id
    reply[#reply + 1] = values[i]
  else
    call('ZREM', due, id)
  end
end
return reply
