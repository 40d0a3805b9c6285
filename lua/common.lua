-- common: functions that the other files share. All are embedded as one script, in the order common,
-- token_bucket, sliding_window, sliding_window_counter, fixed_window, penalty, take.
--
-- Lua counts in doubles: whole numbers are exact below 2^53, and an algorithm forms no larger one for any
-- limit that the service accepts (src/algorithm/limit.h). Division is exact too where only the whole part of
-- it is used: for whole a, b below 2^53 a quotient just below a whole number q is never rounded up to it. It
-- is at least 1/b below q. For 2^(e-1) < q <= 2^e the doubles below q are 2^(e-53) apart, so rounding up
-- would take 1/b <= 2^(e-54); but then b >= 2^(54-e), and a >= (q - 1) * b >= 2^(e-1) * 2^(54-e) = 2^53.
-- (Where q is 1: b >= 2^54.) So `a % b`, which Lua computes from floor(a / b), is the true remainder, and
-- (a - a % b) / b the true quotient.
--
-- An algorithm is a function that makes a limit, for one batch. A limit decides requests one by one and keeps
-- the current one in local variables. Calls are kept few: each costs Redis' only thread a tenth of a
-- microsecond. So a limit has four functions:
--
--      load(key, stored, cost)   begins a request: reads its state, unless `stored` is the reply of GET, and
--                                advances it to now. Returns whether the cost fits; nil: the key does not
--                                hold a state of this algorithm
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

-- The format of a whole number below 2^53. %d is faster, but needs a long of 64 bits.
local whole = format('%d', 9007199254740991) == '9007199254740991' and '%d' or '%.0f'

-- Handles a key that cannot be read; `reply` is what pcall returned for the command. Returns nil if the key
-- is of another type, and so not ours. Any other error ends the script with Redis' own message: an ACL that
-- denies the command, say.
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

-- The TTL of a key in milliseconds: until its quota is full. It is text, because Redis formats a number with
-- 17 digits, slowly.
local function ttl(reset_after)
    return format(whole, divide_up(reset_after, 1000))
end

-- Writes a state that is stored as a string. A key whose quota is full is not needed.
local function write(key, state, reset_after)
    if reset_after == 0 then
        call('DEL', key)
    else
        call('PSETEX', key, ttl(reset_after), state)
    end
end
