-- What is done with some clients at run time, kept for all nodes (src/store/redis/redis_overrides.h).
--
-- KEYS[1] is a hash: an override's id to its end in milliseconds, a blank, and its text; and "version", which
-- is another after each change.
--
--     put ID TEXT FOR_MS MAX     1: done; 0: there are MAX others
--     remove ID                  1
--     sweep ID                   1; removes it if it is over. That is no change
--     read VERSION CURSOR MAX    0 if the cursor is 0 and that is the version; else a page of the hash, without
--                                texts of more than MAX bytes. Redis serves nobody meanwhile, so it ends after
--                                PAGE_FIELDS or PAGE_BYTES:
--
--                                version, now in ms, next cursor;
--                                for each override: bytes of its id, its end in ms, bytes of its text, id, text
--
-- A reply is one string, as redis_guard.h wants it: each number ends with a blank.

local PAGE_FIELDS, PAGE_BYTES, SCAN = 128, 32768, 8

local key, what, id = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number)
    return string.format('%.0f', number)
end

local function note_change()
    local last = redis.call('HGET', key, 'version')
    local version = time[1] * 1000000 + time[2]
    if whole(version) == last then
        version = version + 1
    end
    redis.call('HSET', key, 'version', whole(version))
end

-- Nil for what others wrote. Without a pattern for the text, which takes Lua longer than all the rest.
local function parse(value)
    local digits = string.match(value, '^%d+ ')
    if digits then
        return string.sub(digits, 1, -2), string.sub(value, #digits + 1)
    end
end

local function put(text, for_ms, max)
    if not redis.call('HGET', key, id) and redis.call('HLEN', key) > max then
        return 0
    end
    redis.call('HSET', key, id, whole(now_ms + for_ms) .. ' ' .. text)
    note_change()
    return 1
end

local function remove()
    redis.call('HDEL', key, id)
    note_change()
    return 1
end

local function sweep()
    local value = redis.call('HGET', key, id)
    local end_ms = value and parse(value)
    if end_ms and tonumber(end_ms) <= now_ms then
        redis.call('HDEL', key, id)
    end
    return 1
end

local function read(known, cursor, max)
    local version = string.match(redis.call('HGET', key, 'version') or '', '^%d+$') or '0'
    if cursor == '0' and version == known then
        return 0
    end
    local reply, fields, bytes = {''}, 0, 0
    repeat
        local page = redis.call('HSCAN', key, cursor, 'COUNT', SCAN)
        cursor = page[1]
        for i = 1, #page[2], 2 do
            local name, value = page[2][i], page[2][i + 1]
            local end_ms, text = parse(value)
            if end_ms and #end_ms <= 15 and #text <= max and #name <= max then
                reply[#reply + 1] = #name .. ' ' .. end_ms .. ' ' .. #text .. ' ' .. name .. text
            end
            fields, bytes = fields + 1, bytes + #name + #value
        end
    until cursor == '0' or fields >= PAGE_FIELDS or bytes >= PAGE_BYTES
    reply[1] = version .. ' ' .. whole(now_ms) .. ' ' .. cursor .. ' '
    return table.concat(reply)
end

if what == 'put' then
    return put(ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]))
elseif what == 'remove' then
    return remove()
elseif what == 'sweep' then
    return sweep()
end
return read(ARGV[2], ARGV[3], tonumber(ARGV[4]))
