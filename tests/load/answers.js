// What every answer must look like, and the clients: shared by the scripts beside this file.
import { check } from "k6";
import { SharedArray } from "k6/data";
import http from "k6/http";
import { Counter } from "k6/metrics";

export const BASE_URL = __ENV.BASE_URL || "http://localhost:8000";

// The protected resources, each with the header that names its client, where a rule asks for one.
export const endpoints = [
    { method: "GET", path: "/", client_header: null },
    { method: "GET", path: "/limited-resource", client_header: "user_id" },
    { method: "POST", path: "/api/resource", client_header: "X-API-Key" },
    { method: "GET", path: "/api/data", client_header: null },
    { method: "POST", path: "/api/submit", client_header: null },
];

const allowed = new Counter("rate_limit_allowed");
const refused = new Counter("rate_limit_refused");
const unavailable = new Counter("rate_limit_unavailable");

// 429 is an expected answer of a rate limiter; 503 is a failed request.
http.setResponseCallback(http.expectedStatuses(200, 429));

const is_count = (text) => /^\d+$/.test(text || "");

const on_both = {
    "200 or 429": (response) => response.status === 200 || response.status === 429,
    "X-RateLimit-Limit": (response) => is_count(response.headers["X-Ratelimit-Limit"]),
    "X-RateLimit-Remaining is at most the limit": (response) =>
        is_count(response.headers["X-Ratelimit-Remaining"]) &&
        Number(response.headers["X-Ratelimit-Remaining"]) <= Number(response.headers["X-Ratelimit-Limit"]),
    "X-RateLimit-Reset is a time to come": (response) =>
        Number(response.headers["X-Ratelimit-Reset"]) > Date.now() / 1000 - 2,
    "RateLimit-Policy": (response) => /^"[^"]+";q=\d+/.test(response.headers["Ratelimit-Policy"]),
    "RateLimit": (response) => /^"[^"]+";r=\d+;t=\d+$/.test(response.headers["Ratelimit"]),
};

const on_200 = {
    "200: no Retry-After": (response) => !("Retry-After" in response.headers),
    "200: its body is JSON with a message": (response) => typeof response.json("message") === "string",
};

const on_429 = {
    "429: Retry-After is at least 1": (response) => Number(response.headers["Retry-After"]) >= 1,
    "429: its body is a problem": (response) =>
        response.headers["Content-Type"] === "application/problem+json" && response.json("status") === 429,
};

// Sends a request for this client, checks the answer, and counts it.
export function ask(endpoint, client, address) {
    const headers = { "X-Forwarded-For": address };
    if (endpoint.client_header) {
        headers[endpoint.client_header] = client;
    }
    const response = http.request(endpoint.method, BASE_URL + endpoint.path, null, {
        headers: headers,
        tags: { name: `${endpoint.method} ${endpoint.path}` },
    });
    check(response, on_both);
    if (response.status === 200) {
        allowed.add(1);
        check(response, on_200);
    } else if (response.status === 429) {
        refused.add(1);
        check(response, on_429);
    } else {
        unavailable.add(1);
    }
    return response;
}

// The number of the run, RUN or the second when it began. Each run has its own clients, whose limits are unused. This
// code runs once for each user; the function that fills a SharedArray runs once.
export const run = Number(new SharedArray("run", () => [__ENV.RUN || Math.floor(Date.now() / 1000)])[0]);

export function client_of(number) {
    return `load-${run}-${number}`;
}

const hextet = (number) => (number % 65536).toString(16);

// An IPv6 client is its /64: 65 536 clients in each of 65 536 runs, in the range set aside for documentation. A service
// that does not trust the peer sees only the peer's address, and refuses more.
export function address_of(number) {
    return `2001:db8:${hextet(run)}:${hextet(number)}::1`;
}
