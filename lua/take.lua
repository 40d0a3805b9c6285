-- take: decides a batch of requests, each with one or more limits, at one moment of Redis' clock.
--
-- KEYS  for each request in turn, one key a limit: rl:{client}:rule:index
-- ARGV  the number of rules in this batch, then
--       a rule     the number of its limits, then for each limit: the name of its algorithm, limit, a, b
--                    token_bucket  a = units_per_token, b = units_per_us
--                    the windows   a = window_us,       b = tick_us
--       requests   rule (its number among those above, from 1), cost, count, and how many requests in a row are so
--                    count: so many equal requests, decided one after the other, as if each had come alone
--
-- Reply: one string of decimal integers with a space between them. For each request its decisions in order,
-- equal ones in a row written once:
--       n, then for each limit: allowed (0 or 1), remaining, retry_after (-1: never), reset_after
-- where n is how many of its `count` requests got this decision. An n of 0 and nothing after it: a key of
-- this request holds what is not a state of ours; nothing was spent on it.
--
-- Durations in microseconds. All limits of a request allow it, or nothing is spent on any.

-- A script runs from its top at every call, and each function that it defines then takes a tenth of a
-- microsecond of Redis' one thread. So an algorithm is made when the first rule of the batch asks for it.
local makers = {
    token_bucket = token_bucket,
    sliding_window = sliding_window,
    sliding_window_counter = sliding_window_counter,
    fixed_window = fixed_window,
}
local algorithms = {}

local KEYS, ARGV = KEYS, ARGV
local reply, reply_count = {}, 0
local states = {} -- one a limit of the request at hand, used again by the next

local time = call('TIME')
local now = time[1] * 1000000 + time[2]

-- Rules come first; returns them, and the place of the first argument behind them.
local function read_rules()
    local rules, place = {}, 2
    for r = 1, tonumber(ARGV[1]) do
        local rule = { count = tonumber(ARGV[place]) }
        place = place + 1
        for i = 1, rule.count do
            local name = ARGV[place]
            local algorithm = algorithms[name] or makers[name]()
            algorithms[name] = algorithm
            local requests, a, b = ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
            local limit = algorithm.compile(tonumber(requests), tonumber(a), tonumber(b))
            limit.algorithm = algorithm
            rule[i] = limit
            states[i] = states[i] or {}
            place = place + 4
        end
        rules[r] = rule
    end
    return rules, place
end

local function load(rule, before)
    for i = 1, rule.count do
        local limit, state = rule[i], states[i]
        state.changed = false
        local key = KEYS[before + i]
        if not limit.algorithm.load(limit, state, key, now) then
            if not is_state(key) then
                return false
            end
            call('DEL', key)
            limit.algorithm.init(limit, state, now)
        end
        limit.algorithm.advance(limit, state, now)
    end
    return true
end

local function fits(rule, cost)
    local all = true
    for i = 1, rule.count do
        local limit, state = rule[i], states[i]
        state.allowed = limit.algorithm.fits(limit, state, now, cost)
        all = all and state.allowed
    end
    return all
end

-- Adds one group to the reply.
local allowed_form = format('1 %s 0 %s', whole, whole)
local refused_form = format('0 %s %s %s', whole, whole, whole)
local function report(rule, cost, alike)
    local n = reply_count + 1
    reply[n] = alike == 1 and '1' or alike
    for i = 1, rule.count do
        local limit, state = rule[i], states[i]
        local allowed = state.allowed
        local remaining, retry_after, reset_after = limit.algorithm.report(limit, state, now, cost, allowed)
        state.reset_after = reset_after
        n = n + 1
        reply[n] = allowed and format(allowed_form, remaining, reset_after)
            or format(refused_form, remaining, retry_after, reset_after)
    end
    reply_count = n
end

-- A key lives no longer than it means something; one whose quota is whole again means nothing. The TTL is made text here,
-- because Redis writes a number with 17 digits, slowly.
local function save(rule, before)
    for i = 1, rule.count do
        local state = states[i]
        if state.changed then
            if state.reset_after == 0 then
                call('DEL', KEYS[before + i])
            else
                rule[i].algorithm.save(state, KEYS[before + i], format(whole, divide_up(state.reset_after, 1000)))
            end
        end
    end
end

-- One request, `count` times; its keys are those behind the number `before`. Read once, decided in memory,
-- written once. What spends nothing, a peek or a refusal, changes nothing for the next: all that are left are
-- like it.
local function take(rule, before, cost, count)
    if not load(rule, before) then
        reply_count = reply_count + 1
        reply[reply_count] = '0'
        return
    end
    while count > 0 do
        local alike = count
        if fits(rule, cost) and cost > 0 then
            for i = 1, rule.count do
                rule[i].algorithm.spend(rule[i], states[i], now, cost)
            end
            alike = 1
        end
        report(rule, cost, alike)
        count = count - alike
    end
    save(rule, before)
end

local rules, place = read_rules()
local before = 0
while before < #KEYS do
    local rule = rules[tonumber(ARGV[place])]
    local cost, count = tonumber(ARGV[place + 1]), tonumber(ARGV[place + 2])
    for _ = 1, tonumber(ARGV[place + 3]) do
        take(rule, before, cost, count)
        before = before + rule.count
    end
    place = place + 4
end
return table.concat(reply, ' ')
