-- A lost node has been cleaned up after (or this node gives its lease back): forget it.
local nodes, node, holder = KEYS[1], ARGV[1], ARGV[2]
redis.call('SREM', nodes .. 'dying', holder)
redis.call('ZREM', nodes .. 'leases', holder)
for _, other in ipairs(redis.call('ZRANGE', nodes .. 'leases', 0, -1)) do
  if string.match(other, '^(.*)#') == node then
    return 0
  end
end
redis.call('HDEL', nodes .. 'info', node)
return 1
