-- sliding_window_counter: two counts; the older one is weighted by its overlap with the sliding window. Twin
-- of src/algorithm/sliding_window_counter.c. Kept as a string: the letter c, then window, current and
-- previous as doubles.

local function sliding_window_counter(requests, window_us, tick_us)
    local ticks = window_us / tick_us
    local window, current, previous
    local counted, counted_previous -- current and previous; all of the limit, if spent under a larger one
    local changed
    local cost
    local free_quota -- in requests times ticks. Below 0 after the clock was set back
    local allowed, reset_after

    local function fits()
        local elapsed_us = now - window * window_us
        local elapsed = elapsed_us > 0 and (elapsed_us - elapsed_us % tick_us) / tick_us or 0
        counted = current < requests and current or requests
        counted_previous = previous < requests and previous or requests
        free_quota = (requests - counted) * ticks - counted_previous * (ticks - elapsed)
        allowed = cost == 0 or (cost <= requests and cost * ticks <= free_quota)
        return allowed
    end

    local function load(key, stored, cost_of_request)
        local window_now = (now - now % window_us) / window_us
        cost, changed = cost_of_request, false
        stored = stored or pcall('GET', key)
        if not stored then
            window, current, previous = window_now, 0, 0
            return fits()
        end
        if #stored ~= 25 then
            return unreadable(stored, 'GET', key)
        end
        local letter
        letter, window, current, previous = read_packed('<Bddd', stored)
        if letter ~= 99 or window % 1 + current % 1 + previous % 1 ~= 0 or current < 0 or current >= EXACT
            or previous < 0 or previous >= EXACT or window >= EXACT then
            return nil
        end
        if window < window_now then
            previous = window == window_now - 1 and current or 0
            window, current, changed = window_now, 0, true
        elseif window > window_now and (window > window_now + 1 or (current == 0 and previous == 0)) then
            window, changed = window_now, true -- the clock was set back; if by one window, this one is kept
        end
        return fits()
    end

    -- The first tick of a window at which `count` requests of the window before weigh no more than `room` of
    -- this one.
    local function first_tick_with_room(count, room)
        if count <= room then
            return 0
        end
        local product = room * ticks
        return ticks - (product - product % count) / count
    end

    local function fits_at_us()
        local room = requests - cost
        local start_us = window * window_us
        if counted <= room then
            return start_us + first_tick_with_room(counted_previous, room - counted) * tick_us
        end
        return start_us + window_us + first_tick_with_room(counted, room) * tick_us
    end

    local function settle(spend)
        if spend then
            current, changed = current + cost, true
            free_quota = free_quota - cost * ticks
        end
        local remaining = free_quota > 0 and (free_quota - free_quota % ticks) / ticks or 0
        reset_after = 0
        if current > 0 then
            reset_after = (window + 2) * window_us - now
        elseif previous > 0 then
            reset_after = (window + 1) * window_us - now
        end
        if allowed then
            return true, remaining, 0, reset_after
        end
        if cost > requests then
            return false, remaining, -1, reset_after
        end
        return false, remaining, fits_at_us() - now, reset_after
    end

    local function save(key)
        if changed then
            write(key, pack('<Bddd', 99, window, current, previous), reset_after)
        end
    end

    return { load = load, settle = settle, fits = fits, save = save }
end
