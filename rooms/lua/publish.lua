-- uses: _history _claim
-- A stream goes on the air; again by the same session: only a new extra info makes a difference.
local id, stream_id, here, head, extra, most = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], tonumber(ARGV[9])
local address = ARGV[10]
local stream, refusal = claim_stream(stream_id, id, head, here, most, address)
if not stream then
  return {refusal, published}
end
if stream.on == '1' then
  return {'ok', published, change_extra(stream_id, stream, extra)}
end
return {'ok', published, put_on_air(stream_id, stream, extra)}
