-- What an operator has forbidden. String ban:<type>:<what> = "<expires> <login><publish>" (1 = denied); sorted set bans:<type>
-- lists them by expiry. type and what: 1 address, 2 room, 3 user, 4 room, newline, user.
-- Hash forbid:<stream_id>: on (0/1), seq, at. String mute:<room>, newline, <stream_id> = "<expires> <audio><video> <created>".
-- Deadlines are compared with `now`; the TTLs behind them only keep the store tidy.
local function denied(publish, address, room, user)
  local found = redis.call('MGET', app .. 'ban:1:' .. address, app .. 'ban:2:' .. room, app .. 'ban:3:' .. user,
    app .. 'ban:4:' .. room .. '\n' .. user)
  for i = 1, 4 do
    local expires, login, publishing = string.match(found[i] or '', '^(%d+) (%d)(%d)')
    if expires and tonumber(expires) > tonumber(now) and (login == '1' or (publish and publishing == '1')) then
      return true
    end
  end
  return false
end

local function forbidden(stream_id)
  return redis.call('HGET', app .. 'forbid:' .. stream_id, 'on') == '1'
end
