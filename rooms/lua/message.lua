-- uses: _history
-- Something is said in a room, by a session or (no session id) by the operator's server.
-- kind: 'id' gives the event a message id, 'plain' does not, 'loose' takes no place in the history (best effort).
-- Further arguments are receivers to look for: the reply names those who are not in the room.
local room, id, body, kind = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local lifetime
if id ~= '' then
  lifetime = redis.call('HGET', app .. 'session:' .. id, 'life')
else
  lifetime = redis.call('HGET', app .. 'room:' .. room, 'lifetime')
end
if not lifetime then
  return {'gone', published}
end
local absent = {}
for i = 8, #ARGV do
  if redis.call('HEXISTS', app .. 'users:' .. room, ARGV[i]) == 0 then
    absent[#absent + 1] = ARGV[i]
  end
end
local message_id = '0'
if kind == 'id' then
  message_id = next_id()
  emit(room, lifetime, '"message_id":' .. message_id .. ',' .. body)
elseif kind == 'plain' then
  emit(room, lifetime, body)
else
  local payload = lifetime .. ' 0 {"rev":0,' .. body .. '}'
  redis.call('PUBLISH', app .. 'events:' .. room, payload)
end
return {'ok', published, message_id, absent}
