-- uses: _history
-- Mutes sound or picture of a stream in a room until `expires`, known or not; `expires` = 0 takes that back. The room is told.
local room, stream_id, name, expires, parts = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local key = app .. 'mute:' .. room .. '\n' .. stream_id
if expires == '0' then
  redis.call('DEL', key)
else
  redis.call('SET', key, expires .. ' ' .. parts .. ' ' .. now, 'PX', decimal(tonumber(expires) - tonumber(now) + 60000))
end
local lifetime = redis.call('HGET', app .. 'room:' .. room, 'lifetime')
if lifetime then
  local audio = (expires ~= '0' and string.sub(parts, 1, 1) == '1') and expires or '0'
  local video = (expires ~= '0' and string.sub(parts, 2, 2) == '1') and expires or '0'
  emit(room, lifetime, '"t":"mute","stream_id":' .. name .. ',"audio_until":' .. audio .. ',"video_until":' .. video)
end
return {'ok', published}
