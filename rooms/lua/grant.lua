-- uses: _history
-- A session's token was renewed.
local key = app .. 'session:' .. ARGV[4]
if redis.call('EXISTS', key) == 0 then
  return {'gone', published}
end
redis.call('HSET', key, 'grant', ARGV[5])
return {'ok', published}
