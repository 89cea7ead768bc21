-- uses: _history _streams
-- New extra info for a stream on the air.
local id, stream_id, extra = ARGV[4], ARGV[5], ARGV[6]
local stream = read(app .. 'stream:' .. stream_id)
if not stream or stream.on ~= '1' then
  return {'unknown', published}
end
if stream.session ~= id then
  return {'foreign', published}
end
if stream.extra ~= extra then
  stream.extra = extra
  stream.version = decimal(tonumber(stream.version) + 1)
  stream.json = write_stream(stream_id, stream)
  emit(stream.room, stream.life, '"t":"stream~","stream":' .. stream.json)
end
return {'ok', published, stream.json}
