#!lua flags=allow-oom
-- Removes all that is known of a user: record, note of a change, and the index of the user's sessions, as one step.
--
-- KEYS  1 records   2 due   3 the user's sessions
-- ARGV  1 field of the user
-- Reply {1 if there was a record, number of sessions}
local call = redis.call
local sessions = call('HLEN', KEYS[3])
local record = call('HDEL', KEYS[1], ARGV[1])
call('HDEL', KEYS[2], ARGV[1])
call('UNLINK', KEYS[3])
return { record, sessions }
