#!lua flags=allow-oom
-- Reads what a decision needs of one session: its snapshot and all that was accepted for it and is not yet committed.
--
-- KEYS  1 meta   2 inbox   3 sessions   4 pending
-- ARGV  1 clock kind ('redis' | 'event')   2 session key
-- Reply {now, snapshot or nil, state, {entry id, session key, nonce, body …}, lost}: the session's own entries, newest
--       first, then the broadcasts, newest first; '' if nothing is known to be lost, else '<from>:<until>'.
--
-- Invariants
-- · It writes nothing, yet is not declared `no-writes`: so a read-only replica, and a primary that lost the replicas
--   it must have, refuse to answer. A decision is never made from what may be old.
-- · A list of pending entries ends at its first one, at the cursor's entry, or at one that was trimmed.
--@include partition-clock

local call = redis.call
local inbox, session = KEYS[2], ARGV[2]
local meta = call('HMGET', KEYS[1], 'cursor', 'clock', 'state', 'lost')
local cursor = meta[1] or '0-0'
local newest = call('HMGET', KEYS[4], session, '*')

local entries = {}
for i = 1, 2 do
  local id = newest[i]
  while id and id ~= '' and id ~= cursor do
    local entry = call('XRANGE', inbox, id, id)[1]
    if not entry then break end
    local fields, at = entry[2], #entries
    entries[at + 1], entries[at + 2], entries[at + 3], entries[at + 4] = id, fields[2], fields[6], fields[8]
    id = fields[4]
  end
end

local now = partition_clock(ARGV[1], meta[2], inbox, cursor)
return { now, call('HGET', KEYS[3], session), meta[3] or '', entries, meta[4] or '' }
