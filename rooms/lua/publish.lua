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
if not stream then
  if forbidden(stream_id) then
    return {'forbidden', published}
  end
  if denied(true, address, session.room, session.user) then
    return {'denied', published}
  end
  stream = new_stream(stream_id, id, session, head, here, most)
  if not stream then
    return {'many', published}
  end
end
return {'ok', published, put_on_air(stream_id, stream, extra)}
