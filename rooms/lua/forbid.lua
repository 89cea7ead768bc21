-- uses: _history _streams
-- Forbids a stream, known or not, or allows it again. Calls for one stream may overtake each other: within `window` ms the one with the
-- highest sequence counts, the others are {'stale'}. What is on the air goes off it.
local stream_id, on, sequence, window = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local key = app .. 'forbid:' .. stream_id
local last = redis.call('HMGET', key, 'seq', 'at')
if last[1] and tonumber(now) - tonumber(last[2]) < window then
  -- Decimal strings without leading zeros: they may be larger than what Lua's numbers hold exactly.
  if #sequence < #last[1] or (#sequence == #last[1] and sequence <= last[1]) then
    return {'stale', published}
  end
end
redis.call('HSET', key, 'on', on, 'seq', sequence, 'at', now)
if on == '1' then
  redis.call('PERSIST', key)
  local stream = read(app .. 'stream:' .. stream_id)
  if stream then
    unlist_stream(stream.session, stream_id)
    drop_stream(stream_id, stream, 'forbidden')
  end
else
  redis.call('PEXPIRE', key, decimal(window + 60000))
end
return {'ok', published}
