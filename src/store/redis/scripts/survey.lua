#!lua flags=no-writes
-- Looks at one partition's facts.
--
-- KEYS  1 meta   2 inbox   3 timers   4 outbox   5 sessions
-- ARGV  1 clock kind ('redis' | 'event')
-- Reply {token ('' at first), id of the oldest waiting entry or nil, earliest deadline in epoch ms or nil, now,
--        size of the outbox, id of its oldest effect or nil, number of sessions, state,
--        number of the last record, that of the last archived one or nil where nothing is archived, that of the last checkpoint or nil,
--        number of waiting entries, number of sessions with a deadline that is due,
--        size of the journal in bytes, about; '' if nothing is known to be lost, else '<from>:<until>'}
--@include partition-clock

local call = redis.call
local meta = call('HMGET', KEYS[1], 'token', 'cursor', 'clock', 'state', 'seq', 'archived', 'checkpoint', 'journal_bytes',
  'lost')
local cursor = meta[2] or '0-0'
local now, tail = partition_clock(ARGV[1], meta[3], KEYS[2], cursor)
local oldest = tail ~= cursor and call('XRANGE', KEYS[2], '(' .. cursor, '+', 'COUNT', 1)[1]
-- The inbox is trimmed up to the cursor's own entry, which may have been erased.
local waiting = oldest and call('XLEN', KEYS[2]) - #call('XRANGE', KEYS[2], cursor, cursor) or 0
local timer = call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
local effect = call('XRANGE', KEYS[4], '-', '+', 'COUNT', 1)[1]
return {
  meta[1] or '', oldest and oldest[1] or false, timer[2] or false, now, call('XLEN', KEYS[4]), effect and effect[1] or false,
  call('HLEN', KEYS[5]), meta[4] or '',
  meta[5] or '0', meta[6], meta[7], waiting, call('ZCOUNT', KEYS[3], '-inf', string.format('%.0f', now)), meta[8] or '0',
  meta[9] or '',
}
