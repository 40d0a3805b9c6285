-- sliding_window: a log of what passed, each entry forgotten exactly one window later. Twin of
-- src/algorithm/sliding_window.c. Kept as a list:
--
--      used   t1 c1   t2 c2   ...   tn cn          used = c1 + ... + cn;  t1 < t2 < ... < tn
--
-- Nothing is written before save. Entries that expired leave by one LTRIM that stops one element early: the
-- last expired count stays behind as the place of `used`. What a client spends in one moment is one entry.
-- Numbers given to a command are written with 17 digits, so these need no string.format.

local function sliding_window(requests, window_us)
    -- Elements read at once: the first time a few, for the oldest entry is seldom expired, and then more.
    local FIRST_READ = 9
    local NEXT_READ = 128

    local used
    local newest_at, newest_count -- the newest entry; nil: there is none
    local existed -- there is a list, of whatever
    local stored -- it still holds entries
    local expired -- entries at its head that no longer count
    local pushed -- the newest entry is not in it
    local elements, elements_from, element_count -- of the list, as far as they have been read
    local key
    local changed
    local cost
    local allowed, reset_after

    -- A moment or a count, or nil.
    local function number_of(text)
        local number = text and match(text, '^%d+$') and tonumber(text)
        return number and number < 9007199254740992 and number or nil
    end

    -- The entry at `index` of the list, from 0; nil behind the last one, and where it is not a pair of whole
    -- numbers.
    local function entry(index)
        local at = 1 + 2 * index - elements_from
        if at >= element_count then
            if not stored or element_count == 0 then
                return nil
            end
            elements_from = 1 + 2 * index
            elements = call('LRANGE', key, elements_from, elements_from + NEXT_READ - 1)
            element_count = #elements
            at = 0
        end
        return number_of(elements[at + 1]), number_of(elements[at + 2])
    end

    -- The list no longer says anything; what is used, if anything is, came at `at`.
    local function replace(count, at)
        used = count
        newest_at, newest_count = at, at and count
        stored, pushed, changed = false, at ~= nil, true
        element_count = 0
    end

    local function advance()
        if newest_at - now > window_us then
            replace(used, now) -- the clock was set back
            return
        end
        if now - newest_at >= window_us then
            replace(0, nil)
            return
        end
        local at, count = entry(expired)
        while at and count and now - at >= window_us do
            used = used - count
            expired = expired + 1
            changed = true
            at, count = entry(expired)
        end
    end

    local function fits()
        allowed = cost == 0 or cost <= requests - used
        return allowed
    end

    local function load(key_of_request, _, cost_of_request)
        key, cost = key_of_request, cost_of_request
        changed, pushed, stored = false, false, false
        used, expired, newest_at, newest_count = 0, 0, nil, nil
        elements = pcall('LRANGE', key, 0, FIRST_READ - 1)
        elements_from, element_count = 0, #elements
        existed = element_count > 0
        if not existed then
            if elements.err then
                return unreadable(elements, 'LRANGE', key, 0, FIRST_READ - 1)
            end
            return fits()
        end
        used = number_of(elements[1])
        local newest = elements
        if element_count == FIRST_READ then
            newest = call('LRANGE', key, -2, -1)
        end
        newest_at, newest_count = number_of(newest[#newest - 1]), number_of(newest[#newest])
        stored = true
        if element_count % 2 == 0 or element_count < 3 or not (used and newest_at and newest_count and entry(0)) then
            return nil
        end
        advance()
        return fits()
    end

    -- When `count` requests of the log have expired. What is not in the list yet came at newest_at.
    local function expired_at_us(count)
        local index = expired
        while count > 0 do
            local at, entry_count = entry(index)
            if not at or not entry_count then
                return newest_at + window_us
            end
            count = count - entry_count
            if count <= 0 then
                return at + window_us
            end
            index = index + 1
        end
    end

    local function settle(spend)
        if spend then
            if newest_at and newest_at >= now then
                newest_count = newest_count + cost
            else
                newest_at, newest_count, pushed = now, cost, true
            end
            used, changed = used + cost, true
        end
        local remaining = requests - used
        local retry_after = 0
        reset_after = newest_at and newest_at + window_us - now or 0
        if not allowed then
            retry_after = cost > requests and -1 or expired_at_us(cost - remaining) - now
        end
        if remaining < 0 then
            remaining = 0 -- written under a larger limit
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
        if not stored then
            if existed then
                call('DEL', key)
            end
            call('RPUSH', key, used, newest_at, newest_count)
        else
            if expired > 0 then
                call('LTRIM', key, 2 * expired, -1)
            end
            call('LSET', key, 0, used)
            if pushed then
                call('RPUSH', key, newest_at, newest_count)
            else
                call('LSET', key, -1, newest_count)
            end
        end
        call('PEXPIRE', key, ttl(reset_after))
    end

    return { load = load, settle = settle, fits = fits, save = save }
end
