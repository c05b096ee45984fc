#!lua flags=no-writes
-- Reads all of a partition's sessions, and what they were committed with, as they are at one moment.
--
-- KEYS  1 meta   2 sessions
-- Reply {seq, head ('' at first), cursor, state, clock, {session key, snapshot …}}
--
-- Invariant
-- · One call, so that every snapshot is the one after record `seq`. The server does nothing else meanwhile: some ms for ten
--   thousand sessions.
local meta = redis.call('HMGET', KEYS[1], 'seq', 'head', 'cursor', 'state', 'clock')
return {
  meta[1] or '0', meta[2] or '', meta[3] or '0-0', meta[4] or '', meta[5] or '0', redis.call('HGETALL', KEYS[2]),
}
