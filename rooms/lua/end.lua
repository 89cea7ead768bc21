-- uses: _history _streams _sessions
-- Ends one session (logout, time-out, …), or with `whole` every session of its login. Unknown: {'none'}.
local id, reason, message, whole = ARGV[4], ARGV[5], ARGV[6], ARGV[7] == '1'
local session = read(app .. 'session:' .. id)
if not session then
  return {'none', published}
end
if whole then
  local entered = read(app .. 'user:' .. session.user) or {}
  for field, other in pairs(entered) do
    if string.sub(field, 1, 2) == 'r:' and other ~= id then
      local further = read(app .. 'session:' .. other)
      if further then
        end_session(other, further, reason, message, false)
      end
    end
  end
end
end_session(id, session, reason, message, false)
return {'ok', published}
