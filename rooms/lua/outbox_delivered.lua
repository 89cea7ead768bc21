-- An entry has been delivered, whoever has claimed it by now.
local outbox, id = KEYS[1] .. 'outbox', ARGV[1]
redis.call('ZREM', outbox .. '.due', id)
redis.call('HDEL', outbox .. '.failed', id)
return {redis.call('XDEL', outbox, id)}
