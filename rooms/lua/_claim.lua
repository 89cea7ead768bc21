-- uses: _streams _rules
-- The stream of this id, if it is the session's or nobody's; then it is a new one, reserved and not written yet. Else nil, and why not.
local function claim_stream(id, session_id, head, node, most, address)
  local session = read(app .. 'session:' .. session_id)
  if not session then
    return nil, 'gone'
  end
  local stream = read(app .. 'stream:' .. id)
  if stream then
    if stream.session ~= session_id then
      return nil, 'taken'
    end
    return stream
  end
  if forbidden(id) then
    return nil, 'forbidden'
  end
  if denied(true, address, session.room, session.user) then
    return nil, 'denied'
  end
  stream = new_stream(id, session_id, session, head, node, most)
  if not stream then
    return nil, 'many'
  end
  return stream
end
