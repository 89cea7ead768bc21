-- uses: _history
-- A room attribute: hash extra:<room>, value '{"seq":N,…}'.
local id, key, head, most = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local session = redis.call('HMGET', app .. 'session:' .. id, 'room', 'life')
if not session[1] then
  return {'gone', published}
end
local store = app .. 'extra:' .. session[1]
local seq = 1
local old = redis.call('HGET', store, key)
if old then
  seq = tonumber(string.match(old, '^{"seq":(%d+)')) + 1
elseif redis.call('HLEN', store) >= most then
  return {'full', published}
end
local json = '{"seq":' .. decimal(seq) .. ',' .. head .. '}'
redis.call('HSET', store, key, json)
emit(session[1], session[2], '"t":"extra","info":' .. json)
return {'ok', published, json}
