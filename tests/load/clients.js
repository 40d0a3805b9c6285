// The clients of a run are the same for all users, and others than those of another run: k6 run tests/load/clients.js
//
// Sends nothing.
import { address_of, client_of, run } from "./answers.js";
import { check } from "k6";

export const options = {
    scenarios: { users: { executor: "per-vu-iterations", vus: 5, iterations: 1 } },
    thresholds: { checks: ["rate==1"] },
};

export function setup() {
    return { client: client_of(7), address: address_of(7) };
}

export default function (first) {
    check(first, {
        "every user has the same run": () => client_of(7) === first.client && address_of(7) === first.address,
        "a run has its own addresses": () => address_of(7) === `2001:db8:${(run % 65536).toString(16)}:7::1`,
        "a run has its own names": () => client_of(7).includes(`${run}`),
        "RUN sets the run": () => !__ENV.RUN || run === Number(__ENV.RUN),
        "clients differ": () => new Set([1, 2, 257, 65535].map(address_of)).size === 4,
    });
}
