-- uses: _history _claim
-- Keeps a stream id for a session until the deadline; whoever comes later is refused. `node` = '' leaves a known stream where it is.
local id, stream_id, node, here, deadline, head, most = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
local address = ARGV[11]
local stream, refusal = claim_stream(stream_id, id, head, node == '' and here or node, most, address)
if not stream then
  return {refusal, published}
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
