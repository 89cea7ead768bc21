-- uses: _history _streams
-- A stream goes off the air, or its reservation is given up; by its session, or (no session id) by the operator.
local id, stream_id, reason = ARGV[4], ARGV[5], ARGV[6]
local stream = read(app .. 'stream:' .. stream_id)
if not stream then
  return {'none', published}
end
if id ~= '' and stream.session ~= id then
  return {'foreign', published}
end
unlist_stream(stream.session, stream_id)
drop_stream(stream_id, stream, reason)
return {'ok', published, stream.json}
