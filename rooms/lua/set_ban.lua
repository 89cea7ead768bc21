-- uses: _history
-- Denies login or publishing (see _rules). Replaces an earlier rule about the same. {'many'}: there are `most` live ones of this type.
local kind, what, expires, denies, most = ARGV[4], ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])
local index = app .. 'bans:' .. kind
redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
if not redis.call('ZSCORE', index, what) and redis.call('ZCARD', index) >= most then
  return {'many', published}
end
redis.call('ZADD', index, expires, what)
redis.call('SET', app .. 'ban:' .. kind .. ':' .. what, expires .. ' ' .. denies, 'PX', decimal(tonumber(expires) - tonumber(now) + 60000))
return {'ok', published}
