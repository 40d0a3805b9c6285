-- http-request lua.ratelimit URL open|closed
--
-- Asks ratelimitd's forward auth at URL about this request. 200 lets it pass, and leaves RateLimit and
-- RateLimit-Policy in txn.ratelimit and txn.ratelimit_policy for the answer. Any other answer goes to the
-- client as it came. No answer at all, or none expected because the backend `ratelimitd` is down: `open` lets
-- pass, `closed` answers 503.

local timeout_ms = 250

-- Between two neighbours, or about the body, which stays here.
local left_behind = {
    ["connection"] = true, ["keep-alive"] = true, ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true,
    ["transfer-encoding"] = true, ["upgrade"] = true, ["content-length"] = true, ["expect"] = true,
    -- Ours to say, not the client's.
    ["x-original-method"] = true, ["x-original-uri"] = true, ["x-original-url"] = true,
    -- Never read, unless a rule identifies by header:Cookie: then delete this line.
    ["cookie"] = true,
}

local function question(txn)
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not left_behind[name] then
            headers[name] = {}
            for i = 0, #values do
                table.insert(headers[name], values[i])
            end
        end
    end
    headers["x-forwarded-method"] = { txn.sf:method() }
    headers["x-forwarded-uri"] = { txn.sf:pathq() }
    headers["x-forwarded-host"] = { txn.sf:req_fhdr("host") }
    headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
    headers["x-forwarded-for"] = { txn.sf:src() }
    return headers
end

local function first(answer, name)
    local values = answer.headers[name]
    return values and values[0]
end

local function refuse(txn, answer)
    local reply = txn:reply { status = answer.status, body = answer.body }
    for name, values in pairs(answer.headers) do
        if not left_behind[name] then
            for i = 0, #values do
                reply:add_header(name, values[i])
            end
        end
    end
    txn:done(reply)
end

local function unavailable(txn)
    local reply = txn:reply {
        status = 503,
        body = '{"detail": "The rate limiter is unavailable.", "type": "https://iana.org/assignments/http-problem-types'
            .. '#temporary-reduced-capacity", "title": "Service Unavailable", "status": 503}\n',
    }
    reply:add_header("Content-Type", "application/problem+json")
    reply:add_header("Retry-After", "1")
    reply:add_header("Cache-Control", "no-store")
    txn:done(reply)
end

local function ratelimit(txn, url, mode)
    local answer
    if txn.f:nbsrv("ratelimitd") > 0 then
        answer = core.httpclient():get { url = url, headers = question(txn), timeout = timeout_ms }
    end
    -- ratelimitd names a Date; what HAProxy makes up where nobody answered does not.
    if not answer or not answer.headers or not first(answer, "date") then
        if mode ~= "open" then
            unavailable(txn)
        end
    elseif answer.status == 200 then
        txn:set_var("txn.ratelimit", first(answer, "ratelimit"))
        txn:set_var("txn.ratelimit_policy", first(answer, "ratelimit-policy"))
    else
        refuse(txn, answer)
    end
end

core.register_action("ratelimit", { "http-req" }, ratelimit, 2)
