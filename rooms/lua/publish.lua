-- uses: _history _streams _rules
-- A stream goes on the air; again by the same session: only a new extra info makes a difference.
local id, stream_id, here, head, extra, most = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], tonumber(ARGV[9])
local address = ARGV[10]
local session = read(app .. 'session:' .. id)
if not session then
  return {'gone', published}
end
local stream = read(app .. 'stream:' .. stream_id)
if stream and stream.session ~= id then
  return {'taken', published}
end
if stream and stream.on == '1' then
  if stream.extra == extra then
    return {'ok', published, stream.json}
  end
  stream.extra = extra
  stream.version = decimal(tonumber(stream.version) + 1)
  local json = write_stream(stream_id, stream)
  emit(stream.room, stream.life, '"t":"stream~","stream":' .. json)
  return {'ok', published, json}
end
if stream then
  redis.call('ZREM', app .. 'deadlines', 'r:' .. stream_id)
elseif forbidden(stream_id) then
  return {'forbidden', published}
elseif denied(true, address, session.room, session.user) then
  return {'denied', published}
else
  stream = new_stream(stream_id, id, session, head, here, extra, '1', most)
  if not stream then
    return {'many', published}
  end
end
stream.on = '1'
stream.version = '1'
stream.extra = extra
stream.created = now
local json = write_stream(stream_id, stream)
emit(stream.room, stream.life, '"t":"stream+","stream":' .. json)
tell_stream_created(stream_id, stream, json, false)
return {'ok', published, json}
