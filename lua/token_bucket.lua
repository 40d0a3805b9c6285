-- token_bucket: a level that refills evenly, from which a request takes its cost. Twin of
-- src/algorithm/token_bucket.c. Kept as a string: the letter b, then level and updated_us as doubles. The
-- refill is computed when read, so a refusal writes nothing.

local function token_bucket(requests, units_per_token, units_per_us)
    local full = requests * units_per_token
    local window_us = divide_up(full, units_per_us)
    local level -- now
    local updated_us
    local changed
    local cost, price -- in tokens and in units
    local allowed, reset_after

    local function fits()
        allowed = price <= level and cost <= requests
        return allowed
    end

    local function load(key, stored, cost_of_request)
        cost, price = cost_of_request, cost_of_request * units_per_token
        changed = false
        stored = stored or pcall('GET', key)
        if not stored then
            level, updated_us = full, now
            return fits()
        end
        if #stored ~= 17 then
            return unreadable(stored, 'GET', key)
        end
        local letter
        letter, level, updated_us = read_packed('<Bdd', stored)
        if letter ~= 98 or level % 1 + updated_us % 1 ~= 0 or level < 0 or level >= EXACT or updated_us >= EXACT then
            return nil
        end
        local elapsed_us = now - updated_us
        if level >= full then
            level, updated_us = full, now -- written under a larger limit
        elseif elapsed_us > 0 then
            -- What is refilled within a window is less than 2^53 + units_per_us; a sum above `full` may lose
            -- its last digit, but not come out below it.
            level = elapsed_us < window_us and level + elapsed_us * units_per_us or full
            if level >= full then
                level, updated_us, changed = full, now, true
            end
        elseif elapsed_us < -window_us then
            updated_us, changed = now, true -- the clock was set back
        end
        return fits()
    end

    local function settle(spend)
        if spend then
            level = level - price
            if updated_us < now then
                updated_us = now
            end
            changed = true
        end
        local remaining = (level - level % units_per_token) / units_per_token
        local behind_us = updated_us > now and updated_us - now or 0
        reset_after = 0
        if level < full then
            reset_after = behind_us + divide_up(full - level, units_per_us)
        end
        if allowed then
            return true, remaining, 0, reset_after
        end
        if cost > requests then
            return false, remaining, -1, reset_after
        end
        return false, remaining, behind_us + divide_up(price - level, units_per_us), reset_after
    end

    local function save(key)
        if changed then
            write(key, pack('<Bdd', 98, level, updated_us), reset_after)
        end
    end

    return { load = load, settle = settle, fits = fits, save = save }
end
