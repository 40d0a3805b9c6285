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
--
-- An algorithm is a function that makes a limit, for the length of one batch. A limit decides one request
-- after the other; what it knows of the one at hand is in local variables, and the fewer calls that takes,
-- the better: a call costs Redis' one thread a tenth of a microsecond, and it decides for everybody. So a
-- limit has four functions:
--
--      load(key, stored, cost)   begins a request: reads its state, unless `stored` is what GET says of the
--                                key, and brings it to this moment. Returns whether the cost fits; nil where
--                                the key holds what is not a state of this algorithm
--      settle(spend)             ends a decision: spends the cost, or does not. Returns allowed, remaining,
--                                retry_after (-1: never) and reset_after
--      fits()                    begins the next decision of the same request, whose cost is the same
--      save(key)                 ends the request: writes what has changed

local call, pcall = redis.call, redis.pcall
local format, match = string.format, string.match
local pack, read_packed = struct.pack, struct.unpack

local EXACT = 2 ^ 53 -- whole numbers below it are exact

-- The moment of every decision of this batch.
local time = call('TIME')
local now = time[1] * 1000000 + time[2]

-- The form of a whole number below 2^53 as text. %d is the quicker one, where Redis' long has 64 bits.
local whole = format('%d', 9007199254740991) == '9007199254740991' and '%d' or '%.0f'

-- What a key that cannot be read is: `reply` is what pcall got for the command. nil where the key is of another type,
-- and so not ours. Any other error ends the script, and Redis tells it in its own words: a user whose ACL forbids the
-- command, say.
local function unreadable(reply, command, key, ...)
    if type(reply) == 'table' and reply.err and not match(reply.err, 'WRONGTYPE') then
        call(command, key, ...)
    end
    return nil
end

-- a / b rounded up.
local function divide_up(a, b)
    local rest = a % b
    if rest == 0 then
        return a / b
    end
    return (a - rest) / b + 1
end

-- How long a key lives, in the text of whole milliseconds: no longer than it means something. It is made text here,
-- because Redis writes a number with 17 digits, slowly.
local function ttl(reset_after)
    return format(whole, divide_up(reset_after, 1000))
end

-- Writes a state that is kept as a string. A key whose quota is whole again means nothing.
local function write(key, state, reset_after)
    if reset_after == 0 then
        call('DEL', key)
    else
        call('PSETEX', key, ttl(reset_after), state)
    end
end
