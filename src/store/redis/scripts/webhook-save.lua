-- Writes one endpoint's record, if it is still the one that was read.
--
-- KEYS  1 records   2 version
-- ARGV  1 endpoint id   2 the record that was read, '' if there was none   3 the new one, '' to remove it
-- Reply 1 written   0 somebody else changed it meanwhile; nothing was written

local stored = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if stored ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
redis.call('INCR', KEYS[2])
return 1
