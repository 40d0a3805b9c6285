-- sliding_window: a log of what passed, each entry forgotten exactly one window later. Twin of
-- src/algorithm/sliding_window.c. Kept as a list:
--
--      base   t1 c1   t2 c2   ...   tn cn          t1 < t2 < ... < tn;   n <= ENTRIES_MAX
--
-- Counts are running totals: ci is all that was spent up to and with entry i since the key was made, base all that has
-- been forgotten. So used = cn - base, and LTRIM forgets entries by itself: the total of the last one that goes stays
-- behind as the new base. Totals are modulo 2^53; what is used is below it, so a difference says which total is later.
--
-- The work of a decision is bounded, whatever the key holds: both ends of the list are read, and what lies between is
-- searched by halves, for the first entry that is not expired and for the one that a refused cost waits for. A list
-- whose length and ends are not those of such a log is not ours. One that is only wrong in between gives wrong
-- answers, but none out of range. Nothing is written before save.
--
-- Numbers given to a command are written with 17 digits, so these need no string.format.

local function sliding_window(requests, window_us, tick_us)
    local ENTRIES_MAX = 1024 -- SLIDING_WINDOW_ENTRIES
    local HEAD = 9 -- elements read at once: of a short list all of them, and seldom has more than one entry expired

    local tick_began = now - now % tick_us
    local key
    local head -- the first elements of the list
    local stored -- entries in the list
    local base, total -- of the last entry that expired, and of the newest
    local used -- their difference
    local newest_at -- the moment of the newest entry; nil: there is none
    local last_at, last_total -- of the last entry in the list
    local expired -- entries at the head of the list that no longer count
    local existed -- there is a list
    local pushed, joined -- the newest entry is not in the list; or is, and has changed
    local changed
    local cost
    local allowed, reset_after

    -- A moment or a total, or nil.
    local function number_of(text)
        local number = text and match(text, '^%d+$') and tonumber(text)
        return number and number < EXACT and number or nil
    end

    -- The element of the list at `index`, from 0.
    local function element(index)
        return number_of(head[index + 1] or call('LINDEX', key, index))
    end

    -- What was spent after `from`, up to and with `to`.
    local function difference(from, to)
        return to < from and to - from + EXACT or to - from
    end

    -- The first stored entry from `low` on that has `least` at its `side`, counted from `origin`; the last one where none
    -- before it has. nil: an element on the way is no number.
    local function first_with(low, side, origin, least)
        local high = stored
        while low < high do
            local near = 2 * low < HEAD -- in `head`: one after the other, for it costs nothing
            local middle = near and low or (low + high - (low + high) % 2) / 2
            local value = element(2 * middle - side)
            if not value then
                return nil
            end
            if difference(origin, value) >= least then
                high = middle
            else
                low = middle + 1
            end
        end
        return low
    end
    local MOMENT, TOTAL = 1, 0

    -- The list no longer says anything; what is used, if anything is, came at `at`.
    local function replace(count, at)
        base, total, used = 0, count, count
        newest_at = at
        stored, expired, changed = 0, 0, true
    end

    -- Whether the list is a log, as far as was looked.
    local function advance()
        if newest_at - now > window_us then
            replace(used, now) -- the clock was set back
        elseif now - newest_at >= window_us then
            replace(0, nil)
        else
            local first = first_with(1, MOMENT, 0, now - window_us + 1)
            if first and first > 1 then
                expired, changed = first - 1, true
                base = element(2 * expired)
                used = base and difference(base, total)
            end
            return first and used and used >= stored - expired
        end
        return true
    end

    local function fits()
        allowed = cost == 0 or cost <= requests - used
        return allowed
    end

    local function load(key_of_request, _, cost_of_request)
        key, cost = key_of_request, cost_of_request
        changed, pushed, joined = false, false, false
        stored, expired, base, total, used, newest_at = 0, 0, 0, 0, 0, nil
        head = pcall('LRANGE', key, 0, HEAD - 1)
        local length, tail = #head, head
        existed = length > 0
        if not existed then
            if head.err then
                return unreadable(head, 'LRANGE', key, 0, HEAD - 1)
            end
            return fits()
        end
        if length == HEAD then
            length, tail = call('LLEN', key), call('LRANGE', key, -2, -1)
        end
        stored = (length - 1) / 2
        base, total, newest_at = number_of(head[1]), number_of(tail[#tail]), number_of(tail[#tail - 1])
        last_at, last_total = newest_at, total
        if length % 2 == 0 or stored < 1 or stored > ENTRIES_MAX or not (base and total and newest_at) then
            return nil
        end
        used = difference(base, total)
        if used < stored or not advance() then
            return nil
        end
        return fits()
    end

    local function spend()
        if not newest_at or (newest_at < tick_began and stored - expired < ENTRIES_MAX) then
            pushed = true
        else
            joined = true
        end
        if not newest_at or newest_at < now then
            newest_at = now
        end
        -- A sum above 2^53 would lose its last digit, so the difference comes first.
        total = total < EXACT - cost and total + cost or total - (EXACT - cost)
        used, changed = used + cost, true
    end

    -- When `count` requests of the log have expired.
    local function expired_at_us(count)
        local at = newest_at
        if stored > 0 then
            local index = first_with(expired + 1, TOTAL, base, count)
            if index and index < stored then
                at = element(2 * index - MOMENT)
            elseif index and pushed and difference(base, last_total) >= count then
                at = last_at
            end
            if not at or at > newest_at or at <= now - window_us then
                at = newest_at -- nobody's log
            end
        end
        return at + window_us
    end

    local function settle(spends)
        if spends then
            spend()
        end
        local remaining = requests - used
        local retry_after = 0
        reset_after = newest_at and newest_at + window_us - now or 0
        if not allowed then
            retry_after = cost > requests and -1 or expired_at_us(cost - remaining) - now
        end
        if remaining < 0 then
            remaining = 0 -- spent under a larger limit
        end
        return allowed, remaining, retry_after, reset_after
    end

    local function save()
        if not changed then
            return
        end
        if reset_after == 0 then
            call('DEL', key)
            return
        end
        if stored == 0 then
            if existed then
                call('DEL', key)
            end
            call('RPUSH', key, base, newest_at, total)
        else
            if expired > 0 then
                call('LTRIM', key, 2 * expired, -1)
            end
            if pushed then
                call('RPUSH', key, newest_at, total)
            elseif joined then
                call('LSET', key, -1, total)
                if newest_at ~= last_at then
                    call('LSET', key, -2, newest_at)
                end
            end
        end
        call('PEXPIRE', key, ttl(reset_after))
    end

    return { load = load, settle = settle, fits = fits, save = save }
end
