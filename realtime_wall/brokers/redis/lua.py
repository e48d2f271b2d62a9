"""Of which pieces of Lua are the scripts of Redis made?

They follow one another in one text: what the state is, how an epoch begins and an entry gets its place, how a
channel is forgotten, how a message is kept. Whoever uses a later one has used those before it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    text: str
    sha: str

    @classmethod
    def of(cls, *parts: str) -> Script:
        text = "\n".join(parts)
        return cls(text, hashlib.sha1(text.encode()).hexdigest())


STATE = """
local meta = KEYS[1]
local prefix = string.sub(meta, 1, -5)
local bus, silent, ages = prefix .. 'bus', prefix .. 'silent', prefix .. 'ages'
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local state = redis.call('HMGET', meta, 'epoch', 'top', 'count', 'number', 'lost')
local epoch = state[1]
local top, count = tonumber(state[2] or 0), tonumber(state[3] or 0)
local number, lost = tonumber(state[4] or 0), tonumber(state[5] or 0)

-- Lua writes large numbers as 1e+15.
local function whole(value) return string.format('%.0f', value) end
"""

# ARGV[1]: the epoch and the highest offset that the process knows, and a name for a new epoch.
# ARGV[2]: how many entries the bus keeps.
EPOCH = """
local known_epoch, known_top, new_epoch = string.match(ARGV[1], '^(%S*) (%d+) (%S+)$')

local function add(call, text)
  return call('XADD', bus, 'MAXLEN', '~', ARGV[2], whole(top) .. '-' .. whole(count), 'e', text)
end

-- Its offsets go on above all that is known: the bus has them, too, when only meta was lost.
local function begin_epoch()
  local last = redis.call('XREVRANGE', bus, '+', '-', 'COUNT', 1)[1]
  local last_top, last_count = 0, 0
  if last then
    last_top, last_count = string.match(last[1], '^(%d+)-(%d+)$')
  end
  epoch = new_epoch
  top = math.max(top, tonumber(known_top), tonumber(last_top))
  count = math.max(count, tonumber(last_count)) + 1
  redis.call('HSET', meta, 'epoch', epoch, 'top', whole(top), 'count', whole(count))
  add(redis.call, '{"ep":"' .. epoch .. '","o":' .. whole(top) .. ',"begins":1}')
end

local function settle()
  if not epoch or (epoch == known_epoch and top < tonumber(known_top)) then
    begin_epoch()
  end
end

-- ``text_of`` gives the entry. One of somebody else on the bus may be in the way: then it goes behind that.
local function enter(text_of, step)
  top, count = top + step, count + 1
  local reply = add(redis.pcall, text_of())
  if type(reply) == 'table' and reply.err then
    if string.find(reply.err, 'equal or smaller', 1, true) then
      local last = redis.call('XREVRANGE', bus, '+', '-', 'COUNT', 1)[1]
      local its_top = last and tonumber(string.match(last[1], '^(%d+)-'))
      if its_top and its_top >= top and its_top < 1e15 then
        top = its_top + 1
      else  -- nothing can come behind it, or it is gone and has left its mark
        redis.call('DEL', bus)
        top, count = top - step, count - 1
        begin_epoch()
        top, count = top + step, count + 1
      end
    end
    add(redis.call, text_of())
  end
  redis.call('HSET', meta, 'top', whole(top), 'count', whole(count))
end
"""

FORGET = """
local function forget(channel)
  local kept = redis.call('HMGET', prefix .. 'channel:' .. channel, 'last', 'number')
  if not kept[1] then return end
  lost, number = math.max(lost, tonumber(kept[1])), math.max(number, tonumber(kept[2]))
  redis.call('HSET', meta, 'lost', whole(lost), 'number', whole(number))
  redis.call('DEL', prefix .. 'channel:' .. channel, prefix .. 'history:' .. channel)
  redis.call('ZREM', silent, channel)
  redis.call('ZREM', ages, channel)
end

local function expire(limit)
  local old = redis.call('ZRANGEBYSCORE', ages, '-inf', '(' .. string.format('%.6f', now), 'LIMIT', 0, limit)
  for _, channel in ipairs(old) do forget(channel) end
  return #old
end
"""

# ARGV[3]: messages, bytes, seconds that the channel's rule keeps, and how many channels are kept.
# ARGV[4]: the key of a proposal. ARGV[5]: how long it is remembered, and who is asking. ARGV[6]: the channel.
KEEP = """
local max_messages, max_bytes, max_age, max_channels =
  string.match(ARGV[3], '^(%S+) (%S+) (%S+) (%S+)$')
max_messages, max_bytes, max_age = tonumber(max_messages), tonumber(max_bytes), tonumber(max_age)
max_channels = tonumber(max_channels)
local key = prefix .. 'key:' .. ARGV[4]
local seconds, asking = string.match(ARGV[5], '^(%d+) (.+)$')
local channel = ARGV[6]
local hash, history = prefix .. 'channel:' .. channel, prefix .. 'history:' .. channel
local HEAD = '^{"ep":"[^"]*","o":(%d+),"n":(%d+),"t":([%d.]+),"s":(%d+),()'

local function known()
  local place = redis.call('GET', key)
  if not place then return end
  local its_epoch, its_top, who = string.match(place, '^(%S+) (%d+) (.+)$')
  return {its_epoch, its_top, who == asking and 1 or 0}
end

local function remember()
  redis.call('SET', key, epoch .. ' ' .. whole(top) .. ' ' .. asking, 'EX', seconds)
  return {epoch, whole(top), 1}
end

local function head(its_number, size)
  return '{"ep":"' .. epoch .. '","o":' .. whole(top) .. ',"n":' .. whole(its_number)
    .. ',"t":' .. string.format('%d.%06d', clock[1], clock[2]) .. ',"s":' .. size .. ','
end

local function read_channel()
  local kept = redis.call('HMGET', hash, 'number', 'lost', 'bytes', 'published', 'expires')
  if kept[5] and tonumber(kept[5]) < now then
    forget(channel)
    kept = {}
  end
  return {is_new = not kept[1], number = tonumber(kept[1] or number), lost = tonumber(kept[2] or lost),
    bytes = tonumber(kept[3] or 0), published = tonumber(kept[4] or 0)}
end

-- What the rule does not keep goes, oldest first; for how many are left.
local function drop(kept, length)
  while length > 0 do
    local is_too_much = length > max_messages or kept.bytes > max_bytes
    local oldest = is_too_much and redis.call('LPOP', history) or redis.call('LINDEX', history, 0)
    local offset, _, time, size = string.match(oldest, HEAD)
    if not is_too_much then
      if tonumber(time) >= now - max_age then break end
      redis.call('LPOP', history)
    end
    kept.lost, kept.bytes, length = tonumber(offset), kept.bytes - tonumber(size), length - 1
  end
  return length
end

local function write_channel(kept, last)
  local expires = string.format('%.6f', now + max_age)
  redis.call('HSET', hash, 'number', whole(kept.number), 'lost', whole(kept.lost), 'bytes', whole(kept.bytes),
    'published', whole(kept.published), 'last', whole(last), 'expires', expires)
  redis.call('ZADD', silent, whole(last), channel)
  redis.call('ZADD', ages, expires, channel)
end

-- Give it the next place, and keep it.
local function append(kept, rest, size, counts)
  local text
  kept.number = kept.number + 1
  enter(function()
    text = head(kept.number, size) .. rest
    return text
  end, 1)
  local length = redis.call('RPUSH', history, text)
  kept.bytes, kept.published = kept.bytes + tonumber(size), kept.published + counts
  length = drop(kept, length)
  write_channel(kept, top)
  if length == 0 then
    forget(channel)
  elseif kept.is_new and redis.call('ZCARD', silent) > max_channels then
    forget(redis.call('ZRANGE', silent, 0, 0)[1])
  end
  return remember()
end
"""
