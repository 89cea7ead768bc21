-- uses: _history _streams _rules
-- The operator puts a stream into a room's list, in the name of a user who need not be there. One of a user in the room ends with
-- that user's session, another with the room.
-- `node`: whose media plane holds it; empty = whoever the operator's own players ask.
local room, stream_id, user, head, extra, most, node = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], tonumber(ARGV[9]), ARGV[10]
local lifetime = redis.call('HGET', app .. 'room:' .. room, 'lifetime')
if not lifetime then
  return {'noroom', published}
end
local id = redis.call('HGET', app .. 'user:' .. user, 'r:' .. room)
local session = id and read(app .. 'session:' .. id)
local stream = read(app .. 'stream:' .. stream_id)
if stream and (stream.room ~= room or stream.session ~= (session and id or '0')) then
  return {'taken', published}
end
if forbidden(stream_id) then
  return {'forbidden', published}
end
local moved = stream and node ~= '' and stream.node ~= node
if moved then
  move_stream(stream_id, stream, node)
end
if stream and stream.on == '1' then
  local json = stream.json
  if moved then
    json = write_stream(stream_id, stream)
    emit(room, lifetime, '"t":"stream~","stream":' .. json)
  end
  return {'ok', published, json}
end
if not stream and session then
  stream = new_stream(stream_id, id, session, head, node, most)
  if not stream then
    return {'many', published}
  end
elseif not stream then
  stream = {head = head, room = room, life = lifetime, sid = next_id(), session = '0', node = node}
  redis.call('SADD', app .. 'node.streams:' .. node, stream_id)
end
return {'ok', published, put_on_air(stream_id, stream, extra)}
