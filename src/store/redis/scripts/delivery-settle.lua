-- Writes what became of attempts.
--
-- KEYS  1 meta   2 due   3 deliveries   4 spent   5 delivered
-- ARGV  1 token of the taker   2 for how long it goes on keeping others away, ms; 0: no longer
--       3 failures in a row from which on the breaker is open
--       4 how many delivered ones are kept   5 how many spent ones are kept
--       6 before so many ms no further attempt is made at all; 0: no such wish
--       7… effect id, attempts before this one, outcome, delivery, ms until the next attempt; again and again
--          outcome: 'd' delivered   'r' to be tried again   's' spent   'h' to be tried again; says nothing of the receiver
-- Reply {failures in a row, ms since the first of them}
--
-- Invariants
-- · What another process has found out since the delivery was taken is never overwritten by a failure, and nothing overwrites
--   'delivered'.
-- · The breaker counts outcomes in the order given.

local call = redis.call
local meta, due, deliveries, spent, delivered = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = call('HMGET', meta, 'failures', 'failingSince', 'lease')
local before = tonumber(stored[1]) or 0
local failures, since = before, tonumber(stored[2]) or now
local was_open = before >= tonumber(ARGV[3])
local succeeded, arrived, given_up = false, 0, 0

for at = 7, #ARGV, 5 do
  local id, attempts, outcome = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if outcome == 'd' then
    failures, succeeded = 0, true
  elseif outcome ~= 'h' then
    if failures == 0 then since = now end
    failures = failures + 1
  end
  local known = call('HGET', deliveries, id)
  local is_current = known and string.match(known, '^%d+') == attempts
  if known and not call('ZSCORE', delivered, id) and (is_current or outcome == 'd') then
    call('HSET', deliveries, id, ARGV[at + 3])
    if outcome == 'd' then
      call('ZREM', due, id)
      call('ZREM', spent, id)
      call('ZADD', delivered, now, id)
      arrived = arrived + 1
    elseif outcome == 's' then
      call('ZREM', due, id)
      call('ZADD', spent, now, id)
      given_up = given_up + 1
    else
      call('ZADD', due, string.format('%.0f', now + ARGV[at + 4]), id)
    end
  end
end

local function keep(set, limit)
  local over = call('ZCARD', set) - limit
  if over <= 0 then return 0 end
  local oldest = call('ZPOPMIN', set, over)
  for at = 1, #oldest, 2 do call('HDEL', deliveries, oldest[at]) end
  return over
end
if arrived > 0 then
  keep(delivered, tonumber(ARGV[4]))
  call('HINCRBY', meta, 'delivered', arrived)
end
if given_up > 0 then
  call('HINCRBY', meta, 'spent', given_up)
  call('HINCRBY', meta, 'forgotten', keep(spent, tonumber(ARGV[5])))
end

if failures == 0 then
  call('HDEL', meta, 'failures', 'failingSince')
else
  call('HSET', meta, 'failures', failures, 'failingSince', string.format('%.0f', since))
end
if succeeded and was_open then
  call('HDEL', meta, 'nextTry')
  call('HSET', meta, 'hasten', 1)
end
if ARGV[6] ~= '0' then call('HSET', meta, 'nextTry', string.format('%.0f', now + ARGV[6])) end
if stored[3] == ARGV[1] then
  if ARGV[2] == '0' then
    call('HDEL', meta, 'lease', 'leaseUntil')
  else
    call('HSET', meta, 'leaseUntil', string.format('%.0f', now + ARGV[2]))
  end
end
return { failures, failures == 0 and 0 or now - since }
