-- sliding_window: a log of allowed requests, each forgotten exactly one window later. Twin of
-- src/algorithm/sliding_window.c. Kept as a list:
--
--      e0   e1   e2   ...   en          e: moment and total, as doubles;   n <= ENTRIES_MAX
--
-- A total is all that was spent, up to and with that entry, since the key was made. Entry 0 is the last one
-- that expired: what is used is the total of en less that of e0, and LTRIM alone lets entries expire. Totals
-- are modulo 2^53; what is used is below it, so a difference is never ambiguous.
--
-- The work of a decision is bounded, whatever the key holds: both ends of the list are read, and what lies
-- between is searched by halves, for the first entry that is not expired and for the one that a refused cost
-- waits for. A list whose length and ends are not those of such a log is not ours. One that is only wrong in
-- between gives wrong answers, but none out of range. Nothing is written before save.

local function sliding_window(requests, window_us, tick_us)
    local ENTRIES_MAX = 1024 -- SLIDING_WINDOW_ENTRIES
    local HEAD = 5 -- entries read at once: of a short list all of them, and seldom have more expired

    local tick_began = now - now % tick_us
    local key
    local head -- the first entries of the list
    local stored -- entries in the list, but for entry 0
    local base, total -- of entry 0 and of the newest
    local used -- their difference
    local newest_at -- the moment of the newest entry; nil: there is none
    local last_at, last_total -- of the last entry in the list
    local expired -- entries of the list that no longer count
    local existed -- there is a list
    local pushed, joined -- the newest entry is not in the list yet; is in it, but has changed
    local changed
    local cost
    local allowed, reset_after

    -- Moment and total of an element; nil: it is not an entry.
    local function entry_of(element)
        if not element or #element ~= 16 then
            return nil
        end
        local at, sum = read_packed('<dd', element)
        if at % 1 + sum % 1 ~= 0 or at < 0 or at >= EXACT or sum < 0 or sum >= EXACT then
            return nil
        end
        return at, sum
    end

    local function entry(index)
        return entry_of(head[index + 1] or call('LINDEX', key, index))
    end

    -- What was spent after the total `from`, up to and with the total `to`.
    local function difference(from, to)
        return to < from and to - from + EXACT or to - from
    end

    -- The first stored entry from `low` on with a moment of at least `moment` and at least `sum` spent after
    -- `base`; the last one where none before it is such. nil: what was looked at on the way is no entry.
    local function first_with(low, moment, sum)
        local high = stored
        while low < high do
            local middle = low < HEAD and low or (low + high - (low + high) % 2) / 2 -- one by one in `head`
            local at, sum_there = entry(middle)
            if not at then
                return nil
            end
            if at >= moment and difference(base, sum_there) >= sum then
                high = middle
            else
                low = middle + 1
            end
        end
        return low
    end

    -- Discards the list: `count` requests are used, all of them at `at`.
    local function replace(count, at)
        base, total, used = 0, count, count
        newest_at = at
        stored, expired, changed = 0, 0, true
    end

    -- Returns false if an element that was read shows that the list is not a log.
    local function advance()
        if newest_at - now > window_us then
            replace(used, now) -- the clock was set back
        elseif now - newest_at >= window_us then
            replace(0, nil)
        else
            local first = first_with(1, now - window_us + 1, 0)
            if not first then
                return false
            end
            if first > 1 then
                expired, changed = first - 1, true
                local _, sum = entry(expired)
                if not sum then
                    return false
                end
                base, used = sum, difference(sum, total)
            end
            return used >= stored - expired
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
        local length = #head
        existed = length > 0
        if not existed then
            if head.err then
                return unreadable(head, 'LRANGE', key, 0, HEAD - 1)
            end
            return fits()
        end
        local last = head[length]
        if length == HEAD then
            length, last = call('LLEN', key), call('LINDEX', key, -1)
        end
        stored = length - 1
        local _
        _, base = entry_of(head[1])
        last_at, last_total = entry_of(last)
        if stored < 1 or stored > ENTRIES_MAX or not base or not last_at then
            return nil
        end
        newest_at, total = last_at, last_total
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
            local index = first_with(expired + 1, 0, count)
            if index and index < stored then
                at = entry(index)
            elseif index and pushed and difference(base, last_total) >= count then
                at = last_at
            end
            if not at or at > newest_at or at <= now - window_us then
                at = newest_at -- not a valid log
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
        local newest = pack('<dd', newest_at, total)
        if stored == 0 then
            if existed then
                call('DEL', key)
            end
            call('RPUSH', key, pack('<dd', 0, base), newest)
        else
            if expired > 0 then
                call('LTRIM', key, expired, -1)
            end
            if pushed then
                call('RPUSH', key, newest)
            elseif joined then
                call('LSET', key, -1, newest)
            end
        end
        call('PEXPIRE', key, ttl(reset_after))
    end

    return { load = load, settle = settle, fits = fits, save = save }
end
