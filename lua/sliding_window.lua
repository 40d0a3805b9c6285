-- sliding_window: a log of what passed, each entry forgotten exactly one window later. Twin of
-- src/algorithm/sliding_window.c. Kept as a list:
--
--      used   t1 c1   t2 c2   ...   tn cn          used = c1 + ... + cn;  t1 < t2 < ... < tn
--
-- Nothing is written before save. Entries that expired leave by one LTRIM that stops one element early: the
-- last expired count stays behind as the place of `used`. What a client spends in one moment is one entry.
-- Numbers given to a command are written with 17 digits, so these need no string.format.

local function sliding_window()
    -- Elements read at once: the first time a few, for the oldest entry is seldom expired, and then more.
    local FIRST_READ = 9
    local NEXT_READ = 128

    local function compile(requests, window_us)
        return { limit = requests, window_us = window_us }
    end

    -- A moment or a count, or nil.
    local function whole(text)
        local number = text and match(text, '^%d+$') and tonumber(text)
        return number and number < 9007199254740992 and number or nil
    end

    -- The entry at `index` of the list, from 0; nil behind the last one, and where it is not a pair of whole
    -- numbers.
    local function entry(state, index)
        local at = 1 + 2 * index - state.read_from
        if at >= state.read_count then
            if not state.stored or state.read_count == 0 then
                return nil
            end
            state.read_from = 1 + 2 * index
            state.read = call('LRANGE', state.key, state.read_from, state.read_from + NEXT_READ - 1)
            state.read_count = #state.read
            at = 0
        end
        return whole(state.read[at + 1]), whole(state.read[at + 2])
    end

    local function init(_, state)
        state.used = 0
        state.newest_at = nil -- the newest entry
        state.newest_count = nil
        state.stored = false -- the list still holds entries
        state.existed = false -- there is a list, of whatever
        state.expired = 0 -- entries at its head that no longer count
        state.pushed = false -- the newest entry is not in the list
        state.read_from = 0
        state.read_count = 0
    end

    -- False where the key holds what is not a state of ours.
    local function load(limit, state, key)
        init(limit, state)
        local read = pcall('LRANGE', key, 0, FIRST_READ - 1)
        local count = #read
        if count == 0 then
            return read.err == nil
        end
        state.key = key
        state.read = read
        state.read_count = count
        state.used = whole(read[1])
        if count < FIRST_READ then
            state.newest_at, state.newest_count = whole(read[count - 1]), whole(read[count])
        else
            local newest = call('LRANGE', key, -2, -1)
            state.newest_at, state.newest_count = whole(newest[1]), whole(newest[2])
        end
        state.stored = true
        state.existed = true
        return count % 2 == 1 and count >= 3 and state.used and state.newest_at and state.newest_count
            and entry(state, 0) and true or false
    end

    -- The list no longer says anything; what is used, if anything is, came at `at`.
    local function replace(state, used, at)
        state.used = used
        state.newest_at = at
        state.newest_count = at and used
        state.stored = false
        state.pushed = at ~= nil
        state.read_count = 0
        state.changed = true
    end

    local function advance(limit, state, now)
        local newest_at = state.newest_at
        if not newest_at then
            return
        end
        if newest_at - now > limit.window_us then
            replace(state, state.used, now)
            return
        end
        if now - newest_at >= limit.window_us then
            replace(state, 0, nil)
            return
        end
        local at, count = entry(state, state.expired)
        while at and count and now - at >= limit.window_us do
            state.used = state.used - count
            state.expired = state.expired + 1
            state.changed = true
            at, count = entry(state, state.expired)
        end
    end

    local function fits(limit, state, _, cost)
        return cost == 0 or cost <= limit.limit - state.used
    end

    local function spend(_, state, now, cost)
        if state.newest_at and state.newest_at >= now then
            state.newest_count = state.newest_count + cost
        else
            state.newest_at = now
            state.newest_count = cost
            state.pushed = true
        end
        state.used = state.used + cost
        state.changed = true
    end

    -- When `count` requests of the log have expired. What is not in the list yet came at newest_at.
    local function expired_at_us(limit, state, count)
        local index = state.expired
        while count > 0 do
            local at, entry_count = entry(state, index)
            if not at or not entry_count then
                return state.newest_at + limit.window_us
            end
            count = count - entry_count
            if count <= 0 then
                return at + limit.window_us
            end
            index = index + 1
        end
    end

    -- Returns remaining, retry_after, reset_after.
    local function report(limit, state, now, cost, allowed)
        local remaining = limit.limit - state.used
        local reset_after = state.newest_at and state.newest_at + limit.window_us - now or 0
        local retry_after = 0
        if not allowed then
            retry_after = cost > limit.limit and -1 or expired_at_us(limit, state, cost - remaining) - now
        end
        if remaining < 0 then
            remaining = 0 -- written under a larger limit
        end
        return remaining, retry_after, reset_after
    end

    local function save(state, key, ttl_ms)
        if not state.stored then
            if state.existed then
                call('DEL', key)
            end
            call('RPUSH', key, state.used, state.newest_at, state.newest_count)
        else
            if state.expired > 0 then
                call('LTRIM', key, 2 * state.expired, -1)
            end
            call('LSET', key, 0, state.used)
            if state.pushed then
                call('RPUSH', key, state.newest_at, state.newest_count)
            else
                call('LSET', key, -1, state.newest_count)
            end
        end
        call('PEXPIRE', key, ttl_ms)
    end

    return {
        compile = compile,
        init = init,
        load = load,
        advance = advance,
        fits = fits,
        spend = spend,
        report = report,
        save = save,
    }
end
