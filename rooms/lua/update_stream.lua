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
return {'ok', published, change_extra(stream_id, stream, extra)}
