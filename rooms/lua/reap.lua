-- uses: _history _streams _sessions
-- Carries out what is due: sessions whose grace ran out, reservations never used, rooms that stayed empty. At most `batch` per call.
local due = redis.call('ZRANGEBYSCORE', app .. 'deadlines', '-inf', now, 'LIMIT', 0, tonumber(ARGV[4]))
for _, entry in ipairs(due) do
  redis.call('ZREM', app .. 'deadlines', entry)
  local kind, id = string.sub(entry, 1, 1), string.sub(entry, 3)
  if kind == 's' then
    local session = read(app .. 'session:' .. id)
    if session and session.detached then
      end_session(id, session, 'lost', '""', false)
    end
  elseif kind == 'r' then
    local stream = read(app .. 'stream:' .. id)
    if stream and stream.on == '0' then
      unlist_stream(stream.session, id)
      drop_stream(id, stream, 'stopped')
    end
  elseif redis.call('HLEN', app .. 'users:' .. id) == 0 then
    local known = redis.call('HMGET', app .. 'room:' .. id, 'lifetime', 'last')
    if known[1] then
      close_room(id, known[1], known[2] or 'logout')
    end
  end
end
return {'ok', published, #due}
