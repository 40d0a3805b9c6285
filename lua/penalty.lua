-- penalty: refuses a client that goes on asking after refusals. Twin of src/algorithm/penalty.c, whose header
-- says how it counts. Kept as a string: the letter p, then began_us, until_us, count and repetition as
-- doubles. It is written when refusals are counted or forgotten, and not while penalised.
--
-- A penalty has four functions, called for each request in this order:
--
--      load(key, stored)         begins a request: reads its state and advances it to now. nil: the key does not hold a
--                                state of a penalty
--      decide(fit, cost, count)  decides the next of `count` equal requests, whose cost fits the limits or does not. Returns
--                                whether it is spent, and how many of them get the same answer
--      rest()                    then, the rest of the penalty; 0: not penalised
--      save(key)                 ends the request: writes what has changed

local REPETITION_MAX = 45

local function penalty(after, within_us, for_us, growth, up_to_us)
    local began_us, until_us, count, repetition
    local changed

    -- Refusals that were counted say that the last penalty was over before them: until_us <= began_us.
    local function advance_count()
        if count > after then
            count = after -- counted under a larger number
        end
        if now - began_us >= within_us then
            count, changed = 0, true
        elseif began_us - now > within_us then
            began_us, changed = now, true -- the clock was set back
            if until_us > now then
                until_us = now
            end
        end
    end

    local function advance()
        if count > 0 then
            advance_count()
        end
        if until_us - now > up_to_us then
            until_us, changed = now + up_to_us, true
        end
        if until_us > 0 and now - until_us >= up_to_us then
            until_us, repetition, changed = 0, 0, true
        end
    end

    local function load(key, stored)
        changed = false
        stored = stored or pcall('GET', key)
        if not stored then
            began_us, until_us, count, repetition = 0, 0, 0, 0
            return true
        end
        if #stored ~= 33 then
            return unreadable(stored, 'GET', key)
        end
        local letter
        letter, began_us, until_us, count, repetition = read_packed('<Bdddd', stored)
        if letter ~= 112 or began_us % 1 + until_us % 1 + count % 1 + repetition % 1 ~= 0 or began_us < 0
            or began_us >= EXACT or until_us < 0 or until_us >= EXACT or count < 0 or count >= EXACT or repetition < 0
            or repetition > REPETITION_MAX then
            return nil
        end
        advance()
        return true
    end

    local function rest()
        return count == 0 and until_us > now and until_us - now or 0
    end

    -- for_us * growth^repetition, as far as up_to_us.
    local function length()
        local us = for_us
        for _ = 1, repetition do
            if us >= up_to_us then
                break
            end
            us = us * growth
        end
        return us < up_to_us and us or up_to_us
    end

    -- Counts refusals: as many of `requests` as are answered alike, because all are borne or because the first of them begins
    -- a penalty. Returns how many those are.
    local function refuse(requests)
        changed = true
        if count == 0 then
            began_us = now
        end
        if count < after then
            local alike = requests < after - count and requests or after - count
            count = count + alike
            return alike
        end
        count, until_us = 0, now + length()
        if repetition < REPETITION_MAX then
            repetition = repetition + 1
        end
        return requests
    end

    local function decide(fit, cost, requests)
        if rest() > 0 then
            return false, requests
        end
        if not fit then
            return false, refuse(requests)
        end
        return cost > 0, cost > 0 and 1 or requests
    end

    local function save(key)
        if changed then
            local counted_us = count > 0 and began_us + within_us - now or 0
            local remembered_us = until_us > 0 and until_us + up_to_us - now or 0
            write(key, pack('<Bdddd', 112, began_us, until_us, count, repetition),
                counted_us > remembered_us and counted_us or remembered_us)
        end
    end

    return { load = load, decide = decide, rest = rest, save = save }
end
