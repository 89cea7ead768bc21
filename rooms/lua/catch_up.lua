-- uses: _history
-- What a node needs to bring its view of a room up to date: nothing ('same'), the events it missed ('log'), the whole state
-- ('snapshot'), or the news that there is no such room ('none').
local room, lifetime, rev = ARGV[4], ARGV[5], tonumber(ARGV[6])
local known = redis.call('HMGET', app .. 'room:' .. room, 'lifetime', 'rev')
if not known[1] then
  return {'none', published}
end
local missing = tonumber(known[2]) - rev
if known[1] == lifetime and missing == 0 then
  return {'same', published}
end
if known[1] == lifetime and missing > 0 and missing <= redis.call('LLEN', app .. 'log:' .. room) then
  return {'log', published, redis.call('LRANGE', app .. 'log:' .. room, -missing, -1)}
end
return {'snapshot', published, known[1], known[2], redis.call('HVALS', app .. 'users:' .. room),
  redis.call('HVALS', app .. 'streams:' .. room), redis.call('HVALS', app .. 'extra:' .. room)}
