-- uses: _history _streams
-- The operator takes a stream of a user out of the room's list. Its media is not touched, so its id stays its session's.
-- `user`: as a JSON string; empty = whoever it belongs to.
local room, user, stream_id = ARGV[4], ARGV[5], ARGV[6]
local json = redis.call('HGET', app .. 'streams:' .. room, stream_id)
local stream = json and read(app .. 'stream:' .. stream_id)
if not stream or (user ~= '' and not string.find(stream.head, '"user_id":' .. user .. ',', 1, true)) then
  return {'none', published}
end
if stream.session == '0' then
  drop_stream(stream_id, stream, 'removed')
  return {'ok', published, stream.json}
end
redis.call('HDEL', app .. 'streams:' .. room, stream_id)
local gone = stream_json(stream)
stream.on = '0'
write_stream(stream_id, stream)
emit(room, stream.life, '"t":"stream-","stream":' .. gone .. ',"reason":"delisted"')
tell_stream_closed(stream_id, stream, gone, 'delisted')
return {'ok', published, gone}
