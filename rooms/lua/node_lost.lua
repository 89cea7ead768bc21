-- uses: _history _streams
-- A node is gone: its streams go off the air at once, its sessions wait for their clients as if all its sockets had been lost now.
-- `holder` is the lease that ran out. At most `batch` of each per call; the reply counts what was taken.
local node, holder, deadline, batch = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local streams = {}
if ARGV[8] == '1' then
  streams = redis.call('SRANDMEMBER', app .. 'node.streams:' .. node, batch)
end
for _, id in ipairs(streams) do
  redis.call('SREM', app .. 'node.streams:' .. node, id)
  local stream = read(app .. 'stream:' .. id)
  if stream and stream.node == node then
    unlist_stream(stream.session, id)
    drop_stream(id, stream, 'node_lost')
  end
end
local sessions = redis.call('SRANDMEMBER', app .. 'node.sessions:' .. holder, batch)
for _, id in ipairs(sessions) do
  redis.call('SREM', app .. 'node.sessions:' .. holder, id)
  local key = app .. 'session:' .. id
  local session = redis.call('HMGET', key, 'holder', 'detached')
  if session[1] == holder and not session[2] then
    redis.call('HSET', key, 'detached', deadline)
    redis.call('ZADD', app .. 'deadlines', deadline, 's:' .. id)
  end
end
return {'ok', published, #streams + #sessions}
