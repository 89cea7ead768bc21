-- uses: _history _streams _sessions
-- A node says again what it holds, after the store or its lease was lost: a session with a live connection, and its streams on
-- the air (7 arguments each). What is still there stays; what is missing without a tombstone was lost with the store's data
-- and is put back. The revision jumps, so that every node notices that the history has a hole and takes a snapshot.
local id, user, room, lifetime, login = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local node, holder, attachment = ARGV[9], ARGV[10], ARGV[11]
local member, data, grant, client, rev = ARGV[12], ARGV[13], ARGV[14], ARGV[15], tonumber(ARGV[16])
local key = app .. 'session:' .. id
local session = read(key)
local was_here = session ~= nil

if session then
  if tonumber(session.attachment) > tonumber(attachment) then
    return {'moved', published}
  end
  if session.detached or session.holder ~= holder then
    if session.detached then
      redis.call('HDEL', key, 'detached', 'told')
      redis.call('ZREM', app .. 'deadlines', 's:' .. id)
    else
      redis.call('SREM', app .. 'node.sessions:' .. session.holder, id)
    end
    redis.call('HSET', key, 'node', node, 'holder', holder, 'attachment', attachment)
    redis.call('SADD', app .. 'node.sessions:' .. holder, id)
  end
  lifetime = session.life
else
  local ended = redis.call('GET', app .. 'ended:' .. id)
  if ended then
    return {'ended', published, ended}
  end
  local entered = redis.call('HMGET', app .. 'user:' .. user, 'login', 'r:' .. room)
  if (entered[1] and entered[1] ~= login) or entered[2] then
    return {'ended', published, '["replaced","",' .. member .. ']'}
  end
  local known = redis.call('HMGET', app .. 'room:' .. room, 'lifetime', 'empty')
  if known[1] then
    lifetime = known[1]
    if known[2] then
      redis.call('HDEL', app .. 'room:' .. room, 'empty')
      redis.call('ZREM', app .. 'deadlines', 'e:' .. room)
    end
  else
    redis.call('HSET', app .. 'room:' .. room, 'lifetime', lifetime, 'rev', decimal(rev + 1000), 'created', now, 'max', '0',
      'user_update_seq', decimal(rev + 1000), 'stream_seq', decimal(rev + 1000))
    redis.call('ZADD', app .. 'rooms', 0, room)
    redis.call('DEL', app .. 'log:' .. room)
  end
  session = {user = user, room = room, life = lifetime}
  redis.call('HSET', app .. 'user:' .. user, 'login', login, 'r:' .. room, id)
  redis.call('HSET', key, 'user', user, 'room', room, 'life', lifetime, 'login', login, 'node', node,
    'holder', holder, 'attachment', attachment, 'member', member, 'data', data, 'grant', grant, 'client', client)
  redis.call('HSET', app .. 'users:' .. room, user, member)
  redis.call('SADD', app .. 'node.sessions:' .. holder, id)
  emit(room, lifetime, '"t":"join","user":' .. member)
end

local ids = split_streams(session.streams)
local before = #ids
for i = 17, #ARGV, 7 do
  local stream_id = ARGV[i]
  if redis.call('EXISTS', app .. 'stream:' .. stream_id) == 0 then
    local stream = {head = ARGV[i + 1], room = room, life = lifetime, sid = ARGV[i + 2], session = id, node = ARGV[i + 3],
      extra = ARGV[i + 4], on = '1', created = ARGV[i + 5], version = ARGV[i + 6]}
    ids[#ids + 1] = stream_id
    redis.call('SADD', app .. 'node.streams:' .. stream.node, stream_id)
    local json = write_stream(stream_id, stream)
    emit(room, lifetime, '"t":"stream+","stream":' .. json)
    if was_here then
      -- The operator's backend has heard that it was gone (node_lost). What was lost with the store's data never was.
      tell_stream_created(stream_id, stream, json, true)
    end
  end
end
if #ids > before then
  list_streams(id, ids)
end
return {'ok', published, lifetime}
