-- uses: _history _streams _sessions
-- The operator ends a user's session in a room.
local room, user, reason, message = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
if redis.call('EXISTS', app .. 'room:' .. room) == 0 then
  return {'noroom', published}
end
local id = redis.call('HGET', app .. 'user:' .. user, 'r:' .. room)
local session = id and read(app .. 'session:' .. id)
if not session then
  return {'nouser', published}
end
end_session(id, session, reason, message, false)
return {'ok', published}
