#!lua flags=allow-oom
-- Reads a chunk of the partition's sessions, with what a commit of its fold needs.
--
-- KEYS  1 meta   2 sessions
-- ARGV  1 position, '' for the beginning: '<server's run id>:<cursor of the scan>'
--       2 about how many sessions
--       3 a fresh token, stored if the partition has none yet
-- Reply {token, seq, head ('' at first), state, clock, {session key, snapshot …}, next position ('' at the end),
--        1 if the position was of another run of the server, so that this chunk is the first, else 0}
--
-- Invariants
-- · A scan's cursor means something to the process that gave it alone: another one has another order of its hashes.
-- · The only write is the first token of a partition. A full memory must not stop the walk: hence `allow-oom`.
local call = redis.call
local meta = call('HMGET', KEYS[1], 'token', 'seq', 'head', 'state', 'clock')
local token = meta[1]
if not token then
  token = ARGV[3]
  call('HSET', KEYS[1], 'token', token)
end

local run = string.match(call('INFO', 'server'), 'run_id:(%w+)')
local asked_run, cursor = string.match(ARGV[1], '^(%w+):(%d+)$')
local restarted = 0
if asked_run ~= run then
  cursor = '0'
  if ARGV[1] ~= '' then restarted = 1 end
end
local scanned = call('HSCAN', KEYS[2], cursor, 'COUNT', ARGV[2])
local next_position = scanned[1] == '0' and '' or run .. ':' .. scanned[1]

return {
  token, meta[2] or '0', meta[3] or '', meta[4] or '', tonumber(meta[5]) or 0, scanned[2], next_position, restarted,
}
