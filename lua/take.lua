-- take: decides a batch of requests, each with one or more limits, and perhaps a penalty, at one moment of
-- Redis' clock.
--
-- KEYS  for each request in turn, one key per limit: rl:{client}:rule:index:state, then that of its penalty,
--       if its rule has one: rl:{client}:rule:p
-- ARGV  1 if a key may appear more than once in KEYS, else 0
--       the number of rules in this batch, then
--       a rule     the number of its keys, then for each limit: the name of its algorithm, limit, a, b
--                    token_bucket  a = units_per_token, b = units_per_us
--                    the windows   a = window_us,       b = tick_us
--                  then for its penalty, if it has one: `penalty`, after, within_us, for_us, growth, up_to_us
--       requests   rule (its index above, from 1), cost, count, and for how many requests in a row these
--                    hold. count: the number of equal requests, decided one by one as if each had come alone
--
-- Reply: one string of decimal integers, separated by spaces. For each request its decisions in order, equal
-- ones in a row written once:
--       n, then for each limit: allowed (0 or 1), remaining, retry_after (-1: never), reset_after
--       then, if its rule has a penalty: the rest of the penalty; 0: not penalised
-- where n is how many of its `count` requests got this decision. An n of 0, with nothing after it: a key of
-- this request does not hold a state of ours; nothing was spent on it.
--
-- Durations are in microseconds. If any limit of a request refuses it, or its client is penalised, nothing is
-- spent on any. The limits of a penalised request say what they would have said without the penalty.

local makers = {
    token_bucket = token_bucket,
    sliding_window = sliding_window,
    sliding_window_counter = sliding_window_counter,
    fixed_window = fixed_window,
}

local KEYS, ARGV = KEYS, ARGV
local place = 2 -- in ARGV

-- Returns the rules, and whether all their states are strings.
local function read_rules()
    local rules, strings = {}, true
    local rule_count = tonumber(ARGV[place])
    place = place + 1
    for r = 1, rule_count do
        local keys = tonumber(ARGV[place])
        local rule = { keys = keys, count = keys, penalty = false }
        place = place + 1
        for i = 1, keys do
            local name, a, b, c = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
            if name == 'penalty' then
                rule.count, rule.penalty = keys - 1, penalty(tonumber(a), tonumber(b), tonumber(c),
                    tonumber(ARGV[place + 4]), tonumber(ARGV[place + 5]))
                place = place + 6
            else
                rule[i] = makers[name](tonumber(a), tonumber(b), tonumber(c))
                strings = strings and name ~= 'sliding_window'
                place = place + 4
            end
        end
        rules[r] = rule
    end
    return rules, strings
end

local rules, strings = read_rules()

-- The values of the keys, as far as one MGET can tell, which is faster than many GETs: it gives nothing for a
-- key that does not exist or is not a string.
local stored = strings and ARGV[1] == '0' and #KEYS > 1 and call('MGET', unpack(KEYS)) or {}

local allowed_form = format('1 %s 0 %s', whole, whole)
local refused_form = format('0 %s %s %s', whole, whole, whole)
local reply, n = {}, 0
local before = 0 -- the keys of the current request follow this number

-- One request, `count` times: read once, decided in memory, written once. A peek or a refusal spends nothing,
-- so the decision holds for all that are left, except where a penalty counts them.
local function take(rule, cost, count)
    local limits, penalty, fit = rule.count, rule.penalty, true
    for i = 1, limits do
        local fits = rule[i].load(KEYS[before + i], stored[before + i], cost)
        if fits == nil then
            n = n + 1
            reply[n] = '0'
            return
        end
        fit = fit and fits
    end
    if penalty and not penalty.load(KEYS[before + limits + 1], stored[before + limits + 1]) then
        n = n + 1
        reply[n] = '0'
        return
    end
    while true do
        local spend = fit and cost > 0
        local alike = spend and 1 or count
        if penalty then
            spend, alike = penalty.decide(fit, cost, count)
        end
        n = n + 1
        reply[n] = alike == 1 and '1' or alike
        for i = 1, limits do
            local allowed, remaining, retry_after, reset_after = rule[i].settle(spend)
            n = n + 1
            reply[n] = allowed and format(allowed_form, remaining, reset_after)
                or format(refused_form, remaining, retry_after, reset_after)
        end
        if penalty then
            n = n + 1
            reply[n] = format(whole, penalty.rest())
        end
        count = count - alike
        if count == 0 then
            break
        end
        for i = 1, limits do
            fit = rule[i].fits() and fit
        end
    end
    for i = 1, limits do
        rule[i].save(KEYS[before + i])
    end
    if penalty then
        penalty.save(KEYS[before + limits + 1])
    end
end

while before < #KEYS do
    local rule = rules[tonumber(ARGV[place])]
    local cost, count = tonumber(ARGV[place + 1]), tonumber(ARGV[place + 2])
    for _ = 1, tonumber(ARGV[place + 3]) do
        take(rule, cost, count)
        before = before + rule.keys
    end
    place = place + 4
end
return table.concat(reply, ' ')
