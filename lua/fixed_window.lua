-- fixed_window: a count that restarts with every window of the clock. Twin of
-- src/algorithm/fixed_window.c. Kept as a string: the letter f, then window and count as doubles.

local function fixed_window(requests, window_us)
    local window, count
    local changed
    local cost
    local allowed, reset_after

    local function fits()
        allowed = cost == 0 or cost <= requests - count
        return allowed
    end

    local function load(key, stored, cost_of_request)
        local window_now = (now - now % window_us) / window_us
        cost, changed = cost_of_request, false
        stored = stored or pcall('GET', key)
        if not stored then
            window, count = window_now, 0
            return fits()
        end
        if #stored ~= 17 then
            return unreadable(stored, 'GET', key)
        end
        local letter
        letter, window, count = read_packed('<Bdd', stored)
        if letter ~= 102 or window % 1 + count % 1 ~= 0 or count < 0 or count >= EXACT or window >= EXACT then
            return nil
        end
        if window < window_now then
            window, count, changed = window_now, 0, true
        elseif window > window_now and (window > window_now + 1 or count == 0) then
            window, changed = window_now, true -- the clock was set back; if by one window, this one is kept
        end
        return fits()
    end

    local function settle(spend)
        if spend then
            count, changed = count + cost, true
        end
        local until_next_us = (window + 1) * window_us - now
        local remaining = count < requests and requests - count or 0 -- more: spent under a larger limit
        reset_after = count == 0 and 0 or until_next_us
        if allowed then
            return true, remaining, 0, reset_after
        end
        return false, remaining, cost > requests and -1 or until_next_us, reset_after
    end

    local function save(key)
        if changed then
            write(key, pack('<Bdd', 102, window, count), reset_after)
        end
    end

    return { load = load, settle = settle, fits = fits, save = save }
end
