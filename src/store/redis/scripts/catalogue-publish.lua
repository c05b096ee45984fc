#!lua
-- Stores a tenant's next catalogue version and makes it the current one.
--
-- KEYS  1 catalogue: hash, `current`, `revision`, `draft`, and one field a version
-- ARGV  1 the version that is current, '0' = none   2 the next version   3 its document
--       4 revision of the draft that it was made from, '' = it was made from none, and a draft stays
-- Reply {1} published   {0, current} another version is current   {2} the draft was changed
--
-- Invariants
-- · A version, once stored, is never written again: only the successor of the current version is stored.
-- · The revision moves with every publish, so that a draft's base can be told from what was read beside it.
local call = redis.call
local catalogue = KEYS[1]

local known = call('HMGET', catalogue, 'current', 'revision')
local current, revision = known[1] or '0', known[2] or '0'
if current ~= ARGV[1] then return { 0, current } end
if ARGV[4] ~= '' and revision ~= ARGV[4] then return { 2 } end

call('HSET', catalogue, ARGV[2], ARGV[3], 'current', ARGV[2])
call('HINCRBY', catalogue, 'revision', 1)
if ARGV[4] ~= '' then call('HDEL', catalogue, 'draft') end
return { 1 }
