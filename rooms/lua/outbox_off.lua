-- The App has no callbacks: nothing more is written. What is in the outbox stays, for a node that has them.
return {redis.call('DEL', KEYS[1] .. 'callbacks')}
