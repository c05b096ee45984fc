#!lua
-- Writes a stream anew, some entries a call, and puts the copy in the stream's place. Removing an entry only marks it: its bytes
-- stay in its node of the stream for as long as one of its neighbours does. The copy does not have them.
--
-- KEYS  1 the stream   2 its copy   3 meta
-- ARGV  1 how many entries to copy at most   2 '1' if in one call or not at all
--       3 the erasure after which this is the last of the partition's streams, '' if others follow
-- Reply 1 done, or there is nothing to write anew   0 there is more to copy
--
-- Invariants
-- · A stream that loses single entries, whoever takes them, is copied in one call: they would be back with the copy. Of one that
--   is only trimmed at its old end, and appended to, the copy is trimmed likewise before it takes the stream's place.
-- · The copy ends with the newest id ever used, as the stream did.
local call = redis.call
local stream, copy, count = KEYS[1], KEYS[2], tonumber(ARGV[1])
local function done()
  if call('HGET', KEYS[3], 'purge') == ARGV[3] then call('HDEL', KEYS[3], 'purge') end
  return 1
end
local oldest = call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
if not oldest or (ARGV[2] == '1' and call('XLEN', stream) > count) then
  call('UNLINK', copy)
  return done()
end
if ARGV[2] == '1' then call('UNLINK', copy) end
local newest = call('XREVRANGE', copy, '+', '-', 'COUNT', 1)[1]
local page = call('XRANGE', stream, newest and '(' .. newest[1] or '-', '+', 'COUNT', count)
for i = 1, #page do call('XADD', copy, page[i][1], unpack(page[i][2])) end
if #page == count and ARGV[2] ~= '1' then return 0 end

call('XTRIM', copy, 'MINID', oldest[1])
local info = call('XINFO', 'STREAM', stream)
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then call('XSETID', copy, info[i + 1]) end
end
call('RENAME', copy, stream)
return done()
