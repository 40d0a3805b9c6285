"""
Many requests in one command, equal ones folded, refusals answered from memory: how few commands Redis sees, and that
every request is decided as if it had come alone.
"""
import json

import pytest

from crowd import Crowd, memory_bytes
from fault_proxy import Gate, late_by, start_proxy  # noqa: F401
from http_client import request_bytes
from rules import bucket, each_algorithm, rules_of, window
from waiting import Stopwatch, wait_for

PATIENT = {"REDIS_TIMEOUT_MS": "60000"}
LIMIT = 1000000
BY_USER = {"identify_by": ["header:user_id"]}


def takes_seen(redis):
    """How many commands of the script Redis has run."""
    for line in redis.command("INFO", "commandstats").splitlines():
        if line.startswith("cmdstat_evalsha:"):
            return int(line.split("calls=")[1].split(",")[0])
    return 0


def ask(connections, path="/", headers=lambda i: {}):
    for i, connection in enumerate(connections):
        connection.send(request_bytes("GET", path, headers(i)))


def answers_of(connections):
    return [connection.read_response() for connection in connections]


@pytest.fixture
def gated(serve, redis, start_proxy):  # noqa: F811
    """gated(rules): a service of one worker, and the proxy and the gate that its requests to Redis pass."""
    def start(rules):
        proxy, gate = start_proxy(redis.port), Gate()
        proxy.requests = gate
        service = serve(proxy.url, rules, workers=1, env=PATIENT)
        wait_for(lambda: service.health()["status"] == "ok", "it is connected")
        return service, proxy, gate
    return start


# Batches.

def test_a_single_request_is_sent_at_once(serve, redis):
    service = serve(redis.url, rules_of(window("fixed_window", LIMIT)), workers=1, env=PATIENT)
    clock = Stopwatch()
    assert service.statuses(200, "/") == [200] * 200
    assert clock.elapsed_s() < 10, "no timer is in the way: 200 of them would show"
    assert takes_seen(redis) == 200


def test_256_connections_on_one_key_need_at_most_one_command_for_16_requests(serve, redis, start_proxy):  # noqa: F811
    proxy = start_proxy(redis.port)
    service = serve(proxy.url, rules_of(window("fixed_window", LIMIT)), workers=2, env=PATIENT)
    connections = [service.connect() for _ in range(256)]
    wait_for(lambda: service.health()["status"] == "ok", "it is connected")
    proxy.replies = late_by(0.02)  # a Redis some distance away: round trips set the pace
    for _ in range(5):
        ask(connections)
        assert {response.status for response in answers_of(connections)} == {200}
    requests, commands = 5 * 256, len(proxy.takes())
    assert sum(count for count, _ in proxy.takes()) == requests
    assert {keys for _, keys in proxy.takes()} == {1}, "each is one entry"
    assert commands * 16 <= requests


def test_requests_for_different_keys_share_commands_under_load(gated):
    service, proxy, gate = gated(rules_of(window("fixed_window", LIMIT, **BY_USER)))
    gate.shut()
    connections = [service.connect() for _ in range(200)]
    ask(connections, headers=lambda i: {"user_id": f"u{i}"})
    service.catch_up()
    gate.open()
    assert {response["X-RateLimit-Remaining"] for response in answers_of(connections)} == {str(LIMIT - 1)}
    assert sum(keys for _, keys in proxy.takes()) == 200
    assert len(proxy.takes()) <= 20


@pytest.mark.parametrize("limits", [1, 8])
def test_a_batch_has_a_bounded_number_of_keys(gated, limits):
    rules = rules_of({"limits": [window("fixed_window", LIMIT - i) for i in range(limits)], **BY_USER})
    service, proxy, gate = gated(rules)
    gate.shut()
    connections = [service.connect() for _ in range(700)]
    ask(connections, headers=lambda i: {"user_id": f"u{i}"})
    service.catch_up()
    gate.open()
    assert [response.status for response in answers_of(connections)] == [200] * 700
    assert max(requests for requests, _ in proxy.takes()) <= 256
    assert 64 <= max(keys for _, keys in proxy.takes()) <= 256


def cpu_s(redis):
    lines = dict(line.split(":") for line in redis.command("INFO", "cpu").splitlines() if ":" in line)
    return float(lines["used_cpu_user"]) + float(lines["used_cpu_sys"])


@pytest.mark.parametrize("algorithm", each_algorithm(1))
def test_a_full_batch_blocks_redis_for_about_a_millisecond(gated, redis, algorithm):
    """Measured in CPU time, which a loaded machine distorts little. docs/redis.md has the figures of an idle one."""
    service, proxy, gate = gated(rules_of({**each_algorithm(1000)[algorithm], **BY_USER}))
    gate.shut()
    connections = [service.connect() for _ in range(640)]
    most = 25 if algorithm == "sliding_window" else 256  # by limit_work
    ask(connections, headers=lambda i: {"user_id": f"u{i}"})
    service.catch_up()
    gate.open()
    assert [response.status for response in answers_of(connections)] == [200] * 640
    full = max((words for words in proxy.commands() if words[0] == b"EVALSHA"), key=len)
    keys = int(full[2])
    assert most // 4 <= keys <= most
    before, times = cpu_s(redis), 200
    for _ in range(times):
        redis.command(*full)
    each_ms = (cpu_s(redis) - before) / times * 1000
    print(f"{algorithm}: {each_ms:.2f} ms for a batch of {keys} keys")
    assert each_ms * most / keys < 5


# Folding.

@pytest.mark.parametrize("algorithm", each_algorithm(1))
def test_folded_requests_are_decided_in_order_of_arrival(gated, algorithm):
    limit, size = 40, 60
    service, proxy, gate = gated(rules_of(each_algorithm(limit)[algorithm]))
    gate.shut()
    connections = []
    for _ in range(size):
        connections.append(service.connect())
        connections[-1].send(request_bytes("GET", "/"))
        service.catch_up()
    gate.open()
    responses = answers_of(connections)
    assert [response.status for response in responses] == [200] * limit + [429] * (size - limit)
    assert [int(response["X-RateLimit-Remaining"]) for response in responses] == \
        [*range(limit - 1, -1, -1)] + [0] * (size - limit)
    takes = proxy.takes()
    assert sum(requests for requests, _ in takes) == size
    assert len(takes) <= 4 and max(requests for requests, _ in takes) >= size // 2, "folded"


@pytest.mark.threads
@pytest.mark.parametrize("algorithm", each_algorithm(1))
def test_concurrent_requests_get_exactly_the_limit(serve, redis, algorithm):
    """With several keys and workers, whatever is folded."""
    service = serve(redis.url, rules_of({**each_algorithm(150)[algorithm], **BY_USER}), workers=2, env=PATIENT)
    with Crowd(service, 24, headers=lambda client, request: {"user_id": f"u{request % 3}"}) as crowd:
        crowd.hears(lambda answer: answer.status == 429, 300)
    assert sum(answer.status == 200 for answer in crowd.history) == 3 * 150


def test_a_request_abandoned_before_it_is_sent_is_not_counted(gated):
    service, proxy, gate = gated(rules_of(window("fixed_window", 100)))
    gate.shut()
    connections = [service.connect() for _ in range(20)]
    ask(connections)
    service.catch_up()
    for connection in connections[10:]:
        connection.close()
    assert service.get("/health").status == 200
    gate.open()
    remaining = [int(response["X-RateLimit-Remaining"]) for response in answers_of(connections[:10])]
    assert len(set(remaining)) == 10, "each has got its own"
    assert min(remaining) >= 100 - 20


# Many checks in one request.

EIGHT_WINDOWS = {"limits": [window("sliding_window", LIMIT - i) for i in range(8)]}


def batch_bytes(clients, **more):
    checks = [{"rule": "default", "client": client, **more} for client in clients]
    return request_bytes("POST", "/v1/check/batch", body=json.dumps({"checks": checks}).encode())


def results_of(connection):
    return connection.read_response().json()["results"]


@pytest.mark.parametrize("mode", ["closed", "open"])
def test_a_thousand_checks_of_the_most_expensive_rule_are_all_decided(serve, redis, mode):
    rules = rules_of({**EIGHT_WINDOWS, "on_store_failure": mode})
    service = serve(redis.url, rules, workers=1, env={"REDIS_TIMEOUT_MS": "5000"})
    wait_for(lambda: service.health()["status"] == "ok", "it is connected")
    connection = service.connect()
    connection.send(batch_bytes(f"c{i}" for i in range(1000)))
    results = results_of(connection)
    assert [result["status"] for result in results] == [200] * 1000
    assert {result.get("degraded") for result in results} == {None}
    assert len(redis.keys()) == 8 * 1000


@pytest.mark.parametrize("algorithm", each_algorithm(1))
def test_checks_of_one_client_are_decided_in_order_over_all_turns(serve, redis, algorithm):
    limit = 300
    service = serve(redis.url, rules_of(each_algorithm(limit)[algorithm]), workers=1, env=PATIENT)
    wait_for(lambda: service.health()["status"] == "ok", "it is connected")
    connection = service.connect()
    connection.send(batch_bytes(f"{i}" if i % 2 else "one" for i in range(1000)))
    results = results_of(connection)[::2]
    assert [result["status"] for result in results] == [200] * limit + [429] * (500 - limit)
    assert [result["remaining"] for result in results] == [*range(limit - 1, -1, -1)] + [0] * (500 - limit)


def test_a_thousand_checks_do_not_delay_another_client(gated):
    service, proxy, gate = gated(rules_of(EIGHT_WINDOWS))
    gate.shut()
    greedy, modest = service.connect(), service.connect()
    greedy.send(batch_bytes(f"c{i}" for i in range(1000)))
    service.catch_up()
    modest.send(batch_bytes(["modest"]))
    service.catch_up()
    gate.open()
    assert results_of(modest)[0]["status"] == 200
    assert {result["status"] for result in results_of(greedy)} == {200}
    keys = [words[3:3 + int(words[2])] for words in proxy.commands() if words[0] == b"EVALSHA"]
    [place] = [i for i, names in enumerate(keys) if b"rl:{client=modest}:default:0:w30d" in names]
    assert place == 1, "it leaves while the first turn is under way"
    assert max(len(names) for names in keys) <= 256 // 3


def test_a_batch_of_checks_stops_after_a_turn_without_reply(serve, redis, start_proxy):  # noqa: F811
    proxy, gate = start_proxy(redis.port), Gate()
    proxy.requests = gate
    service = serve(proxy.url, rules_of({**EIGHT_WINDOWS, "on_store_failure": "open"}), workers=1,
                    env={"REDIS_TIMEOUT_MS": "200"})
    wait_for(lambda: service.health()["status"] == "ok", "it is connected")
    gate.shut()
    connection = service.connect()
    connection.send(batch_bytes(f"c{i}" for i in range(1000)))
    results = results_of(connection)
    gate.open()
    assert {(result["status"], result["degraded"]) for result in results} == {(200, "open")}
    assert len(proxy.takes()) == 1, "the other turns are answered at once"


# Refusals that need no Redis.

def test_a_flood_on_one_key_costs_one_command_a_second(serve, redis):
    service = serve(redis.url, rules_of(bucket(5)), workers=2, env=PATIENT)
    with Crowd(service, 16) as crowd:
        crowd.hears(lambda answer: answer.status == 429, 16)
        before, clock = takes_seen(redis), Stopwatch()
        wait_for(lambda: clock.elapsed_s() > 3, "three seconds of flood")
        seen, elapsed_s = takes_seen(redis) - before, clock.elapsed_s()
    assert len(crowd.history) > 200
    # When a refusal has just ended, every request before the next reply asks Redis: two commands, then one.
    assert seen <= 2 * 2 * (elapsed_s + 1)
    assert sum(answer.status == 200 for answer in crowd.history) == 5


# A limit of one, and how long after a request the next one passes at the latest.
ALONE = {"token_bucket": (bucket(1, 4), 0.25), "sliding_window": (window("sliding_window", 1, "300ms"), 0.3),
         "fixed_window": (window("fixed_window", 1, "300ms"), 0.3),
         "sliding_window_counter": (window("sliding_window_counter", 1, "300ms"), 0.6)}


@pytest.mark.parametrize("algorithm", ALONE)
def test_the_denial_cache_refuses_no_longer_than_redis(serve, redis, algorithm):
    rule, again_s = ALONE[algorithm]
    service = serve(redis.url, rules_of(rule), workers=1, env=PATIENT)
    connection, clock, passed, refused, may_pass_s = service.connect(), Stopwatch(), 0, 0, 0
    before = takes_seen(redis)
    while passed < 12:
        began_s = clock.elapsed_s()
        if connection.get("/").status == 200:
            passed, may_pass_s = passed + 1, clock.elapsed_s() + again_s
        else:
            refused += 1
            assert began_s < may_pass_s + 0.002, f"refused {began_s - may_pass_s:.4f} s too long"
    assert takes_seen(redis) - before < refused / 2, "most were refused from memory"


def test_a_reset_by_another_node_takes_effect_within_a_second(serve, redis):
    service = serve(redis.url, rules_of(bucket(1)), workers=2, env=PATIENT)
    assert service.statuses(20, "/") == [200] + [429] * 19
    redis.command("DEL", *redis.keys())
    clock = Stopwatch()
    wait_for(lambda: service.get("/").status == 200, "it is forgotten")
    assert clock.elapsed_s() < 1 + 1.5


def test_the_denial_cache_is_cleared_when_the_connection_is_lost(serve, redis):
    service = serve(redis.url, rules_of(bucket(1, on_store_failure="open")), workers=1, env=PATIENT)
    assert service.statuses(3, "/") == [200, 429, 429]
    redis.kill()
    wait_for(lambda: service.get("/").get("X-RateLimit-Degraded") == "open", "the failure mode decides")


def test_the_denial_cache_keeps_clients_and_rules_apart(serve, redis):
    rules = rules_of(bucket(1, **BY_USER), data={"match": {"path": "/api/data"}, **bucket(1, **BY_USER)})
    service = serve(redis.url, rules, workers=1, env=PATIENT)
    for user in ("a", "b"):
        for path in ("/", "/api/data"):
            assert service.statuses(3, path, {"user_id": user}) == [200, 429, 429], (user, path)


def test_the_denial_cache_takes_bounded_memory(serve, redis):
    service = serve(redis.url, rules_of(bucket(1, **BY_USER)), workers=1,
                    env={**PATIENT, "ASAN_OPTIONS": "quarantine_size_mb=1:malloc_context_size=2"})

    def flood(first, count):
        for start in range(first, first + count, 500):
            requests = [request_bytes("GET", "/", {"user_id": f"u{i}"}) for i in range(start, start + 500) for _ in "ab"]
            statuses = [response.status for response in service.connect().pipeline(requests)]
            assert statuses == [200, 429] * 500
        return memory_bytes(service)
    before = flood(0, 5000)
    assert flood(5000, 7500) < before + 4 * 1024 * 1024
