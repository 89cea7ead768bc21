-- Hands out what is to be delivered now: retries that are due and claims that ran out first, then new entries. Each is claimed until
-- `claim`. `wanted` is what string callbacks has to say (see _callbacks.lua). `cursor` is the newest entry that was handed out;
-- sorted set outbox.due: entry = when it may be handed out again; hash outbox.failed: entry = attempts that failed.
local app, now, claim, most, wanted = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local outbox = app .. 'outbox'
if redis.call('GET', app .. 'callbacks') ~= wanted then
  redis.call('SET', app .. 'callbacks', wanted)
end
local taken = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', outbox .. '.due', '-inf', now, 'LIMIT', 0, most)) do
  local found = redis.call('XRANGE', outbox, id, id)
  if found[1] then
    redis.call('ZADD', outbox .. '.due', claim, id)
    taken[#taken + 1] = {id, redis.call('HGET', outbox .. '.failed', id) or '0', found[1][2]}
  else
    redis.call('ZREM', outbox .. '.due', id)
    redis.call('HDEL', outbox .. '.failed', id)
  end
end
if #taken < most then
  local cursor = redis.call('GET', outbox .. '.cursor') or '0'
  local fresh = redis.call('XRANGE', outbox, '(' .. cursor, '+', 'COUNT', most - #taken)
  for _, entry in ipairs(fresh) do
    redis.call('ZADD', outbox .. '.due', claim, entry[1])
    taken[#taken + 1] = {entry[1], '0', entry[2]}
  end
  if #fresh > 0 then
    redis.call('SET', outbox .. '.cursor', fresh[#fresh][1])
  end
end
local oldest = redis.call('XRANGE', outbox, '-', '+', 'COUNT', 1)[1]
return {taken, redis.call('XLEN', outbox), oldest and oldest[2][4] or '0', redis.call('XLEN', outbox .. '.dead'),
  redis.call('GET', outbox .. '.lost') or '0', redis.call('GET', outbox .. '.dead_lost') or '0'}
