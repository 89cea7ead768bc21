-- The dead letters after `marker`, the oldest first.
local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
return redis.call('XRANGE', KEYS[1] .. 'outbox.dead', from, '+', 'COUNT', tonumber(ARGV[2]))
