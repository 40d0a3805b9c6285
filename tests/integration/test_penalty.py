"""A rule with a penalty: a client that goes on asking after refusals is refused for longer."""
import json

import pytest

from rules import bucket, rules_of, window
from test_nodes import PATIENT, Load
from test_reload import reload
from waiting import wait_for

LONG = {"after": 3, "within": "1h", "for": "1h"}
TOKEN = "correct-horse-battery"


def is_penalised(response):
    return response.status == 429 and "penalty" in response.json()


def check(service, **fields):
    return service.post("/v1/check", body=json.dumps({"rule": "default", "client": "a", **fields}).encode())


def test_so_many_refusals_are_borne_and_the_next_is_penalised(serve, store):
    service = serve(store, rules_of(bucket(2, penalty=LONG)))
    responses = [service.get("/") for _ in range(7)]
    assert [response.status for response in responses] == [200] * 2 + [429] * 5
    assert [is_penalised(response) for response in responses] == [False] * 5 + [True] * 2
    assert responses[4].json().keys() == {"detail", "type", "title", "status", "violated-policies", "retry_after"}
    penalised = responses[5]
    # The bucket needs an hour and a token's time; the penalty an hour from now on. The larger one is told.
    assert 3590 <= penalised.json()["penalty"] <= 3600
    assert int(penalised["Retry-After"]) >= penalised.json()["penalty"]
    assert penalised["X-RateLimit-Remaining"] == "0"


def test_it_ends_and_the_next_one_is_longer(serve, store):
    penalty = {"after": 1, "within": "1h", "for": "200ms", "growth": 10, "up_to": "1h"}
    service = serve(store, rules_of(window("fixed_window", 1, "1ms", penalty=penalty)), env={"ADMIN_TOKEN": TOKEN})
    for most_ms in (200, 2000):
        assert "penalty_ms" not in check(service, cost=2).json()  # above the limit: refused whatever the time
        answer = check(service, cost=2)
        assert answer.status == 429
        assert most_ms / 10 < answer.json()["penalty_ms"] <= most_ms
        assert check(service, cost=0).status == 429, "a peek sees it"
        if most_ms == 200:
            wait_for(lambda: check(service, cost=0).status == 200, "it is over")


def test_a_peek_counts_nothing_and_other_clients_are_not_meant(serve, store):
    service = serve(store, rules_of(bucket(1, penalty=LONG)))
    assert check(service).status == 200
    assert [check(service, cost=0).json()["allowed"] for _ in range(20)] == [True] * 20
    answers = [check(service).json() for _ in range(4)]
    assert ["penalty_ms" in answer for answer in answers] == [False] * 3 + [True]
    assert check(service, client="b").status == 200
    penalised = check(service, cost=0).json()
    assert (penalised["allowed"], penalised["remaining"]) == (False, 0)
    assert penalised["retry_after_ms"] >= penalised["penalty_ms"] > 3500000


def test_a_batch_is_counted_one_by_one(serve, store):
    service = serve(store, rules_of(bucket(2, penalty=LONG)))
    checks = {"checks": [{"rule": "default", "client": "a"}] * 8}
    results = service.post("/v1/check/batch", body=json.dumps(checks).encode()).json()["results"]
    assert [result["status"] for result in results] == [200] * 2 + [429] * 6
    assert ["penalty_ms" in result for result in results] == [False] * 5 + [True] * 3


def test_a_reset_ends_it(serve, store):
    service = serve(store, rules_of(bucket(1, penalty=LONG)), env={"ADMIN_TOKEN": TOKEN}, workers=1)
    assert [check(service).status for _ in range(6)] == [200] + [429] * 5
    reset = service.post("/v1/reset", {"Authorization": f"Bearer {TOKEN}"}, b'{"rule": "default", "client": "a"}')
    assert reset.status == 200
    answers = [check(service) for _ in range(5)]
    assert [answer.status for answer in answers] == [200] + [429] * 4
    assert ["penalty_ms" in answer.json() for answer in answers] == [False] * 4 + [True], "the count began anew"


def test_proxies_and_envoy_are_told_so(serve, store):
    service = serve(store, rules_of(bucket(1, penalty=LONG)))
    assert [service.get("/check:deny=403").status for _ in range(4)] == [200] + [403] * 3
    penalised = service.get("/check:deny=403")
    assert (penalised.status, penalised.json()["penalty"] > 3500) == (403, True)
    ask = {"domain": "default", "descriptors": [{"entries": [{"key": "user", "value": "u"}]}]}
    answers = [service.post("/json", body=json.dumps(ask).encode()) for _ in range(5)]
    assert [answer.json()["overallCode"] for answer in answers] == ["OK"] + ["OVER_LIMIT"] * 4


def test_redis_keeps_it_under_one_key_more(serve, redis):
    service = serve(redis.url, rules_of(bucket(1, penalty={**LONG, "growth": 2, "up_to": "1d"})), workers=1)
    assert service.get("/").status == 200
    assert len(redis.command("KEYS", "*")) == 1, "nothing is kept of a client that was never refused"
    assert service.get("/").status == 429
    [key] = [key for key in redis.command("KEYS", "*") if key.endswith(":p")]
    assert key == "rl:{ip=127.0.0.1}:default:p"
    assert 3590000 < redis.command("PTTL", key) <= 3600000
    assert [is_penalised(service.get("/")) for _ in range(3)] == [False, False, True]
    assert 3600000 + 86390000 < redis.command("PTTL", key) <= 3600000 + 86400000


def test_penalised_requests_do_not_reach_redis(serve, redis):
    service = serve(redis.url, rules_of(bucket(1, penalty=LONG)), workers=1)
    assert service.statuses(5, "/") == [200] + [429] * 4

    def commands():
        return redis.command("INFO", "commandstats").split("cmdstat_evalsha:calls=")[1].split(",")[0]

    def refuses_by_itself():
        before = commands()
        return is_penalised(service.get("/")) and commands() == before

    wait_for(refuses_by_itself, "a refusal by the worker itself")


def test_a_foreign_key_is_left_alone(serve, redis):
    service = serve(redis.url, rules_of(bucket(1, penalty=LONG, on_store_failure="closed")), workers=1)
    assert redis.command("SET", "rl:{ip=127.0.0.1}:default:p", "hello") == "OK"
    assert service.get("/").status == 503
    assert redis.command("GET", "rl:{ip=127.0.0.1}:default:p") == "hello"
    assert redis.command("DEL", "rl:{ip=127.0.0.1}:default:p") == 1
    assert service.get("/").status == 200, "nothing had been spent"


def test_without_redis_the_mode_local_penalises_by_itself(serve, redis):
    service = serve(redis.url, rules_of(bucket(1, penalty=LONG, on_store_failure="local")), workers=1,
                    env={"REDIS_TIMEOUT_MS": "1000"})
    assert service.statuses(3, "/") == [200, 429, 429]
    redis.kill()
    wait_for(lambda: service.get("/health").json()["status"] == "degraded", "Redis is gone")
    local = [service.get("/") for _ in range(5)]
    assert [response.status for response in local] == [200] + [429] * 4
    assert [is_penalised(response) for response in local] == [False] * 4 + [True]
    assert local[4]["X-RateLimit-Degraded"] == "local"


@pytest.mark.threads
def test_eight_clients_over_two_nodes_are_borne_exactly_as_often(serve, redis):
    rules = rules_of(bucket(10, penalty={**LONG, "after": 50}))
    services = [serve(redis.url, rules, env=PATIENT) for _ in range(2)]
    load = Load(services, each=40)
    statuses = load.join()
    assert statuses.count(200) == 10
    assert len([response for response in load.responses if is_penalised(response)]) == 8 * 40 - 10 - 50


@pytest.mark.threads
def test_eight_clients_over_one_memory_are_borne_exactly_as_often(serve):
    service = serve(rules=rules_of(bucket(10, penalty={**LONG, "after": 50})), workers=4)
    load = Load([service], each=40)
    statuses = load.join()
    assert statuses.count(200) == 10
    assert len([response for response in load.responses if is_penalised(response)]) == 8 * 40 - 10 - 50


def test_the_admin_listener_shows_it(serve):
    penalty = {**LONG, "growth": 2, "up_to": "36h"}
    service = serve(rules=rules_of(bucket(1, penalty=penalty), other=bucket(1)), admin="127.0.0.1:0")
    rules = service.admin("GET", "/v1/rules").json()["rules"]
    assert rules[0]["penalty"] == penalty
    assert "penalty" not in rules[1]


def test_a_reload_counts_on_and_shortens_what_is_left(serve, store):
    service = serve(store, rules_of(bucket(1, penalty=LONG)), workers=1)
    assert [check(service).status for _ in range(3)] == [200, 429, 429]
    reload(service, rules_of(bucket(1, penalty={**LONG, "after": 2})))
    assert check(service).json()["penalty_ms"] > 3500000, "two were counted before"
    reload(service, rules_of(bucket(1, penalty={**LONG, "for": "1s"})))
    wait_for(lambda: check(service, cost=0).json().get("penalty_ms", 5000) <= 1000, "one second is left")
    reload(service, rules_of(bucket(1)))
    wait_for(lambda: check(service, cost=0).json()["allowed"], "no penalty, no refusal")


def test_a_client_with_limits_of_its_own_is_penalised_too(serve, store):
    rule = bucket(1, identify_by=["header:X-Key"], penalty=LONG,
                  clients={"gold": {"capacity": 3}, "free": "unlimited", "bad": "blocked"})
    service = serve(store, rules_of(rule))
    answers = [service.get("/", {"X-Key": "gold"}) for _ in range(7)]
    assert [answer.status for answer in answers] == [200] * 3 + [429] * 4
    assert [is_penalised(answer) for answer in answers] == [False] * 6 + [True]
    assert service.statuses(9, "/", {"X-Key": "free"}) == [200] * 9
    blocked = [service.get("/", {"X-Key": "bad"}) for _ in range(6)]
    assert [answer.status for answer in blocked] == [403] * 6
    assert not any("penalty" in answer.json() for answer in blocked)


def test_the_admin_listener_shows_who_is_penalised(serve, store):
    service = serve(store, rules_of(bucket(1, penalty=LONG)), admin="127.0.0.1:0", workers=1)
    assert service.statuses(5, "/") == [200] + [429] * 4
    [shown] = [rule for rule in service.admin("GET", "/v1/clients/ip=127.0.0.1").json()["rules"] if rule["rule"] == "default"]
    assert shown["limits"][0]["remaining"] == 0
    assert shown["penalty_ms"] > 3500000
