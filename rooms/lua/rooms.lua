-- uses: _history
-- One page of an App's rooms in the order of their ids, after `cursor`.
local cursor, most = ARGV[4], tonumber(ARGV[5])
local from = cursor == '' and '-' or '(' .. cursor
local page = {}
for _, room in ipairs(redis.call('ZRANGEBYLEX', app .. 'rooms', from, '+', 'LIMIT', 0, most)) do
  local known = redis.call('HMGET', app .. 'room:' .. room, 'lifetime', 'created')
  if known[1] then
    page[#page + 1] = {room, known[1], known[2], redis.call('HLEN', app .. 'users:' .. room), redis.call('HLEN', app .. 'streams:' .. room)}
  end
end
return {'ok', published, page}
