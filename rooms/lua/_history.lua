-- The frame of every script about rooms. KEYS[1] is the App's key prefix ("hearth:1:{<app_id>}:"), its hash tag keeps all
-- keys of the App in one slot. The first three arguments are the same everywhere: now (epoch ms), how many events a room's
-- log keeps, and how long (ms) a room outlives its last user.
--
-- Rules for all files here: ids stay decimal strings (numbers above 2^53 or with more than 14 digits would be damaged), JSON is
-- concatenated from fragments that Python encoded (cjson would damage numbers and empty lists), nothing is assigned globally.
local app = KEYS[1]
local now = ARGV[1]
local log_length = tonumber(ARGV[2])
local empty_room = tonumber(ARGV[3])

-- What this script has published: room id, payload, room id, payload … It is part of the reply, so that the calling node
-- need not wait for its own subscription.
local published = {}

local function decimal(number)
  return string.format('%.0f', number)
end

-- A rising id: the time in ms, or one more than the last one.
local function next_id()
  local id = redis.call('INCR', app .. 'ids')
  if id < tonumber(now) then
    id = tonumber(now)
    redis.call('SET', app .. 'ids', now)
  end
  return decimal(id)
end

-- One step in the history of a room: rev + 1, into the log, out to every node. `body` is JSON without braces.
-- The payload is "<lifetime> <rev> <json>", so that a node can tell a repetition or a hole without parsing JSON.
local function emit(room, lifetime, body)
  local rev = decimal(redis.call('HINCRBY', app .. 'room:' .. room, 'rev', 1))
  local payload = lifetime .. ' ' .. rev .. ' {"rev":' .. rev .. ',' .. body .. '}'
  if redis.call('RPUSH', app .. 'log:' .. room, payload) >= 2 * log_length then
    redis.call('LTRIM', app .. 'log:' .. room, -log_length, -1)
  end
  redis.call('PUBLISH', app .. 'events:' .. room, payload)
  published[#published + 1] = room
  published[#published + 1] = payload
  return rev
end

-- HGETALL as a table; nil if there is no such key.
local function read(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then
    return nil
  end
  local fields = {}
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
  end
  return fields
end
