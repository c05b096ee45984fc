#!lua flags=allow-oom
-- Holds what a process was told of a partition's events against what is there.
--
-- KEYS  1 meta   2 seen:0   3 seen:1
-- ARGV  pairs, the newest first: fingerprint of an event that was accepted, when it was, epoch ms
-- Reply 1 all are there   0 some are not: that events were lost is noted, and between which times
--
-- Invariants
-- · The duplicate window tells whether an event was ever accepted here, whether it waits, was committed or was trimmed since.
-- · What is noted stays until an operator takes it off; of two processes' notes the wider counts.
local call = redis.call
local from, newest = 0, nil
for i = 1, #ARGV, 2 do
  local is_there = call('HEXISTS', KEYS[2], ARGV[i]) == 1 or call('HEXISTS', KEYS[3], ARGV[i]) == 1
  if is_there and newest then
    from = tonumber(ARGV[i + 1])
    break
  end
  if not is_there and not newest then newest = tonumber(ARGV[i + 1]) end
end
if not newest then return 1 end
local known_from, known_to = string.match(call('HGET', KEYS[1], 'lost') or '', '^(%d+):(%d+)$')
if known_from then
  from = math.min(from, tonumber(known_from))
  newest = math.max(newest, tonumber(known_to))
end
call('HSET', KEYS[1], 'lost', string.format('%.0f:%.0f', from, newest))
return 0
