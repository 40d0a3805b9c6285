// Capacity: k6 run -e RATE=2000 tests/load/capacity.js
//
// Requests arrive at a constant rate, whether or not the ones before were answered (an open model). A service that cannot
// keep up has a high latency and dropped_iterations, where a loop that waits for each answer would only slow down. There
// are many clients, so most requests are allowed.
import { address_of, ask, client_of, endpoints } from "./answers.js";

const RATE = Number(__ENV.RATE || 500);
const CLIENTS = Number(__ENV.CLIENTS || 10000);
const resource = endpoints.find((endpoint) => endpoint.path === "/api/resource");

export const options = {
    scenarios: {
        arrivals: {
            executor: "constant-arrival-rate",
            rate: RATE,
            timeUnit: "1s",
            duration: `${Number(__ENV.SECONDS || 60)}s`,
            preAllocatedVUs: 200,
            maxVUs: 1000,
        },
    },
    thresholds: {
        checks: ["rate==1"],
        http_req_failed: ["rate==0"],
        dropped_iterations: ["count==0"], // else k6 had no free user, and did not keep the rate
        http_req_duration: [`p(95)<${__ENV.P95_MS || 25}`, `p(99)<${__ENV.P99_MS || 100}`],
    },
    summaryTrendStats: ["avg", "min", "med", "p(95)", "p(99)", "max"],
};

export default function () {
    const number = Math.floor(Math.random() * CLIENTS);
    ask(resource, client_of(number), address_of(number));
}
