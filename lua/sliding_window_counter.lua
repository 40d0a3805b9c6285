-- sliding_window_counter: two counts; the older one weighs as much as the sliding window overlaps it. Twin of
-- src/algorithm/sliding_window_counter.c. Kept as a string, "c window current previous".

local function sliding_window_counter()
    local function compile(requests, window_us, tick_us)
        return { limit = requests, window_us = window_us, tick_us = tick_us, ticks = window_us / tick_us }
    end

    -- In requests times ticks. Below 0 after the clock was set back.
    local function free_quota(limit, state, now)
        local elapsed_us = now - state.window * limit.window_us
        local elapsed = elapsed_us > 0 and (elapsed_us - elapsed_us % limit.tick_us) / limit.tick_us or 0
        return (limit.limit - state.current) * limit.ticks - state.previous * (limit.ticks - elapsed)
    end

    -- The first tick of a window at which `count` requests of the window before weigh no more than `room` of
    -- this one.
    local function first_tick_with_room(limit, count, room)
        if count <= room then
            return 0
        end
        local product = room * limit.ticks
        return limit.ticks - (product - product % count) / count
    end

    local function init(limit, state, now)
        state.window = (now - now % limit.window_us) / limit.window_us
        state.current = 0
        state.previous = 0
    end

    -- False where the key holds what is not a state of ours.
    local function load(limit, state, key, now)
        local stored = pcall('GET', key)
        if not stored then
            init(limit, state, now)
            return true
        end
        if type(stored) ~= 'string' then
            return false
        end
        local window, current, previous = match(stored, '^c (%d+) (%d+) (%d+)$')
        if not window then
            return false
        end
        state.window = tonumber(window)
        state.current = tonumber(current)
        state.previous = tonumber(previous)
        if state.current > limit.limit then
            state.current = limit.limit -- written under a larger limit
        end
        if state.previous > limit.limit then
            state.previous = limit.limit
        end
        return true
    end

    local function advance(limit, state, now)
        local window = (now - now % limit.window_us) / limit.window_us
        if window == state.window then
            return
        end
        if window > state.window then
            state.previous = window == state.window + 1 and state.current or 0
            state.current = 0
        elseif state.window - window == 1 and (state.current > 0 or state.previous > 0) then
            return -- the clock is waited for
        end
        state.window = window
        state.changed = true
    end

    local function fits(limit, state, now, cost)
        return cost == 0 or (cost <= limit.limit and cost * limit.ticks <= free_quota(limit, state, now))
    end

    local function spend(_, state, _, cost)
        state.current = state.current + cost
        state.changed = true
    end

    local function fits_at_us(limit, state, cost)
        local room = limit.limit - cost
        local start_us = state.window * limit.window_us
        if state.current <= room then
            local tick = first_tick_with_room(limit, state.previous, room - state.current)
            return start_us + tick * limit.tick_us
        end
        return start_us + limit.window_us + first_tick_with_room(limit, state.current, room) * limit.tick_us
    end

    -- Returns remaining, retry_after, reset_after.
    local function report(limit, state, now, cost, allowed)
        local unused = free_quota(limit, state, now)
        local remaining = unused > 0 and (unused - unused % limit.ticks) / limit.ticks or 0
        local reset_after = 0
        if state.current > 0 then
            reset_after = (state.window + 2) * limit.window_us - now
        elseif state.previous > 0 then
            reset_after = (state.window + 1) * limit.window_us - now
        end
        if allowed then
            return remaining, 0, reset_after
        end
        if cost > limit.limit then
            return remaining, -1, reset_after
        end
        return remaining, fits_at_us(limit, state, cost) - now, reset_after
    end

    local form = 'c' .. (' ' .. whole):rep(3)
    local function save(state, key, ttl_ms)
        call('PSETEX', key, ttl_ms, format(form, state.window, state.current, state.previous))
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
