-- token_bucket: a level that refills evenly; a request takes its cost from it. Twin of
-- src/algorithm/token_bucket.c. Kept as a string, "b level updated_us". The refill is read, not written: a
-- refusal costs no write.

local function token_bucket()
    local function compile(requests, units_per_token, units_per_us)
        local full = requests * units_per_token
        return {
            limit = requests,
            units_per_token = units_per_token,
            units_per_us = units_per_us,
            full = full,
            window_us = divide_up(full, units_per_us),
        }
    end

    -- What is refilled within a window is less than 2^53 + units_per_us; a sum above `full` may lose its last digit,
    -- but not come out below it.
    local function level_at(limit, state, now)
        local elapsed_us = now - state.updated_us
        if elapsed_us <= 0 then
            return state.level
        end
        if elapsed_us >= limit.window_us then
            return limit.full
        end
        local level = state.level + elapsed_us * limit.units_per_us
        return level < limit.full and level or limit.full
    end

    local function init(limit, state, now)
        state.level = limit.full
        state.updated_us = now
        state.available = limit.full -- the level at `now`; all of a batch is
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
        local level, updated_us = match(stored, '^b (%d+) (%d+)$')
        if not level then
            return false
        end
        state.level = tonumber(level)
        state.updated_us = tonumber(updated_us)
        if state.level > limit.full then
            init(limit, state, now) -- written under a larger limit
        end
        return true
    end

    local function advance(limit, state, now)
        if state.updated_us - now > limit.window_us then
            state.updated_us = now
            state.changed = true
        end
        local level = level_at(limit, state, now)
        if level == limit.full and state.level < level then
            init(limit, state, now)
            state.changed = true
        end
        state.available = level
    end

    local function fits(limit, state, _, cost)
        return cost <= limit.limit and cost * limit.units_per_token <= state.available
    end

    local function spend(limit, state, now, cost)
        state.available = state.available - cost * limit.units_per_token
        state.level = state.available
        if state.updated_us < now then
            state.updated_us = now
        end
        state.changed = true
    end

    -- Returns remaining, retry_after, reset_after.
    local function report(limit, state, now, cost, allowed)
        local level = state.available
        local remaining = (level - level % limit.units_per_token) / limit.units_per_token
        local behind_us = state.updated_us > now and state.updated_us - now or 0
        local reset_after = 0
        if level < limit.full then
            reset_after = behind_us + divide_up(limit.full - level, limit.units_per_us)
        end
        if allowed then
            return remaining, 0, reset_after
        end
        if cost > limit.limit then
            return remaining, -1, reset_after
        end
        local missing = cost * limit.units_per_token - level
        return remaining, behind_us + divide_up(missing, limit.units_per_us), reset_after
    end

    local form = 'b' .. (' ' .. whole):rep(2)
    local function save(state, key, ttl_ms)
        call('PSETEX', key, ttl_ms, format(form, state.level, state.updated_us))
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
