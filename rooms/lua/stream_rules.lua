-- uses: _history _rules
-- What is ruled about streams of a room: for each, its mute (or false) and whether it is forbidden.
local room = ARGV[4]
local listed = {}
for i = 5, #ARGV do
  listed[#listed + 1] = redis.call('GET', app .. 'mute:' .. room .. '\n' .. ARGV[i])
  listed[#listed + 1] = forbidden(ARGV[i]) and 1 or 0
end
return {'ok', published, listed}
