-- uses: _history
-- Since when a stream is on the air ('live'), or from when to when it was ('closed'); {'none'} after an hour.
local stream = redis.call('HMGET', app .. 'stream:' .. ARGV[4], 'on', 'created')
if stream[1] == '1' then
  return {'live', published, stream[2], '0'}
end
local created, closed = string.match(redis.call('GET', app .. 'closed:' .. ARGV[4]) or '', '^(%d+) (%d+)$')
if not created then
  return {'none', published}
end
return {'closed', published, created, closed}
