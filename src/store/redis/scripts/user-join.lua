#!lua
-- Adds sessions to the indexes of their users and reads the users' records, as one step: whoever changes a record later
-- finds the session, and whoever changed it before is read here.
--
-- KEYS  1 records   2 … n+1 the sessions of each user
-- ARGV  1 … n fields of the users   n+1 … 2n the session of each, `device/app`
-- Reply {record or nil × n}
local call = redis.call
local n = #KEYS - 1
local reply = call('HMGET', KEYS[1], unpack(ARGV, 1, n))
for i = 1, n do call('HSET', KEYS[i + 1], ARGV[n + i], '') end
return reply
