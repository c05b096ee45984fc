#!lua flags=no-writes
-- Looks some of a key's texts through for those that contain a text.
--
-- KEYS  1 a stream or a hash
-- ARGV  1 'stream' | 'hash'   2 the text
--       3 position: an id to look behind, or a scan's cursor; '' for the beginning
--       4 how many to look through, 1–1000; of a hash about as many
--       5 which of an entry's fields and values is the text, from 1; of a stream alone
-- Reply {next position, '' at the end; id or field, text …}
local call = redis.call
local key, text, position, count = KEYS[1], ARGV[2], ARGV[3], ARGV[4]
local reply = { '' }
local function add(id, body)
  if string.find(body, text, 1, true) then
    reply[#reply + 1] = id
    reply[#reply + 1] = body
  end
end

if ARGV[1] == 'hash' then
  local scanned = call('HSCAN', key, position == '' and '0' or position, 'COUNT', count)
  if scanned[1] ~= '0' then reply[1] = scanned[1] end
  for i = 1, #scanned[2], 2 do add(scanned[2][i], scanned[2][i + 1]) end
  return reply
end
local page = call('XRANGE', key, position == '' and '-' or '(' .. position, '+', 'COUNT', count)
if #page == tonumber(count) then reply[1] = page[#page][1] end
for i = 1, #page do add(page[i][1], page[i][2][tonumber(ARGV[5])]) end
return reply
