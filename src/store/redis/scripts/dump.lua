#!lua flags=no-writes
-- Reads keys of one slot as they are at one moment, in the server's own serialisation.
--
-- KEYS  the keys; those that are not there are left out
-- ARGV  1 '1' if the first key is a partition's meta hash
-- Reply {token, seq, head: of the partition, '' if it has none or ARGV says so;
--        index of the key from 1, ms until it expires or -1, its serialised value …}
local call = redis.call
local reply = { '', '', '' }
if ARGV[1] == '1' then
  local meta = call('HMGET', KEYS[1], 'token', 'seq', 'head')
  for i = 1, 3 do reply[i] = meta[i] or '' end
end
for i = 1, #KEYS do
  local value = call('DUMP', KEYS[i])
  if value then
    reply[#reply + 1] = i
    reply[#reply + 1] = call('PTTL', KEYS[i])
    reply[#reply + 1] = value
  end
end
return reply
