-- The load, for wrk: GET requests, each of one of so many clients, told apart by the header user_id.
--
--     wrk ... -s load.lua URL -- CLIENTS random       the clients at random
--     wrk ... -s load.lua URL -- CLIENTS walk FIRST   one after the other, beginning with FIRST
--
-- The requests are made before the first one is sent, so that wrk spends the same on each, whoever answers.
-- The last line of its output is for bench/run: name=value, durations in microseconds.

local requests, clients = {}, 0

function init(args)
    clients = tonumber(args[1])
    for i = 1, clients do
        requests[i] = wrk.format('GET', wrk.path, { user_id = string.format('client-%06d', i) })
    end
    if args[2] == 'walk' then
        local client = tonumber(args[3])
        function request()
            client = client % clients + 1
            return requests[client]
        end
    end
end

function request()
    return requests[math.random(clients)]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format('requests=%d duration=%d p50=%d p99=%d max=%d not_2xx=%d failed=%d',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
