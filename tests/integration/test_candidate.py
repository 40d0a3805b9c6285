"""A rule with a candidate: limits that are tried beside the live ones, and only counted."""
import json
import re

import pytest

from rules import bucket, rules_of, window
from test_reload import reload
from test_rule_counts import LOCAL, check, counts
from waiting import wait_for

TOKEN = "correct-horse-battery"


def tried(service, rule="default"):
    """The decisions of the candidate that were counted: allowed, refused, missed."""
    found = counts(service, rule)
    return tuple(found.get(f"candidate_{result}", 0) for result in ("allowed", "refused", "missed"))


def becomes(service, expected, rule="default"):
    """Nobody waits for a candidate, so it may be counted after the answer."""
    wait_for(lambda: tried(service, rule) == expected, f"the candidate has counted {expected}, not {tried(service, rule)}")


def test_what_it_would_refuse_is_counted_and_passes(serve, store):
    service = serve(store, rules_of(bucket(9, candidate={"capacity": 2})), admin=LOCAL)
    answers = [check(service) for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * 5
    assert [answer.json()["remaining"] for answer in answers] == [8, 7, 6, 5, 4]
    assert all("shadow" not in answer.json() and "candidate" not in answer.json() for answer in answers)
    becomes(service, (2, 3, 0))
    assert counts(service)["allowed"] == 5


def test_it_sees_refused_requests_and_costs_too(serve, store):
    service = serve(store, rules_of(bucket(1, candidate=window("fixed_window", 6, "30d"))), admin=LOCAL)
    assert [check(service).status for _ in range(3)] == [200, 429, 429]
    becomes(service, (3, 0, 0))
    assert check(service, cost=4).status == 429
    becomes(service, (3, 1, 0))
    assert check(service, cost=3).status == 429
    becomes(service, (4, 1, 0))


def test_it_is_not_asked_for_a_peek_nor_for_clients_that_differ(serve, store):
    clients = {"b": "blocked", "u": "unlimited", "o": {"capacity": 3}}
    service = serve(store, rules_of(bucket(9, candidate={"capacity": 1}, clients=clients)), admin=LOCAL)
    check(service, cost=0)
    for client in "buo":
        check(service, client=client)
    check(service)
    becomes(service, (1, 0, 0))


def test_every_way_of_asking_is_tried(serve, store):
    service = serve(store, {"default": bucket(9, identify_by=["global"], candidate={"limits": [bucket(2), bucket(3)]})},
                    admin=LOCAL)
    service.get("/api/data")
    service.get("/check")
    batch = {"checks": [{"rule": "default", "client": "a"}] * 4}
    service.post("/v1/check/batch", body=json.dumps(batch).encode())
    becomes(service, (4, 2, 0))


def test_a_reset_forgets_its_counts_too(serve, store):
    service = serve(store, rules_of(bucket(9, candidate={"capacity": 1})), admin=LOCAL, env={"ADMIN_TOKEN": TOKEN},
                    workers=1)
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    def seen():
        (rule,) = service.admin("GET", "/v1/rules", bearer).json()["rules"]
        return tuple(rule["counts"][f"candidate_{result}"] for result in ("allowed", "refused"))
    check(service)
    wait_for(lambda: seen() == (1, 0), "the first is counted")
    assert service.post("/v1/reset", bearer, b'{"rule": "default", "client": "a"}').status == 200
    check(service)
    wait_for(lambda: seen() == (2, 0), "it is as new")


def test_it_goes_live_with_counts_of_its_own(serve, store):
    service = serve(store, rules_of(bucket(9, candidate={"capacity": 2})), admin=LOCAL)
    assert [check(service).status for _ in range(3)] == [200] * 3
    becomes(service, (2, 1, 0))
    reload(service, rules_of(bucket(2)))
    assert "rules reloaded: 1 changed (default: capacity 9 -> 2, counted on, candidate removed)" in service.log()
    assert check(service).status == 429, "the live limit had counted three"
    reload(service, rules_of(bucket(2, candidate={"capacity": 3})))
    check(service)
    becomes(service, (3, 1, 0))


def test_nothing_waits_for_it_while_redis_is_away(serve, redis):
    service = serve(redis.url, rules_of(bucket(9, on_store_failure="local", candidate={"capacity": 1})), admin=LOCAL,
                    workers=1)
    check(service)
    becomes(service, (1, 0, 0))
    redis.kill()
    wait_for(lambda: service.health()["status"] == "degraded", "it knows that Redis is away")
    assert [check(service).status for _ in range(2)] == [200] * 2
    becomes(service, (1, 0, 2))


def test_its_keys_are_its_own(serve, redis):
    service = serve(redis.url, rules_of(bucket(9, candidate={"capacity": 2})), admin=LOCAL)
    check(service)
    becomes(service, (1, 0, 0))
    assert sorted(redis.keys()) == ["rl:{client=a}:default+candidate:0:b1h", "rl:{client=a}:default:0:b1h"]


@pytest.mark.parametrize("candidate", [{"capacity": 2}, {"limits": [bucket(2), window("sliding_window", 5, "1m")]}])
def test_the_admin_listener_shows_it(serve, candidate):
    service = serve(rules=rules_of(bucket(9, candidate=candidate), other=bucket(1)), admin=LOCAL)
    rules = service.admin("GET", "/v1/rules").json()["rules"]
    assert rules[0]["candidate"]["limits"][0] == {**rules[0]["limits"][0], "capacity": 2}
    assert len(rules[0]["candidate"]["limits"]) == len(candidate.get("limits", [1]))
    assert "candidate" not in rules[1]


def test_the_log_says_what_would_have_been_refused(serve, store):
    service = serve(store, rules_of(bucket(9, candidate={"capacity": 2}), shadow=bucket(1, shadow=True), quiet=bucket(1)),
                    admin=LOCAL)
    for rule in ("default", "shadow", "quiet"):
        for _ in range(5):
            check(service, rule)
    becomes(service, (2, 3, 0))
    service.stop()
    said = [message for message in service.messages() if message.startswith("rule ")]
    assert [re.sub(r"\d+ s$", "N s", message) for message in said] == [
        "rule default: candidate would have refused 3 of 5 requests in the last N s",
        "rule shadow: shadow would have refused 4 of 5 requests in the last N s"]


@pytest.mark.threads
def test_the_counts_are_read_while_workers_count(serve, store):
    service = serve(store, rules_of(bucket(100, candidate={"capacity": 50})), admin=LOCAL, workers=2)
    batch = json.dumps({"checks": [{"rule": "default", "client": "a"}] * 20}).encode()
    connections = [service.connect() for _ in range(8)]
    for round in range(10):
        for connection in connections:
            connection.send(b"POST /v1/check/batch HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % len(batch) + batch)
        reload(service, rules_of(bucket(100 + round, candidate={"capacity": 50})))
        tried(service)
        for connection in connections:
            assert connection.read_response().status == 200
    wait_for(lambda: sum(tried(service)) == 10 * 8 * 20, "every request is tried")
    found = counts(service)
    assert found["allowed"] + found["refused"] == 10 * 8 * 20
    assert tried(service)[0] == 50 or tried(service)[2] > 0
