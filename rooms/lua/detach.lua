-- uses: _history
-- The connection of a session is lost: its grace period starts. Only the attachment that holds it may say so.
local id, attachment, deadline, told = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local key = app .. 'session:' .. id
local session = redis.call('HMGET', key, 'attachment', 'detached', 'holder')
if session[1] ~= attachment or session[2] then
  return {'none', published}
end
redis.call('HSET', key, 'detached', deadline)
if ARGV[8] == '1' then
  redis.call('HSET', key, 'told', told)
end
redis.call('SREM', app .. 'node.sessions:' .. session[3], id)
redis.call('ZADD', app .. 'deadlines', deadline, 's:' .. id)
return {'ok', published}
