-- An attempt has failed: the entry is due again at `now` plus the delay of its turn (the arguments from the sixth on), or, after the
-- last, becomes a dead letter: stream outbox.dead, at most `most_dead`, beyond that without the oldest (counted in outbox.dead_lost).
-- Only who has claimed the entry may say so.
local outbox, id, claim, now, problem, most_dead = KEYS[1] .. 'outbox', ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local score = redis.call('ZSCORE', outbox .. '.due', id)
local found = redis.call('XRANGE', outbox, id, id)
if not found[1] or not score or tonumber(score) ~= tonumber(claim) then
  return {'foreign'}
end
local failures = redis.call('HINCRBY', outbox .. '.failed', id, 1)
local delay = ARGV[5 + failures]
if delay then
  redis.call('ZADD', outbox .. '.due', tonumber(now) + tonumber(delay), id)
  return {'again'}
end
local fields = found[1][2]
local known = false
for i = 1, #fields, 2 do
  known = known or fields[i] == 'first_id'
end
if not known then
  fields[#fields + 1] = 'first_id'
  fields[#fields + 1] = id
end
fields[#fields + 1] = 'problem'
fields[#fields + 1] = problem
fields[#fields + 1] = 'failed_at'
fields[#fields + 1] = now
redis.call('XADD', outbox .. '.dead', '*', unpack(fields))
redis.call('XDEL', outbox, id)
redis.call('ZREM', outbox .. '.due', id)
redis.call('HDEL', outbox .. '.failed', id)
local trimmed = redis.call('XTRIM', outbox .. '.dead', 'MAXLEN', most_dead)
if trimmed > 0 then
  redis.call('INCRBY', outbox .. '.dead_lost', trimmed)
end
return {'dead'}
