// Users who come and go: k6 run tests/load/k6.js
//
// From 5 users to 20 and back. Each asks every endpoint in turn, with a short pause after each turn. Each user is a
// client of its own, spends its own limits, and is refused then. docs/load-testing.md lists the settings.
import { address_of, ask, client_of, endpoints } from "./answers.js";
import { sleep } from "k6";

const SECONDS = Number(__ENV.SECONDS || 60);

export const options = {
    scenarios: {
        users: {
            executor: "ramping-vus",
            startVUs: 5,
            stages: [
                { duration: `${SECONDS / 4}s`, target: 5 },
                { duration: `${SECONDS / 4}s`, target: 20 },
                { duration: `${SECONDS / 4}s`, target: 20 },
                { duration: `${SECONDS / 4}s`, target: 5 },
            ],
            gracefulRampDown: "1s",
        },
    },
    thresholds: {
        checks: ["rate==1"], // every answer keeps the contract
        http_req_failed: ["rate==0"], // 429 is none: see answers.js
        http_req_duration: [`p(95)<${__ENV.P95_MS || 25}`],
        rate_limit_allowed: ["count>0"],
        rate_limit_refused: ["count>0"], // else nothing was limited
    },
};

export default function () {
    for (const endpoint of endpoints) {
        ask(endpoint, client_of(__VU), address_of(__VU));
    }
    sleep(0.05);
}
