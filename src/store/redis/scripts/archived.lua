#!lua flags=allow-oom
-- Notes up to which record a partition's journal is archived: from then on no commit trims beyond it.
--
-- KEYS  1 meta   2 journal   3 tombstones
-- ARGV  1 number of the last record in the archive, 0: none yet, '' to forget that there is an archive
--       2 its hash   3 number of the last record that the archive's newest checkpoint has in it, 0: none
-- Reply 1 noted   0 the journal has another record of that number, or has not come so far: nothing was written
--
-- Invariants
-- · What was trimmed before there was an archive can't be compared, and is taken to be what the archive has.
-- · Noting is what lets the journal be trimmed, and so frees memory: hence `allow-oom`.
local call = redis.call
local meta, archived = KEYS[1], ARGV[1]
if archived == '' then
  call('HDEL', meta, 'archived', 'checkpoint')
  return 1
end
if archived ~= '0' then
  if tonumber(archived) > tonumber(call('HGET', meta, 'seq') or '0') then return 0 end
  local record = call('XRANGE', KEYS[2], archived .. '-0', archived .. '-0')[1]
  local tombstone = not record and call('ZRANGEBYSCORE', KEYS[3], archived, archived)[1]
  local hash = record and record[2][4] or tombstone and string.match(tombstone, '^%d+ %x+ (%x+)')
  if hash and hash ~= ARGV[2] then return 0 end
end
call('HSET', meta, 'archived', archived, 'checkpoint', ARGV[3])
return 1
