#!lua
-- Puts a tenant's draft in place of the one that it was made from.
--
-- KEYS  1 catalogue: as in catalogue-publish.lua
-- ARGV  1 revision of the draft that it was made from   2 the draft, '' = there is to be none
-- Reply 1 saved   0 draft or version in force was changed meanwhile
local call = redis.call

if (call('HGET', KEYS[1], 'revision') or '0') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  call('HDEL', KEYS[1], 'draft')
else
  call('HSET', KEYS[1], 'draft', ARGV[2])
end
call('HINCRBY', KEYS[1], 'revision', 1)
return 1
