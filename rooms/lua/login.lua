-- uses: _history _streams _sessions _rules
-- A user enters a room: picks up a session (resume), or begins one, by a login of its own or by a further room on a login.
-- Refusals change nothing: {'ended'|'denied'|'gone'|'already'|'rooms'|'full'}.
local room, user, id, login, own, resume = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8] == '1', ARGV[9]
local node, holder = ARGV[10], ARGV[11]
local most_users, first_most_users, most_rooms = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local member, data, grant, client, address = ARGV[15], ARGV[16], ARGV[17], ARGV[18], ARGV[19]

if resume ~= '0' then
  local key = app .. 'session:' .. resume
  local session = read(key)
  if session and session.user == user and session.room == room then
    local attachment = decimal(tonumber(session.attachment) + 1)
    local rev
    redis.call('HSET', key, 'attachment', attachment, 'node', node, 'holder', holder, 'grant', grant, 'client', client)
    if session.detached then
      redis.call('HDEL', key, 'detached', 'told')
      redis.call('ZREM', app .. 'deadlines', 's:' .. resume)
    elseif session.holder ~= holder then
      redis.call('SREM', app .. 'node.sessions:' .. session.holder, resume)
      rev = emit(room, session.life,
        '"t":"moved","session_id":' .. resume .. ',"attachment":' .. attachment .. ',"node_id":"' .. node .. '"')
    end
    redis.call('SADD', app .. 'node.sessions:' .. holder, resume)
    rev = rev or redis.call('HGET', app .. 'room:' .. room, 'rev')
    tell_login(room, session.life, session.member, session.data, grant, client, true)
    return {'resumed', published, resume, session.life, rev, session.login, attachment, session.data, session.member,
      session.told or false}
  end
  local ended = redis.call('GET', app .. 'ended:' .. resume)
  if ended then
    return {'ended', published, ended}
  end
end

-- A rule counts at a login, never for a session that only comes back.
if denied(false, address, room, user) then
  return {'denied', published}
end

local entered = read(app .. 'user:' .. user) or {}
if not own then
  if entered.login ~= login then
    return {'gone', published}
  end
  if entered['r:' .. room] then
    return {'already', published}
  end
  if redis.call('HLEN', app .. 'user:' .. user) - 1 >= most_rooms then
    return {'rooms', published}
  end
end

local known = redis.call('HMGET', app .. 'room:' .. room, 'lifetime', 'max', 'empty')
local lifetime = known[1]
local limit = most_users
local first = tonumber(known[2] or first_most_users)
if first > 0 and (limit == 0 or first < limit) then
  limit = first
end
if limit > 0 then
  local count = redis.call('HLEN', app .. 'users:' .. room)
  if own and entered['r:' .. room] then
    count = count - 1
  end
  if count >= limit then
    return {'full', published}
  end
end

if own then
  for field, other in pairs(entered) do
    if string.sub(field, 1, 2) == 'r:' then
      local session = read(app .. 'session:' .. other)
      if session then
        end_session(other, session, 'replaced', '""', session.room == room)
      end
    end
  end
end

if not lifetime then
  lifetime = next_id()
  redis.call('HSET', app .. 'room:' .. room, 'lifetime', lifetime, 'rev', '0', 'created', now, 'max', first)
  redis.call('ZADD', app .. 'rooms', 0, room)
  tell_room_created(room, lifetime, user)
elseif known[3] then
  redis.call('HDEL', app .. 'room:' .. room, 'empty')
  redis.call('ZREM', app .. 'deadlines', 'e:' .. room)
end
redis.call('HSET', app .. 'user:' .. user, 'login', login, 'r:' .. room, id)
redis.call('HSET', app .. 'session:' .. id, 'user', user, 'room', room, 'life', lifetime, 'login', login, 'node', node,
  'holder', holder, 'attachment', '1', 'member', member, 'data', data, 'grant', grant, 'client', client)
redis.call('HSET', app .. 'users:' .. room, user, member)
redis.call('SADD', app .. 'node.sessions:' .. holder, id)
local rev = emit(room, lifetime, '"t":"join","user":' .. member)
tell_login(room, lifetime, member, data, grant, client, entered['r:' .. room])
return {'new', published, id, lifetime, rev, login, '1', data, member, false}
