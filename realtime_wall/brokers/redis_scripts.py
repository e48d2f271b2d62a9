"""What Redis does in one step: give a place in the order, keep the history, tell the servers.

A script is all or nothing: its first write is one that Redis refuses when it is full or read-only. All keys
have the same hash tag, so that they are together on one node of a cluster; they are named from ``meta``'s:

meta              the epoch, the offset of the last message, how many entries the bus has had; of channels
                  that were forgotten: the highest number and the last offset
bus               a stream of entries, ``offset-count``: its readers see by the count whether one is missing
channel:NAME      a hash: number, published, lost, last, bytes, expires
history:NAME      a list of the channel's entries, oldest first
silent, ages      channels by their last offset, and by the time at which nothing of them is kept any more
key:...           where a draft with this key has its place
servers           addresses by the time at which they are given up
inbox:ADDRESS     a stream of notes

An entry is a JSON object that begins in a way scripts can read: ``{"ep":..,"o":..,"n":..,"t":..,"s":size,``
and then ``"r":offset,`` if it takes a message back, or ``"i":"event id",`` if it has one.
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


_STATE = """
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
_EPOCH = """
local known_epoch, known_top, new_epoch = string.match(ARGV[1], '^(%S*) (%d+) (%S+)$')

local function tell(call, text)
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
  tell(redis.call, '{"ep":"' .. epoch .. '","o":' .. whole(top) .. ',"begins":1}')
end

local function settle()
  if not epoch or (epoch == known_epoch and top < tonumber(known_top)) then
    begin_epoch()
  end
end

-- ``text_of`` says the entry; an entry of somebody else on the bus may be in the way.
local function enter(text_of, step)
  top, count = top + step, count + 1
  local told = tell(redis.pcall, text_of())
  if type(told) == 'table' and told.err then
    if string.find(told.err, 'equal or smaller', 1, true) then
      top, count = top - step, count - 1
      begin_epoch()
      top, count = top + step, count + 1
    end
    tell(redis.call, text_of())
  end
  redis.call('HSET', meta, 'top', whole(top), 'count', whole(count))
end
"""

_FORGET = """
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
# ARGV[4]: the draft's key. ARGV[5]: for how long it is remembered, and who is asking. ARGV[6]: the channel.
_KEEP = """
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

# ARGV[7]: its size. ARGV[8]: the entry without its head. ARGV[9]: "v" when it is not to be kept.
PUBLISH = Script.of(
    _STATE,
    _EPOCH,
    _FORGET,
    _KEEP,
    """
settle()
local place = known()
if place then return place end
if ARGV[9] == 'v' then
  enter(function() return head(0, ARGV[7]) .. ARGV[8] end, 0)
  return remember()
end
expire(20)
return append(read_channel(), ARGV[8], ARGV[7], 1)
""",
)

# ARGV[7]: what an entry has behind its head if it is meant by its event id. ARGV[8]: JSON of what was said.
# ARGV[9]: the epoch and the offset if that may be a position. ARGV[10]: the size of an empty message.
# ARGV[11]: the entry, up to its data.
RETRACT = Script.of(
    _STATE,
    _EPOCH,
    _FORGET,
    _KEEP,
    """
settle()
local place = known()
if place then return place end
redis.call('HSET', meta, 'top', whole(top))
expire(20)
local kept = read_channel()
drop(kept, redis.call('LLEN', history))

local function find(is_meant)
  local length = redis.call('LLEN', history)
  for first = 0, length - 1, 100 do
    for _, text in ipairs(redis.call('LRANGE', history, first, first + 99)) do
      local offset, its_number, _, size, behind = string.match(text, HEAD)
      if string.sub(text, behind, behind + 3) ~= '"r":' and is_meant(tonumber(offset), text, behind) then
        local its_id = string.sub(text, behind, behind + 3) == '"i":'
          and string.match(text, '^("[^"\\\\]*"),', behind + 4)
        if not its_id and string.sub(text, behind, behind + 3) == '"i":' then
          its_id = cjson.encode(cjson.decode(text).i)
        end
        return {text = text, offset = tonumber(offset), number = its_number, size = tonumber(size),
          id = its_id or 'null'}
      end
    end
  end
end

local needle = ARGV[7]
local found = find(function(_, text, behind)
  return string.sub(text, behind, behind + #needle - 1) == needle
end)
local which_epoch, which_offset = string.match(ARGV[9], '^(%S+) (%d+)$')
which_offset = tonumber(which_offset)
local retracts, data = 0, nil
if not found and which_epoch == epoch then
  if which_offset < 1 or which_offset > top then
    if redis.call('EXISTS', hash) == 1 then
      redis.call('HSET', hash, 'lost', whole(kept.lost), 'bytes', whole(kept.bytes))
    end
    return {false, 0, 0}
  end
  found = find(function(offset) return offset == which_offset end)
  retracts = which_offset
end
if found then
  retracts = found.offset
  data = '{"id": ' .. found.number .. ', "position": "' .. epoch .. ':' .. whole(found.offset)
    .. '", "event_id": ' .. found.id .. '}'
elseif which_epoch then
  data = '{"id": null, "position": ' .. ARGV[8] .. ', "event_id": null}'
else
  data = '{"id": null, "position": null, "event_id": ' .. ARGV[8] .. '}'
end

-- Its characters, so that we keep at least what the servers do, who know its size exactly.
local _, characters = string.gsub(data, '[^\\128-\\191]', '')
local quoted = string.gsub(string.gsub(data, '\\\\', '\\\\\\\\'), '"', '\\\\"')
if found then
  redis.call('LREM', history, 1, found.text)
  kept.bytes = kept.bytes - found.size
end
return append(kept, '"r":' .. whole(retracts) .. ',' .. ARGV[11] .. '"' .. quoted .. '"}',
  whole(tonumber(ARGV[10]) + characters), 0)
""",
)

# ARGV[7]: the entry, but for its epoch and its offset.
DELETE = Script.of(
    _STATE,
    _EPOCH,
    _FORGET,
    _KEEP,
    """
settle()
local place = known()
if place then return place end
expire(20)
forget(channel)
enter(function() return '{"ep":"' .. epoch .. '","o":' .. whole(top) .. ',' .. ARGV[7] end, 0)
return remember()
""",
)

# Where everything stands. ARGV[3]: the id of the last entry that was read, or "".
LOOK = Script.of(
    _STATE,
    _EPOCH,
    _FORGET,
    """
settle()
local more = 0
if ARGV[3] == '' then more = expire(200) end
local first = redis.call('XRANGE', bus, '-', '+', 'COUNT', 1)[1]
local last = ARGV[3] == '' and redis.call('XREVRANGE', bus, '+', '-', 'COUNT', 1)[1]
  or ARGV[3] ~= '' and redis.call('XRANGE', bus, ARGV[3], ARGV[3])[1]
return {epoch, whole(top), whole(count), whole(lost), whole(number), string.format('%.6f', now),
  first and first[1] or '', last and last[1] or '', last and string.sub(last[2][2], 1, 200) or '', more}
""",
)

# Begin a new epoch, unless somebody else has done so. ARGV[1] says which one is not to go on.
RENEW = Script.of(
    _STATE,
    _EPOCH,
    """
if epoch == known_epoch or not epoch then
  begin_epoch()
end
return epoch
""",
)

# Whether a server has ever been there, without changing anything.
TOP = Script.of(_STATE, "return {epoch, whole(top)}")

# What is kept of channels, up to so many bytes: ARGV[1]. ARGV[2..]: their names.
IMAGE = Script.of("""
local prefix = string.sub(KEYS[1], 1, -5)
local left, images = tonumber(ARGV[1]), {}
for index = 2, #ARGV do
  local kept = redis.call('HMGET', prefix .. 'channel:' .. ARGV[index],
    'lost', 'last', 'number', 'published', 'bytes')
  left = left - tonumber(kept[5] or 0)
  if index > 2 and left < 0 then break end
  kept[6] = redis.call('LRANGE', prefix .. 'history:' .. ARGV[index], 0, -1)
  images[index - 1] = kept
end
return images
""")

# Channels of which something is kept, the longest silent first. ARGV[1]: behind this offset. ARGV[2]: number.
CHANNELS = Script.of("""
local prefix = string.sub(KEYS[1], 1, -5)
local silent = prefix .. 'silent'
return redis.call('ZRANGEBYSCORE', silent, '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
""")

# ARGV[1]: an address, "" for nobody's. ARGV[2]: its seconds, 0 to leave. ARGV[3]: notes up to here were read.
BEAT = Script.of("""
local prefix = string.sub(KEYS[1], 1, -5)
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local servers, inbox = prefix .. 'servers', prefix .. 'inbox:' .. ARGV[1]
if ARGV[2] ~= '0' then
  redis.call('ZADD', servers, string.format('%.3f', now + ARGV[2]), ARGV[1])
  redis.call('ZREMRANGEBYSCORE', servers, '-inf', string.format('%.3f', now))
  redis.call('XTRIM', inbox, 'MINID', ARGV[3])
elseif ARGV[1] ~= '' then
  redis.call('ZREM', servers, ARGV[1])
  redis.call('DEL', inbox)
end
return redis.call('ZRANGEBYSCORE', servers, string.format('(%.3f', now), '+inf')
""")

# ARGV[1]: whose inbox. ARGV[2]: how many notes wait at most. ARGV[3]: for how long. ARGV[4]: the note.
TELL = Script.of("""
local inbox = string.sub(KEYS[1], 1, -5) .. 'inbox:' .. ARGV[1]
redis.call('XADD', inbox, 'MAXLEN', '~', ARGV[2], '*', 'n', ARGV[4])
redis.call('EXPIRE', inbox, ARGV[3])
return 1
""")

ALL = (PUBLISH, RETRACT, DELETE, LOOK, RENEW, TOP, IMAGE, CHANNELS, BEAT, TELL)
