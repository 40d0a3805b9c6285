-- The load, for wrk: requests of a number of clients, whose names are in the header user_id, and in the body
-- in the place of @CLIENT@. With a body it is a POST of JSON, without one a GET.
--
--     wrk ... -s load.lua URL -- CLIENTS BODY random       the clients at random
--     wrk ... -s load.lua URL -- CLIENTS BODY walk FIRST   one after the other, beginning with FIRST
--
-- The requests are made before the first one is sent, so that each costs wrk the same, whoever answers. The
-- last line of the output is for bench/harness.py: name=value, durations in microseconds.

local requests, clients = {}, 0

local function request_of(client, body)
    if body == '' then
        return wrk.format('GET', wrk.path, { user_id = client })
    end
    local headers = { user_id = client, ['Content-Type'] = 'application/json' }
    return wrk.format('POST', wrk.path, headers, (body:gsub('@CLIENT@', client)))
end

function init(args)
    clients = tonumber(args[1])
    for i = 1, clients do
        requests[i] = request_of(string.format('client-%06d', i), args[2])
    end
    if args[3] == 'walk' then
        local client = tonumber(args[4])
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
