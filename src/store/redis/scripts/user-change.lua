#!lua
-- Puts a user's next record in place of the one that it was made from, and notes what the user's sessions must be told.
--
-- KEYS  1 records   2 due   3 meta   4 seen:0   5 seen:1   6 the user's sessions
-- ARGV  1 field of the user
--       2 the record that the next one was made from, '' = none   3 the next record
--       4 note if every session was told all that came before, '' = they need not be told   5 note if not
--       6 duplicate window, ms   7 duplicate limit, ids
--       8 id's fingerprint, '' = never a duplicate   9 body's fingerprint
-- Reply {0} duplicate   {1} conflict   {2, record} another change came first: this is the record now, '' = none
--       {3} stored, and nobody need be told   {4, note} stored, and noted as due
--
-- Invariants
-- · Record and note change together, so a change that was stored is told sooner or later, whoever crashes.
-- · Every key is read before the first write, so that one of a wrong type stops the script while nothing is written.
-- · A note that still stands means that some session may lack an earlier change: then the note that tells all is kept.
-- · The duplicate window has two generations, as that of a partition's inbox; its time is the server's.
local call = redis.call
local records, due, meta_key, field = KEYS[1], KEYS[2], KEYS[3], ARGV[1]

local meta = call('HMGET', meta_key, 'generation', 'generation_since')
local generation = tonumber(meta[1]) or 0
local seen = KEYS[4 + generation]
local id = ARGV[8]
if id ~= '' then
  local known = call('HGET', seen, id) or call('HGET', KEYS[5 - generation], id)
  if known then return { known == ARGV[9] and 0 or 1 } end
end
local record = call('HGET', records, field) or ''
if record ~= ARGV[2] then return { 2, record } end
local is_behind = call('HEXISTS', due, field) == 1
local has_sessions = call('HLEN', KEYS[6]) > 0
local seen_count = call('HLEN', seen)

if ARGV[3] ~= record then call('HSET', records, field, ARGV[3]) end
if id ~= '' then
  local time = call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local since = tonumber(meta[2])
  if not since then
    call('HSET', meta_key, 'generation_since', string.format('%.0f', now))
  elseif now - since >= tonumber(ARGV[6]) and seen_count >= tonumber(ARGV[7]) then
    generation = 1 - generation
    seen = KEYS[4 + generation]
    call('UNLINK', seen)
    call('HSET', meta_key, 'generation', generation, 'generation_since', string.format('%.0f', now))
  end
  call('HSET', seen, id, ARGV[9])
end
if ARGV[4] == '' or not has_sessions then return { 3 } end
local note = is_behind and ARGV[5] or ARGV[4]
call('HSET', due, field, note)
return { 4, note }
