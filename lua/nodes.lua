-- What the nodes that share this Redis say of themselves, once a second each (src/store/redis/redis_nodes.h).
--
-- KEYS[1] is a hash: a node's id, 16 hexadecimal digits, to the time when it said so, in milliseconds, a blank, and
-- what it said, in visible characters. It has a time to live: the key goes after the last node.
--
--     ID TEXT MAX CURSOR    keeps TEXT, and reads a page of the hash:
--
--                           next cursor, end of line;
--                           for each other node: milliseconds since it said so, blank, id, blank, text, end of line
--
-- What is older than a minute, longer than MAX bytes, or none of this at all is removed, a page at a time. The time is
-- Redis' own: the nodes' clocks do not matter.

local LIFE_MS = 60000
local PAGE = 128

local key, id, max = KEYS[1], ARGV[1], tonumber(ARGV[3])
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

-- How long ago, and what; nil for what others wrote. A little in the future: another Redis' clock, before a failover.
local function parse(name, value)
    if #name ~= 16 or not string.match(name, '^[0-9a-f]+$') or #value > max + 16 then
        return nil
    end
    local at_ms, text = string.match(value, '^(%d+) ([\33-\126][\32-\126]*)$')
    if not at_ms or #at_ms > 15 or math.abs(now_ms - at_ms) > LIFE_MS then
        return nil
    end
    return math.max(now_ms - at_ms, 0), text
end

redis.call('HSET', key, id, string.format('%.0f %s', now_ms, ARGV[2]))
redis.call('PEXPIRE', key, LIFE_MS)

local page = redis.call('HSCAN', key, ARGV[4], 'COUNT', PAGE)
local reply = {page[1] .. '\n'}
for i = 1, #page[2], 2 do
    local name = page[2][i]
    local age_ms, text = parse(name, page[2][i + 1])
    if not age_ms then
        redis.call('HDEL', key, name)
    elseif name ~= id and #reply <= PAGE then
        reply[#reply + 1] = string.format('%.0f %s %s\n', age_ms, name, text)
    end
end
return table.concat(reply)
