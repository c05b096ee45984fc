#!lua flags=allow-oom
-- Reads all that a worker folds: one batch of the inbox, the sessions whose timers are due, and their snapshots.
--
-- KEYS  1 meta   2 inbox   3 sessions   4 timers
-- ARGV  1 clock kind ('redis' | 'event')
--       2 entries at most, and due sessions at most
--       3 bytes of bodies at most; the first entry always fits
--       4 a fresh token, stored if the partition has none yet
-- Reply {token, cursor, seq, head ('' at first), state, now, horizon,
--        {entry id, session key, nonce, body …}, {due session key …}, {session key, snapshot …}}
--
-- Invariants
-- · The only write is the first token of a partition, so that even its first commit is fenced. A full memory must not
--   stop draining, which is what frees it: hence `allow-oom`.
-- · No timer beyond the horizon is due: with more entries waiting it is the last loaded entry's time, else now.
--@include partition-clock

local call = redis.call
local inbox = KEYS[2]
local limit, room = tonumber(ARGV[2]), tonumber(ARGV[3])
-- Entries are read in pages: with large bodies most of `limit` would be read in vain.
local PAGE = 64

local meta = call('HMGET', KEYS[1], 'token', 'cursor', 'seq', 'head', 'state', 'clock')
local token, cursor = meta[1], meta[2] or '0-0'
if not token then
  token = ARGV[4]
  call('HSET', KEYS[1], 'token', token)
end
local now, tail = partition_clock(ARGV[1], meta[6], inbox, cursor)

local entries, names, named, last = {}, {}, {}, cursor
local count, full = 0, last == tail
while not full do
  local page = call('XRANGE', inbox, '(' .. last, '+', 'COUNT', math.min(PAGE, limit - count))
  for i = 1, #page do
    local id, fields = page[i][1], page[i][2]
    local session, body = fields[2], fields[8]
    room = room - #body
    if room < 0 and count > 0 then
      full = true
      break
    end
    local at = 4 * count
    entries[at + 1], entries[at + 2], entries[at + 3], entries[at + 4] = id, session, fields[6], body
    count = count + 1
    last = id
    if session ~= '*' and not named[session] then
      named[session] = true
      names[#names + 1] = session
    end
  end
  full = full or #page == 0 or count == limit or last == tail
end

local horizon = now
if last ~= tail then
  horizon = math.max(tonumber(meta[6]) or 0, tonumber(string.match(last, '^%d+')))
end

local due = call('ZRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', horizon), 'LIMIT', 0, limit)
for i = 1, #due do
  if not named[due[i]] then names[#names + 1] = due[i] end
end

local snapshots = {}
for first = 1, #names, 1000 do
  local stored = call('HMGET', KEYS[3], unpack(names, first, math.min(first + 999, #names)))
  for i = 1, #stored do
    if stored[i] then
      snapshots[#snapshots + 1] = names[first + i - 1]
      snapshots[#snapshots + 1] = stored[i]
    end
  end
end

return {
  token, cursor, meta[3] or '0', meta[4] or '', meta[5] or '', now, horizon, entries, due, snapshots,
}
