-- Dead letters are delivered anew ('retry') or forgotten ('drop'): those named, or without names the oldest `batch`. The reply counts
-- them, and says whether there is no room in the outbox for more.
local app, action, batch = KEYS[1], ARGV[1], tonumber(ARGV[2])
local outbox, dead = app .. 'outbox', app .. 'outbox.dead'
local most = tonumber(string.match(redis.call('GET', app .. 'callbacks') or '0', '^%d+'))
local letters = {}
if #ARGV == 2 then
  letters = redis.call('XRANGE', dead, '-', '+', 'COUNT', batch)
end
for i = 3, #ARGV do
  letters[#letters + 1] = redis.call('XRANGE', dead, ARGV[i], ARGV[i])[1]
end
local done = 0
for _, letter in ipairs(letters) do
  if action == 'retry' then
    if redis.call('XLEN', outbox) >= most then
      return {done, 1}
    end
    local fields = {}
    for i = 1, #letter[2], 2 do
      local name = letter[2][i]
      if name ~= 'problem' and name ~= 'failed_at' then
        fields[#fields + 1] = name
        fields[#fields + 1] = letter[2][i + 1]
      end
    end
    redis.call('XADD', outbox, '*', unpack(fields))
  end
  done = done + redis.call('XDEL', dead, letter[1])
end
return {done, 0}
