-- token_bucket: a bucket that fills up evenly, from which a request takes its cost. Twin of
-- src/algorithm/token_bucket.c. Kept as a string: the letter b, then missing and updated_us as doubles. What flows in
-- is computed when read, so a refusal writes nothing.

local function token_bucket(requests, units_per_token, units_per_us)
    local LONGEST_US = 366 * 86400 * 1000000 -- DURATION_MAX_US: no bucket takes longer to fill
    local full = requests * units_per_token
    local window_us = divide_up(full, units_per_us)
    local missing -- now
    local updated_us
    local changed
    local cost, price -- in tokens and in units
    local allowed, reset_after

    local function fits()
        allowed = cost == 0 or (price <= full - missing and cost <= requests)
        return allowed
    end

    local function load(key, stored, cost_of_request)
        cost, price = cost_of_request, cost_of_request * units_per_token
        changed = false
        stored = stored or pcall('GET', key)
        if not stored then
            missing, updated_us = 0, now
            return fits()
        end
        if #stored ~= 17 then
            return unreadable(stored, 'GET', key)
        end
        local letter
        letter, missing, updated_us = read_packed('<Bdd', stored)
        if letter ~= 98 or missing % 1 + updated_us % 1 ~= 0 or missing < 0 or missing >= EXACT or updated_us >= EXACT
            or missing > LONGEST_US * units_per_us then
            return nil
        end
        local elapsed_us = now - updated_us
        if elapsed_us > 0 then
            -- What flows in before all of it has is less than what is missing, and exact.
            missing = elapsed_us < divide_up(missing, units_per_us) and missing - elapsed_us * units_per_us or 0
            updated_us = now
            changed = missing == 0
        elseif elapsed_us < -window_us then
            updated_us, changed = now, true -- the clock was set back
        elseif missing == 0 then
            updated_us = now
        end
        return fits()
    end

    local function settle(spend)
        if spend then
            missing = missing + price
            changed = true
        end
        local level = full - missing
        local behind_us = updated_us > now and updated_us - now or 0
        local remaining = level > 0 and (level - level % units_per_token) / units_per_token or 0
        reset_after = missing > 0 and behind_us + divide_up(missing, units_per_us) or 0
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
            write(key, pack('<Bdd', 98, missing, updated_us), reset_after)
        end
    end

    return { load = load, settle = settle, fits = fits, save = save }
end
