"""What Redis does in one step: give a place in the order, keep the history, pass it on to the servers.

A script is all or nothing: its first write is one that Redis refuses when it is full or read-only. All keys
have the same hash tag, so that they are together on one node of a cluster; they are named from ``meta``'s:

meta              the epoch, the offset of the last message, how many entries the bus has had; of channels
                  that were forgotten: the highest number and the last offset
bus               a stream of entries, ``offset-count``: its readers see by the count whether one is missing
channel:NAME      a hash: number, published, lost, last, bytes, expires
history:NAME      a list of the channel's entries, oldest first
silent, ages      channels by their last offset, and by the time at which nothing of them is kept any more
key:...           where a proposal with this key has its place
servers           addresses by the time at which they are given up
inbox:ADDRESS     a stream of envelopes

An entry is a JSON object that begins in a way scripts can read: ``{"ep":..,"o":..,"n":..,"t":..,"s":size,``
and then ``"r":offset,`` if it takes a message back, or ``"i":"event id",`` if it has one.
"""

from __future__ import annotations

from realtime_wall.brokers.redis.lua import EPOCH, FORGET, KEEP, STATE, Script

# ARGV[7]: its size. ARGV[8]: the entry without its head. ARGV[9]: "v" when it is not to be kept.
PUBLISH = Script.of(
    STATE,
    EPOCH,
    FORGET,
    KEEP,
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

# ARGV[7]: what an entry has behind its head if it is meant by its event id. ARGV[8]: JSON of the entry.
# ARGV[9]: the epoch and the offset if that may be a position. ARGV[10]: the size of an empty message.
# ARGV[11]: the entry, up to its data.
RETRACT = Script.of(
    STATE,
    EPOCH,
    FORGET,
    KEEP,
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
    STATE,
    EPOCH,
    FORGET,
    KEEP,
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
    STATE,
    EPOCH,
    FORGET,
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

# Begin a new epoch, unless somebody else has done so. ARGV[1] has the one that is not to go on.
RENEW = Script.of(
    STATE,
    EPOCH,
    """
if epoch == known_epoch or not epoch then
  begin_epoch()
end
return epoch
""",
)

# Whether a server has ever been there, without changing anything.
TOP = Script.of(STATE, "return {epoch, whole(top)}")

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

# ARGV[1]: an address, "" for nobody's. ARGV[2]: its seconds, 0 to leave. ARGV[3]: what was read of its inbox.
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

# ARGV[1]: whose inbox. ARGV[2]: how many wait in it at most. ARGV[3]: for how long. ARGV[4]: the envelope.
SEND = Script.of("""
local inbox = string.sub(KEYS[1], 1, -5) .. 'inbox:' .. ARGV[1]
redis.call('XADD', inbox, 'MAXLEN', '~', ARGV[2], '*', 'n', ARGV[4])
redis.call('EXPIRE', inbox, ARGV[3])
return 1
""")

ALL = (PUBLISH, RETRACT, DELETE, LOOK, RENEW, TOP, IMAGE, CHANNELS, BEAT, SEND)
