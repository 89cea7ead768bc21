-- uses: _history
-- What the operator's backend is told (callbacks), written in the same step as the change that it tells of. String callbacks is set by
-- the nodes of an App that has callbacks configured: "<most entries> <event> <event> … " (with a space at the end). Stream outbox: what
-- is to be delivered (rooms/outbox.py); beyond the most entries the new event is left out and counted in outbox.lost. The room's hash
-- counts its changes in user_update_seq and stream_seq: without a callback configured nothing is counted.
local callbacks

local function has_callbacks()
  if callbacks == nil then
    callbacks = redis.call('GET', app .. 'callbacks') or false
  end
  return callbacks
end

local function tell_backend(event, room, lifetime, ...)
  if not string.find(callbacks, ' ' .. event .. ' ', 1, true) then
    return
  end
  if redis.call('XLEN', app .. 'outbox') >= tonumber(string.match(callbacks, '^%d+')) then
    redis.call('INCR', app .. 'outbox.lost')
    return
  end
  redis.call('XADD', app .. 'outbox', '*', 'event', event, 'at', now, 'room', room, 'life', lifetime, ...)
end

local function step(room, counter)
  return decimal(redis.call('HINCRBY', app .. 'room:' .. room, counter, 1))
end

local function tell_room_created(room, lifetime, user_id)
  if has_callbacks() then
    tell_backend('room_create', room, lifetime, 'creator', user_id)
  end
end

-- `reason` is that of the last one who left.
local function tell_room_closed(room, lifetime, reason)
  if has_callbacks() then
    tell_backend('room_close', room, lifetime, 'reason', reason)
  end
end

-- `again`: the user was in the room already.
local function tell_login(room, lifetime, member, data, grant, client, again)
  if has_callbacks() then
    tell_backend('room_login', room, lifetime, 'seq', step(room, 'user_update_seq'), 'user', member, 'data', data, 'grant', grant,
      'client', client, 'again', again and '1' or '0')
  end
end

local function tell_logout(session, reason)
  if has_callbacks() then
    tell_backend('room_logout', session.room, session.life, 'seq', step(session.room, 'user_update_seq'), 'user', session.member,
      'data', session.data, 'reason', reason)
  end
end

-- A stream that went off the air by a broken connection, and comes back to its owner within 90 s, is told as created again.
local function tell_stream_created(id, stream, json, again)
  if has_callbacks() then
    local left = redis.call('GET', app .. 'interrupted:' .. id)
    if left then
      redis.call('DEL', app .. 'interrupted:' .. id)
      local at, head = string.match(left, '^(%d+) (.*)$')
      again = again or (head == stream.head and tonumber(now) - tonumber(at) <= 90000)
    end
    tell_backend('stream_create', stream.room, stream.life, 'seq', step(stream.room, 'stream_seq'), 'stream', json,
      'again', again and '1' or '0')
  end
end

-- `cause`: why the owner's session ended, if that is what ended the stream.
local function tell_stream_closed(id, stream, json, reason, cause, interrupted)
  if has_callbacks() then
    if interrupted or reason == 'media_lost' or reason == 'node_lost' then
      redis.call('SET', app .. 'interrupted:' .. id, now .. ' ' .. stream.head, 'PX', 100000)
    end
    tell_backend('stream_close', stream.room, stream.life, 'seq', step(stream.room, 'stream_seq'), 'stream', json,
      'reason', reason, 'cause', cause or '')
  end
end
