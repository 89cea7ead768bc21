-- uses: _history _streams _rules
-- Keeps a stream id for a session until the deadline; whoever comes later is refused. `node` = '' leaves a known stream where it is.
local id, stream_id, node, here, deadline, head, most = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
local address = ARGV[11]
local session = read(app .. 'session:' .. id)
if not session then
  return {'gone', published}
end
local stream = read(app .. 'stream:' .. stream_id)
if stream and stream.session ~= id then
  return {'taken', published}
end
if not stream then
  if forbidden(stream_id) then
    return {'forbidden', published}
  end
  if denied(true, address, session.room, session.user) then
    return {'denied', published}
  end
  stream = new_stream(stream_id, id, session, head, node == '' and here or node, most)
  if not stream then
    return {'many', published}
  end
end
local moved = node ~= '' and stream.node ~= node
if moved then
  move_stream(stream_id, stream, node)
end
local json = write_stream(stream_id, stream)
if stream.on == '0' then
  redis.call('ZADD', app .. 'deadlines', deadline, 'r:' .. stream_id)
elseif moved then
  emit(stream.room, stream.life, '"t":"stream~","stream":' .. json)
end
return {'ok', published, json}
