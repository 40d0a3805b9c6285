-- Before the script as it is embedded: a `redis` whose clock is the last argument, and under which keys live
-- and die by that clock. The script runs inside `production`, unchanged; virtual_after.lua looks at what it
-- did.
--
-- Every write must leave its key with a TTL; what the key's last TTL was is told to the test, and how many
-- commands the script gave.

local server, keys_told = redis, {}
local moment_us = tonumber(ARGV[#ARGV])
local without_ttl = {}
local just_deleted -- the key, if it was deleted after it was last read

-- Removes what has outlived its TTL, as the server would have.
local function forget_expired(key)
    local until_us = server.call('HGET', 'until', key)
    if until_us and tonumber(until_us) <= moment_us then
        server.call('DEL', key)
        server.call('HDEL', 'until', key)
    end
end

local function set_ttl(key, ttl_ms)
    if ttl_ms < 1 or ttl_ms % 1 ~= 0 then
        error('a TTL of ' .. ttl_ms .. ' ms for ' .. key)
    end
    server.call('HSET', 'until', key, moment_us + ttl_ms * 1000)
    without_ttl[key] = nil
    keys_told[#keys_told + 1] = key
    keys_told[#keys_told + 1] = ttl_ms
end

local commands = {}

function commands.TIME()
    local below_second, text = moment_us % 1000000, '%.0f'
    return { text:format((moment_us - below_second) / 1000000), text:format(below_second) }
end

function commands.PSETEX(call, key, ttl_ms, value)
    local reply = call('SET', key, value)
    set_ttl(key, tonumber(ttl_ms))
    return reply
end

function commands.PEXPIRE(_, key, ttl_ms)
    set_ttl(key, tonumber(ttl_ms))
    return server.call('EXISTS', key)
end

function commands.DEL(call, key)
    server.call('HDEL', 'until', key)
    without_ttl[key] = nil
    keys_told[#keys_told + 1] = key
    keys_told[#keys_told + 1] = 0
    just_deleted = key
    return call('DEL', key)
end

local function read(name)
    commands[name] = function(call, key, ...)
        forget_expired(key)
        just_deleted = nil
        return call(name, key, ...)
    end
end
read('GET')
read('LRANGE')
read('LINDEX')
read('LLEN')

function commands.MGET(call, ...)
    for _, key in ipairs({ ... }) do
        forget_expired(key)
    end
    just_deleted = nil
    return call('MGET', ...)
end

local function write(name)
    commands[name] = function(call, key, ...)
        if just_deleted == key then -- and made anew: one write
            table.remove(keys_told)
            table.remove(keys_told)
            just_deleted = nil
        end
        without_ttl[key] = true
        return call(name, key, ...)
    end
end
write('RPUSH')
write('LSET')
write('LTRIM')

local calls = 0 -- that the script made

local redis = {
    call = function(name, ...)
        calls = calls + 1
        return commands[name](server.call, ...)
    end,
    pcall = function(name, ...)
        calls = calls + 1
        return commands[name](server.pcall, ...)
    end,
}

local function production()
