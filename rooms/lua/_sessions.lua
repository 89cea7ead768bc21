-- Hash session:<id>: user, room, life, login, node, holder, attachment, member (User as JSON), data, grant, client, streams;
-- while no connection holds it also detached (its deadline) and told. `holder` is the node's lease ("<node>#<incarnation>");
-- set node.sessions:<holder> lists the sessions with a connection. Hash user:<user_id>: login, and "r:<room>" = session id for each room.

local function close_room(room, lifetime)
  emit(room, lifetime, '"t":"closed","lifetime_id":' .. lifetime)
  redis.call('DEL', app .. 'room:' .. room, app .. 'users:' .. room, app .. 'streams:' .. room, app .. 'extra:' .. room,
    app .. 'log:' .. room)
  redis.call('ZREM', app .. 'rooms', room)
  redis.call('ZREM', app .. 'deadlines', 'e:' .. room)
end

-- Ends a session: its streams go first, then the user, then (unless `keep_room`) the room if nobody is left.
-- `message` is a JSON string. The tombstone tells a client or node that comes back later why its session is gone.
local function end_session(id, session, reason, message, keep_room)
  local room = session.room
  for _, stream_id in ipairs(split_streams(session.streams)) do
    local stream = read(app .. 'stream:' .. stream_id)
    if stream and stream.session == id then
      drop_stream(stream_id, stream, 'owner_left')
    end
  end
  redis.call('HDEL', app .. 'users:' .. room, session.user)
  redis.call('HDEL', app .. 'user:' .. session.user, 'r:' .. room)
  if redis.call('HLEN', app .. 'user:' .. session.user) <= 1 then
    redis.call('DEL', app .. 'user:' .. session.user)
  end
  redis.call('DEL', app .. 'session:' .. id)
  if session.detached then
    redis.call('ZREM', app .. 'deadlines', 's:' .. id)
  else
    redis.call('SREM', app .. 'node.sessions:' .. session.holder, id)
  end
  redis.call('SET', app .. 'ended:' .. id, '["' .. reason .. '",' .. message .. ',' .. session.member .. ']', 'PX', 600000)
  emit(room, session.life, '"t":"leave","user":' .. session.member .. ',"reason":"' .. reason .. '","message":' .. message)
  if not keep_room and redis.call('HLEN', app .. 'users:' .. room) == 0 then
    if empty_room > 0 then
      redis.call('HSET', app .. 'room:' .. room, 'empty', '1')
      redis.call('ZADD', app .. 'deadlines', tonumber(now) + empty_room, 'e:' .. room)
    else
      close_room(room, session.life)
    end
  end
end
