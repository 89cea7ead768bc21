-- Whoever has claimed an entry gives it back: it is due now.
local due, id, claim, now = KEYS[1] .. 'outbox.due', ARGV[1], ARGV[2], ARGV[3]
local score = redis.call('ZSCORE', due, id)
if score and tonumber(score) == tonumber(claim) then
  redis.call('ZADD', due, now, id)
end
return {1}
