-- uses: _callbacks
-- Hash stream:<stream_id>: head (JSON members that never change), room, life, sid, session, node, extra (JSON string), on (0/1),
-- created, version, json (the whole, for look-ups). A stream on the air is in hash streams:<room> too, a reserved one has a
-- deadline "r:<stream_id>". Set node.streams:<node> lists what a node's media plane holds.
local function stream_json(stream)
  return '{' .. stream.head .. ',"stream_sid":' .. stream.sid .. ',"session_id":' .. stream.session
    .. ',"node_id":"' .. stream.node .. '","extra_info":' .. stream.extra
    .. ',"on_air":' .. (stream.on == '1' and 'true' or 'false')
    .. ',"created_at":' .. stream.created .. ',"version":' .. stream.version .. '}'
end

local function write_stream(id, stream)
  local json = stream_json(stream)
  redis.call('HSET', app .. 'stream:' .. id, 'head', stream.head, 'room', stream.room, 'life', stream.life, 'sid', stream.sid,
    'session', stream.session, 'node', stream.node, 'extra', stream.extra, 'on', stream.on,
    'created', stream.created, 'version', stream.version, 'json', json)
  if stream.on == '1' then
    redis.call('HSET', app .. 'streams:' .. stream.room, id, json)
  end
  return json
end

-- The stream ids of a session, held or reserved, are one field of it, separated by newlines.
local function list_streams(session_id, ids)
  redis.call('HSET', app .. 'session:' .. session_id, 'streams', table.concat(ids, '\n'))
end

local function split_streams(text)
  local ids = {}
  for id in string.gmatch(text or '', '[^\n]+') do
    ids[#ids + 1] = id
  end
  return ids
end

-- Takes a stream away from its session and tells the room. The caller keeps the session's own list right.
-- For callbacks: `cause` is why the owner's session ended, `interrupted` whether its connection was lost then.
local function drop_stream(id, stream, reason, cause, interrupted)
  redis.call('DEL', app .. 'stream:' .. id)
  redis.call('SREM', app .. 'node.streams:' .. stream.node, id)
  if stream.on == '1' then
    redis.call('HDEL', app .. 'streams:' .. stream.room, id)
    redis.call('SET', app .. 'closed:' .. id, stream.created .. ' ' .. now, 'PX', 3600000)
    local json = stream_json(stream)
    emit(stream.room, stream.life, '"t":"stream-","stream":' .. json .. ',"reason":"' .. reason .. '"')
    tell_stream_closed(id, stream, json, reason, cause, interrupted)
  else
    redis.call('ZREM', app .. 'deadlines', 'r:' .. id)
    emit(stream.room, stream.life, '"t":"reserve-","stream":' .. stream_json(stream))
  end
end

local function unlist_stream(session_id, id)
  local listed = redis.call('HGET', app .. 'session:' .. session_id, 'streams')
  if listed then
    local ids = {}
    for _, other in ipairs(split_streams(listed)) do
      if other ~= id then
        ids[#ids + 1] = other
      end
    end
    list_streams(session_id, ids)
  end
end

-- A new stream of a session, reserved; nil if the session may not hold any more.
local function new_stream(id, session_id, session, head, node, most)
  local ids = split_streams(session.streams)
  if #ids >= most then
    return nil
  end
  ids[#ids + 1] = id
  list_streams(session_id, ids)
  redis.call('SADD', app .. 'node.streams:' .. node, id)
  return {head = head, room = session.room, life = session.life, sid = next_id(), session = session_id, node = node,
    extra = '""', on = '0', created = now, version = '0'}
end

-- Tells the room and the backend. A reservation's deadline goes with it.
local function put_on_air(id, stream, extra)
  redis.call('ZREM', app .. 'deadlines', 'r:' .. id)
  stream.on = '1'
  stream.version = '1'
  stream.extra = extra
  stream.created = now
  local json = write_stream(id, stream)
  emit(stream.room, stream.life, '"t":"stream+","stream":' .. json)
  tell_stream_created(id, stream, json, false)
  return json
end

-- Tells the room, unless it is the same.
local function change_extra(id, stream, extra)
  if stream.extra == extra then
    return stream.json
  end
  stream.extra = extra
  stream.version = decimal(tonumber(stream.version) + 1)
  local json = write_stream(id, stream)
  emit(stream.room, stream.life, '"t":"stream~","stream":' .. json)
  return json
end

local function move_stream(id, stream, node)
  redis.call('SREM', app .. 'node.streams:' .. stream.node, id)
  redis.call('SADD', app .. 'node.streams:' .. node, id)
  stream.node = node
end
