#!lua
-- Creates the deployment record, unless there is one.
--
-- KEYS  1 the deployment's hash
-- ARGV  field, value … of a new one
-- Reply {field, value …} as stored: the first creation wins.
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('HSET', KEYS[1], unpack(ARGV)) end
return redis.call('HGETALL', KEYS[1])
