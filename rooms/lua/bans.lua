-- uses: _history
-- The live rules of a type: what, value, what, value …
local kind = ARGV[4]
local listed = {}
for _, what in ipairs(redis.call('ZRANGEBYSCORE', app .. 'bans:' .. kind, '(' .. now, '+inf')) do
  local value = redis.call('GET', app .. 'ban:' .. kind .. ':' .. what)
  if value then
    listed[#listed + 1] = what
    listed[#listed + 1] = value
  end
end
return {'ok', published, listed}
