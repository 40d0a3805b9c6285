-- common: what the files after it share. They are embedded as one script, in the order common, token_bucket,
-- sliding_window, sliding_window_counter, fixed_window, take.
--
-- Lua counts in doubles: whole numbers are exact below 2^53, and an algorithm forms no larger one for any
-- limit that the service accepts (src/algorithm/limit.h). Division is exact too where only the whole part of
-- it is used: for whole a, b below 2^53 a quotient just below a whole number q is never rounded up to it. It
-- is at least 1/b below q. For 2^(e-1) < q <= 2^e the doubles below q are 2^(e-53) apart, so rounding up
-- would take 1/b <= 2^(e-54); but then b >= 2^(54-e), and a >= (q - 1) * b >= 2^(e-1) * 2^(54-e) = 2^53.
-- (Where q is 1: b >= 2^54.) So `a % b`, which Lua computes from floor(a / b), is the true remainder, and
-- (a - a % b) / b the true quotient.

local call, pcall = redis.call, redis.pcall
local format, match = string.format, string.match

-- The form of a whole number below 2^53 as text. %d is the quicker one, where Redis' long has 64 bits.
local whole = format('%d', 9007199254740991) == '9007199254740991' and '%d' or '%.0f'

-- What the command reads; nil where the key is of another type. Any other error ends the script, and Redis tells it
-- in its own words: a user whose ACL forbids the command, say.
local function read(command, key, ...)
    local reply = pcall(command, key, ...)
    if type(reply) ~= 'table' or not reply.err then
        return reply
    end
    return not match(reply.err, 'WRONGTYPE') and call(command, key, ...) or nil
end

-- Whether the key holds the state of some algorithm. Asked where the one that its rule has now cannot read it: then the
-- rule was another one when it was written, and the client starts anew; what is nobody's state is not touched.
local function is_state(key)
    local text = read('GET', key)
    if text then
        return match(text, '^[bcf] %d+ %d+ ?%d*$') ~= nil
    end
    local list = read('LRANGE', key, 0, 1) -- used, and a moment: 16 digits of microseconds until the year 2286
    return list and #list == 2 and match(list[1], '^%d+$') ~= nil
        and match(list[2], '^' .. ('%d'):rep(16) .. '$') ~= nil and call('LLEN', key) % 2 == 1
end

-- a / b rounded up.
local function divide_up(a, b)
    local rest = a % b
    if rest == 0 then
        return a / b
    end
    return (a - rest) / b + 1
end
