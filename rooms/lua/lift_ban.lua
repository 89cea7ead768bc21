-- uses: _history
-- Takes a rule back. {'none'}: there is none.
local kind, what = ARGV[4], ARGV[5]
local score = redis.call('ZSCORE', app .. 'bans:' .. kind, what)
redis.call('ZREM', app .. 'bans:' .. kind, what)
redis.call('DEL', app .. 'ban:' .. kind .. ':' .. what)
if not score or tonumber(score) <= tonumber(now) then
  return {'none', published}
end
return {'ok', published}
