-- Renews a node's lease. KEYS[1] is the prefix of what is common to all Apps. Sorted set leases: "<node>#<incarnation>" = deadline;
-- set dying: leases that ran out and whose rooms are being cleaned up; hash info: node = NodeInfo; set apps.
-- Reply: whether the lease was still there, the leases to clean up after, the live ones, all Apps.
local nodes, now, node, holder, deadline, info = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local kept = redis.call('ZSCORE', nodes .. 'leases', holder)
if not kept then
  -- A first lease, or one after a loss: whatever ran under this node's name before is gone.
  for _, other in ipairs(redis.call('ZRANGE', nodes .. 'leases', 0, -1)) do
    if string.match(other, '^(.*)#') == node then
      redis.call('ZREM', nodes .. 'leases', other)
      redis.call('SADD', nodes .. 'dying', other)
    end
  end
end
redis.call('ZADD', nodes .. 'leases', deadline, holder)
redis.call('HSET', nodes .. 'info', node, info)
for i = 6, #ARGV do
  redis.call('SADD', nodes .. 'apps', ARGV[i])
end
for _, other in ipairs(redis.call('ZRANGEBYSCORE', nodes .. 'leases', '-inf', '(' .. now)) do
  redis.call('ZREM', nodes .. 'leases', other)
  redis.call('SADD', nodes .. 'dying', other)
end
return {kept and '1' or '0', redis.call('SMEMBERS', nodes .. 'dying'), redis.call('ZRANGE', nodes .. 'leases', 0, -1),
  redis.call('SMEMBERS', nodes .. 'apps')}
