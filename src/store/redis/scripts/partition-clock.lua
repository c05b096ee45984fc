-- Included by the scripts that need the partition's clock; not a script of its own.
--
-- partition_clock(kind, floor, inbox, cursor) → now, tail
--   kind    'redis': the server's time counts; 'event': only the events' own time does
--   floor   `clock` of the meta hash (epoch ms), or false
--   inbox   the inbox's key
--   cursor  id of the last entry committed
--   now     epoch ms: the latest of floor, the newest entry's time and the server's. It never goes back, even when the
--           server's clock does.
--   tail    id of the newest entry; the cursor if there is none. Equal to the cursor: nothing waits.
local function partition_clock(kind, floor, inbox, cursor)
  local now, tail = tonumber(floor) or 0, cursor
  local newest = redis.call('XREVRANGE', inbox, '+', '-', 'COUNT', 1)[1]
  if newest then
    tail = newest[1]
    now = math.max(now, tonumber(string.match(tail, '^%d+')))
  end
  if kind == 'redis' then
    local time = redis.call('TIME')
    now = math.max(now, time[1] * 1000 + math.floor(time[2] / 1000))
  end
  return now, tail
end
