#!lua flags=allow-oom
-- Removes what is stored of some sessions: all of it, or nothing. Of a journal record its tombstone stays.
--
-- KEYS  1 meta   2 inbox   3 sessions   4 timers   5 pending   6 journal   7 outbox   8 counters   9 tombstones
--       10 the journal's copy
-- ARGV  1 next token, the placeholder's nonce, too   2 now, epoch ms
--       3 bytes by which a tombstone is larger than what a record takes beside its body; may be negative
--       4–8 how many of each follow, as groups in this order:
--         4 session key, '1' if a snapshot is stored, else '0', the snapshot
--         5 inbox id        6 record, hash of its body, previous record or ''
--         7 effect id       8 counter, delta
--       9 body of the placeholder; the groups begin at 10
-- Reply {} stale: nothing was removed   {sessions, entries, records, effects} as many as were there
--
-- Invariants
-- · All checks come before the first write. Each session's snapshot is the one that the counters were worked out from.
-- · Every erasure writes a new token: whoever folded what is gone by now can't commit it back.
-- · Head and number of the last record stay, so the chain goes on.
-- · The newest waiting entry tells the clock and the newest id. If it goes, a broadcast of the same time takes its place.
-- · A copy of the journal that is being written may hold what goes here: it is thrown away, and begun anew.
-- · `purge` in the meta hash says that removed entries still take up room, and since which erasure.
-- · Removing is what frees memory: hence `allow-oom`.
local call = redis.call
local meta_key, inbox, sessions, pending, journal, tombstones = KEYS[1], KEYS[2], KEYS[3], KEYS[5], KEYS[6], KEYS[9]

local next_arg = 10
local last_session = next_arg + tonumber(ARGV[4]) * 3 - 1
local named = {}
for at = next_arg, last_session, 3 do
  local stored = call('HGET', sessions, ARGV[at])
  local expected = ARGV[at + 1] == '1' and ARGV[at + 2] or false
  if stored ~= expected then return {} end
  named[ARGV[at]] = true
end

call('HSET', meta_key, 'token', ARGV[1], 'purge', ARGV[1])
call('UNLINK', KEYS[10])
local removed = { 0, 0, 0, 0 }
for at = next_arg, last_session, 3 do
  removed[1] = removed[1] + call('HDEL', sessions, ARGV[at])
  call('ZREM', KEYS[4], ARGV[at])
end

next_arg = last_session + 1
local last_entry = next_arg + tonumber(ARGV[5]) - 1
local newest_entry = call('XREVRANGE', inbox, '+', '-', 'COUNT', 1)[1]
local tail = newest_entry and newest_entry[1]
for at = next_arg, last_entry do
  local id = ARGV[at]
  local entry = call('XRANGE', inbox, id, id)[1]
  if entry and named[entry[2][2]] then
    if id == tail and id ~= call('HGET', meta_key, 'cursor') then
      local before = call('HGET', pending, '*') or ''
      local placed = call('XADD', inbox, string.match(id, '^%d+') .. '-*', 's', '*', 'p', before, 'n', ARGV[1], 'e', ARGV[9])
      call('HSET', pending, '*', placed)
    end
    removed[2] = removed[2] + call('XDEL', inbox, id)
  end
end
-- A session that got another entry meanwhile keeps its field; the list ends where an entry is missing.
for session in pairs(named) do
  local newest = call('HGET', pending, session)
  if newest and not call('XRANGE', inbox, newest, newest)[1] then call('HDEL', pending, session) end
end

next_arg = last_entry + 1
local last_record = next_arg + tonumber(ARGV[6]) * 3 - 1
local bytes = tonumber(call('HGET', meta_key, 'journal_bytes') or '0')
for at = next_arg, last_record, 3 do
  local seq = ARGV[at]
  local record = call('XRANGE', journal, seq .. '-0', seq .. '-0')[1]
  if record then
    local tombstone = table.concat({ seq, ARGV[at + 1], record[2][4], ARGV[2], ARGV[at + 2] }, ' ')
    call('ZADD', tombstones, seq, tombstone)
    removed[3] = removed[3] + call('XDEL', journal, seq .. '-0')
    bytes = bytes - #record[2][2] + tonumber(ARGV[3])
  end
end
if removed[3] > 0 then call('HSET', meta_key, 'journal_bytes', string.format('%.0f', math.max(bytes, 0))) end

next_arg = last_record + 1
local last_effect = next_arg + tonumber(ARGV[7]) - 1
for at = next_arg, last_effect do removed[4] = removed[4] + call('XDEL', KEYS[7], ARGV[at]) end
for at = last_effect + 1, #ARGV, 2 do call('HINCRBY', KEYS[8], ARGV[at], ARGV[at + 1]) end
return removed
