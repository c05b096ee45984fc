#!lua flags=allow-oom
-- Takes off the note of a change that every session of the user was told, unless another change came meanwhile.
--
-- KEYS  1 due
-- ARGV  1 field of the user   2 version of the record that the change made
-- Reply 1 taken off   0 there is none, or it is of another version
local call = redis.call
local note = call('HGET', KEYS[1], ARGV[1])
if not note or string.match(note, '^%d+') ~= ARGV[2] then return 0 end
return call('HDEL', KEYS[1], ARGV[1])
