-- fixed_window: a count that starts anew with every window on the clock. Twin of
-- src/algorithm/fixed_window.c. Kept as a string, "f window count".

local function fixed_window()
    local function compile(requests, window_us)
        return { limit = requests, window_us = window_us }
    end

    local function init(limit, state, now)
        state.window = (now - now % limit.window_us) / limit.window_us
        state.count = 0
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
        local window, count = match(stored, '^f (%d+) (%d+)$')
        if not window then
            return false
        end
        state.window = tonumber(window)
        state.count = tonumber(count)
        if state.count > limit.limit then
            state.count = limit.limit -- written under a larger limit
        end
        return true
    end

    local function advance(limit, state, now)
        local window = (now - now % limit.window_us) / limit.window_us
        if window == state.window then
            return
        end
        if window > state.window then
            state.count = 0
        elseif state.window - window == 1 and state.count > 0 then
            return -- the clock is waited for
        end
        state.window = window
        state.changed = true
    end

    local function fits(limit, state, _, cost)
        return cost <= limit.limit - state.count
    end

    local function spend(_, state, _, cost)
        state.count = state.count + cost
        state.changed = true
    end

    -- Returns remaining, retry_after, reset_after.
    local function report(limit, state, now, cost, allowed)
        local until_next_us = (state.window + 1) * limit.window_us - now
        local reset_after = state.count == 0 and 0 or until_next_us
        if allowed then
            return limit.limit - state.count, 0, reset_after
        end
        return limit.limit - state.count, cost > limit.limit and -1 or until_next_us, reset_after
    end

    local form = 'f' .. (' ' .. whole):rep(2)
    local function save(state, key, ttl_ms)
        call('PSETEX', key, ttl_ms, format(form, state.window, state.count))
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
