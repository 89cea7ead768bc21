-- uses: _streams
-- Hash session:<id>: user, room, life, login, node, holder, attachment, member (User as JSON), data, grant, client, streams;
-- while no connection holds it also detached (its deadline) and told. `holder` is the node's lease ("<node>#<incarnation>");
-- set node.sessions:<holder> lists the sessions with a connection. Hash user:<user_id>: login, and "r:<room>" = session id for each room.

-- `reason`: why the last user left; '' = nothing is said to the operator's backend.
local function close_room(room, lifetime, reason)
  -- Streams of nobody here, which the operator added, end with the room.
  for _, stream_id in ipairs(redis.call('HKEYS', app .. 'streams:' .. room)) do
    local stream = read(app .. 'stream:' .. stream_id)
    if stream then
      drop_stream(stream_id, stream, 'owner_left', 'room_closed')
    end
  end
  emit(room, lifetime, '"t":"closed","lifetime_id":' .. lifetime)
  if reason ~= '' then
    tell_room_closed(room, lifetime, reason)
  end
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
      drop_stream(stream_id, stream, 'owner_left', reason, session.detached)
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
  tell_logout(session, reason)
  if not keep_room and redis.call('HLEN', app .. 'users:' .. room) == 0 then
    if empty_room > 0 then
      redis.call('HSET', app .. 'room:' .. room, 'empty', '1', 'last', reason)
      redis.call('ZADD', app .. 'deadlines', tonumber(now) + empty_room, 'e:' .. room)
    else
      close_room(room, session.life, reason)
    end
  end
end
