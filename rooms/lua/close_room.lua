-- uses: _history _streams _sessions
-- The operator ends a room: at most `batch` users per call, the room itself with the last of them. {'more'} = call again.
-- `told` = 1: the operator's backend hears of it, too.
local room, message, batch, told = ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7] == '1'
local lifetime = redis.call('HGET', app .. 'room:' .. room, 'lifetime')
if not lifetime then
  return {'noroom', published}
end
local users = redis.call('HKEYS', app .. 'users:' .. room)
for i = 1, math.min(#users, batch) do
  local id = redis.call('HGET', app .. 'user:' .. users[i], 'r:' .. room)
  local session = id and read(app .. 'session:' .. id)
  if session then
    end_session(id, session, 'room_closed', message, true)
  else
    redis.call('HDEL', app .. 'users:' .. room, users[i])
  end
end
if #users > batch then
  return {'more', published}
end
close_room(room, lifetime, told and 'room_closed' or '')
return {'ok', published}
