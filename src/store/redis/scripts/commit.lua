#!lua flags=allow-oom
-- Writes what a fold of a batch changed: all of it, or nothing.
--
-- KEYS  1 meta   2 inbox   3 sessions   4 timers   5 pending   6 journal   7 outbox   8 counters   9 tombstones
-- ARGV  1 clock kind ('redis' | 'event')
--       2 token of the batch   3 next token
--       4 id of the last entry folded, '' if none was   5 its nonce
--       6 clock, epoch ms
--       7 '1' if the state changed, else '0'   8 the state
--       9 bytes that the journal may hold   21 how far back it may go, in ms of the clock; 0: as far as it likes
--       10 number of the first record   11 head after the last record   12 bytes of all records
--       13–20 how many of each follow, as groups in this order:
--         13 session key, snapshot             14 session key (removed)
--         15 deadline in epoch ms, session key 16 session key (no timer left)
--         17 session keys, then as many ids: the last folded entry of each
--         18 record, hash                      19 effect id, effect
--         20 counter, delta
--       the groups begin at 22
-- Reply 0 stale: nothing was written   1 committed   2 committed, and the partition is drained
--       error GATEHOUSE: the records do not follow the journal's last; nothing was written
--
-- Invariants
-- · The fence: the token is the one loaded with the batch, and the entry at the new cursor carries the nonce that was
--   folded (after a lossy failover the server hands out the same id for another event).
-- · The clock moves beyond no entry that waits: what was accepted after the server's clock was set back is folded before the
--   deadlines up to which the batch was loaded.
-- · All checks come before the first write. Ids of records and effects ascend because the caller's groups do and
--   the first record follows the last one stored.
-- · Of a journal that is archived (`archived` in the meta hash) nothing goes that is not in the archive, nor anything behind the
--   archive's last checkpoint, whatever it weighs.
-- · The inbox is trimmed up to the cursor and keeps the cursor's own entry: it tells the newest id ever used.
-- · Draining frees memory, so a full memory does not stop it: hence `allow-oom`.
--@include partition-clock

local call = redis.call
local meta_key, inbox, pending, journal, outbox = KEYS[1], KEYS[2], KEYS[5], KEYS[6], KEYS[7]
local last_id = ARGV[4]

local meta = call('HMGET', meta_key, 'token', 'cursor', 'seq', 'clock', 'journal_bytes', 'archived', 'checkpoint', 'marks')
if meta[1] ~= ARGV[2] then return 0 end
local cursor = meta[2] or '0-0'
if last_id ~= '' then
  local entry = call('XRANGE', inbox, last_id, last_id)[1]
  if not entry or entry[2][6] ~= ARGV[5] then return 0 end
  cursor = last_id
end
if tonumber(ARGV[6]) > (tonumber(meta[4]) or 0) then
  local waiting = call('XRANGE', inbox, '(' .. cursor, '+', 'COUNT', 1)[1]
  if waiting and tonumber(string.match(waiting[1], '^%d+')) < tonumber(ARGV[6]) then return 0 end
end
local seq, first_seq, records = tonumber(meta[3]) or 0, tonumber(ARGV[10]), tonumber(ARGV[18])
if records > 0 and first_seq ~= seq + 1 then
  return redis.error_reply('GATEHOUSE records start at ' .. ARGV[10] .. ' but the journal ends at ' .. (meta[3] or '0'))
end

local next_arg = 22
-- Hands a group of `width` values an item to one variadic command; as many calls as the stack of `unpack` needs.
local function write(command, key, items, width)
  local last = next_arg + items * width - 1
  for first = next_arg, last, 1000 do
    call(command, key, unpack(ARGV, first, math.min(first + 999, last)))
  end
  next_arg = last + 1
end

write('HSET', KEYS[3], tonumber(ARGV[13]), 2)
write('HDEL', KEYS[3], tonumber(ARGV[14]), 1)
write('ZADD', KEYS[4], tonumber(ARGV[15]), 2)
write('ZREM', KEYS[4], tonumber(ARGV[16]), 1)

-- A session whose newest entry was folded has nothing pending. One that got another meanwhile keeps its field.
local consumed, settled = tonumber(ARGV[17]), {}
for first = 0, consumed - 1, 1000 do
  local at = next_arg + first
  local newest = call('HMGET', pending, unpack(ARGV, at, next_arg + math.min(first + 1000, consumed) - 1))
  for i = 1, #newest do
    if newest[i] == ARGV[at + consumed + i - 1] then settled[#settled + 1] = ARGV[at + i - 1] end
  end
end
next_arg = next_arg + 2 * consumed
for first = 1, #settled, 1000 do
  call('HDEL', pending, unpack(settled, first, math.min(first + 999, #settled)))
end

for i = 0, records - 1 do
  call('XADD', journal, (first_seq + i) .. '-0', 'r', ARGV[next_arg], 'h', ARGV[next_arg + 1])
  next_arg = next_arg + 2
end
for _ = 1, tonumber(ARGV[19]) do
  call('XADD', outbox, ARGV[next_arg], 'e', ARGV[next_arg + 1])
  next_arg = next_arg + 2
end
for _ = 1, tonumber(ARGV[20]) do
  call('HINCRBY', KEYS[8], ARGV[next_arg], ARGV[next_arg + 1])
  next_arg = next_arg + 2
end

local clock = math.max(tonumber(meta[4]) or 0, tonumber(ARGV[6]))
local newest = records > 0 and first_seq + records - 1 or seq
-- First number that the journal is to keep.
local oldest = 0

-- How old records are is told by marks, `<clock>:<number of the last record by then>`, a few for the time that is kept. Of those
-- that are old enough the newest stays: it says what is to go, though it may have to wait for the archive.
local max_age, marks = tonumber(ARGV[21]), meta[8] or ''
if max_age > 0 and records > 0 then
  local last_mark = tonumber(string.match(marks, '(%d+):%d+ $') or '-1')
  if last_mark < 0 or clock - last_mark >= max_age / 16 then marks = marks .. string.format('%.0f:%.0f ', clock, newest) end
  while true do
    local second = tonumber(string.match(marks, '^%d+:%d+ (%d+):') or '-1')
    if second < 0 or second > clock - max_age then break end
    marks = string.match(marks, '^%d+:%d+ (.*)$')
  end
  local at, upto = string.match(marks, '^(%d+):(%d+) ')
  if tonumber(at) <= clock - max_age then oldest = tonumber(upto) + 1 end
  if marks ~= (meta[8] or '') then call('HSET', meta_key, 'marks', marks) end
end

-- The journal's size is kept as a running sum. What trimming removes is counted at the average size of a record, an
-- error that fades as records pass through; measuring each would mean reading it.
local bytes = (tonumber(meta[5]) or 0) + tonumber(ARGV[12])
local allowed, tombstones = tonumber(ARGV[9]), KEYS[9]
local length = (bytes > allowed or oldest > 0) and call('XLEN', journal) + call('ZCARD', tombstones) or 0
if length > 0 then
  -- Records and tombstones together are dense, so their number tells where the journal is to begin; trimming leaves what
  -- stands in one node with the first record that stays.
  local average = bytes / length
  if bytes > allowed then oldest = math.max(oldest, newest - math.floor(allowed / average) + 1) end
  if meta[6] then oldest = math.min(oldest, math.min(tonumber(meta[6]), tonumber(meta[7])) + 1) end
  if oldest > 1 then
    local trimmed = call('XTRIM', journal, 'MINID', '~', string.format('%.0f-0', oldest))
    local first = call('XRANGE', journal, '-', '+', 'COUNT', 1)[1]
    if first then oldest = math.min(oldest, tonumber(string.match(first[1], '^%d+'))) end
    trimmed = trimmed + call('ZREMRANGEBYSCORE', tombstones, '-inf', string.format('(%.0f', oldest))
    bytes = bytes - average * trimmed
  end
end
if last_id ~= '' then call('XTRIM', inbox, 'MINID', cursor) end

call('HSET', meta_key, 'token', ARGV[3], 'cursor', cursor, 'clock', string.format('%.0f', clock),
  'journal_bytes', string.format('%.0f', bytes))
if records > 0 then call('HSET', meta_key, 'seq', first_seq + records - 1, 'head', ARGV[11]) end
if ARGV[7] == '1' then call('HSET', meta_key, 'state', ARGV[8]) end

local now, tail = partition_clock(ARGV[1], clock, inbox, cursor)
if tail ~= cursor then return 1 end
return #call('ZRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', now), 'LIMIT', 0, 1) > 0 and 1 or 2
