#!lua
-- Appends events to one partition's inbox, leaving out those that it has seen before.
--
-- KEYS  1 meta   2 inbox   3 pending   4 seen:0   5 seen:1
-- ARGV  1 clock kind ('redis' | 'event')
--       2 duplicate window, ms   3 duplicate limit, ids
--       4 nonce of this call
--       5 n, the number of appends, 1–1000
--       then columns of n values each: session keys; bodies; ids' fingerprints ('' = never a duplicate); bodies'
--       fingerprints; producers' times in epoch ms (clock 'event' only)
-- Reply {wake, result × n}: wake is 1 if the partition had nothing uncommitted and now has, else 0; a result is the
--       entry's id, 0 for a duplicate or 1 for a conflict.
--
-- Invariants
-- · Every key is read before the first write, so that one of a wrong type stops the script while nothing is written.
--   Without `allow-oom` the server refuses the script as a whole when memory is full.
-- · Entries' times never go back and are never below the partition's clock.
-- · A broadcast with a fingerprint is later than every entry before it, by a millisecond if the clock stands still: a session that was
--   folded up to its time before it was accepted is told from one that has it.
-- · A session's uncommitted entries are a list: `pending` holds the newest, each entry's `p` the one before it ('' or
--   a committed entry ends the list). So an append costs the same however many wait.
-- · The duplicate window has two generations. The newer one is closed, and the older one forgotten, once it is both
--   older than the window and as large as the limit. So an id is remembered for at least the window and for at least
--   the next `limit` ids; and at most 2 × max(limit, ids accepted within a window) + one call's ids are held.
--@include partition-clock

local call = redis.call
local meta_key, inbox, pending = KEYS[1], KEYS[2], KEYS[3]
local nonce, n = ARGV[4], tonumber(ARGV[5])
local sessions, bodies, ids, hashes, times = 5, 5 + n, 5 + 2 * n, 5 + 3 * n, 5 + 4 * n
local by_event = ARGV[1] == 'event'

local meta = call('HMGET', meta_key, 'cursor', 'clock', 'generation', 'generation_since')
local cursor = meta[1] or '0-0'
local now, tail = partition_clock(ARGV[1], meta[2], inbox, cursor)
local generation = tonumber(meta[3]) or 0
local seen = KEYS[4 + generation]
local known = call('HMGET', seen, unpack(ARGV, ids + 1, ids + n))
local known_before = call('HMGET', KEYS[5 - generation], unpack(ARGV, ids + 1, ids + n))
local previous = call('HMGET', pending, unpack(ARGV, sessions + 1, sessions + n))
local seen_count = call('HLEN', seen)

local reply, fresh, learnt, newest, waiting = { 0 }, {}, {}, {}, {}
local at = string.format('%.0f-*', now)
local tail_ms = tonumber(string.match(tail, '^%d+'))
for i = 1, n do
  local id, hash = ARGV[ids + i], ARGV[hashes + i]
  local stored = known[i] or known_before[i] or fresh[id]
  if stored then
    reply[i + 1] = stored == hash and 0 or 1
  else
    if by_event then
      local time = tonumber(ARGV[times + i])
      if time > now then
        now = time
        at = string.format('%.0f-*', now)
      end
    end
    local session = ARGV[sessions + i]
    if session == '*' and id ~= '' and tail_ms == now then
      now = now + 1
      at = string.format('%.0f-*', now)
    end
    tail_ms = now
    local before = newest[session]
    if not before then
      before = previous[i] or ''
      waiting[#waiting + 1] = session
    end
    local entry = call('XADD', inbox, at, 's', session, 'p', before, 'n', nonce, 'e', ARGV[bodies + i])
    newest[session] = entry
    if id ~= '' then
      fresh[id] = hash
      learnt[#learnt + 1] = id
      learnt[#learnt + 1] = hash
    end
    reply[i + 1] = entry
  end
end

if #waiting > 0 then
  if tail == cursor then reply[1] = 1 end
  local fields = {}
  for i, session in ipairs(waiting) do
    fields[2 * i - 1] = session
    fields[2 * i] = newest[session]
  end
  call('HSET', pending, unpack(fields))
end

if #learnt > 0 then
  local since = tonumber(meta[4])
  if not since then
    call('HSET', meta_key, 'generation_since', string.format('%.0f', now))
  elseif now - since >= tonumber(ARGV[2]) and seen_count >= tonumber(ARGV[3]) then
    generation = 1 - generation
    seen = KEYS[4 + generation]
    call('UNLINK', seen)
    call('HSET', meta_key, 'generation', generation, 'generation_since', string.format('%.0f', now))
  end
  call('HSET', seen, unpack(learnt))
end

return reply
