"""What POST /v1/reset does, and what it refuses."""
import json

import pytest

from api_requests import ENV, RULES, TOKEN, assert_mistake, check, one, post
from rules import bucket, rules_of
from waiting import wait_for


def test_a_reset_forgets_one_client_under_one_rule(serve, store):
    service = serve(store, RULES, env=ENV, workers=1)
    for client in ("u", "v"):
        for rule in ("few", "two"):
            assert [check(service, rule, client).status for _ in range(3)] == [200, 200, 429]
    response = post(service, "/v1/reset", one("few"), TOKEN)
    assert (response.status, response.json()) == (200, {"reset": True, "rule": "few"})
    assert [check(service, "few", "u").status for _ in range(3)] == [200, 200, 429], "full again"
    assert [check(service, "few", "v").status, check(service, "two", "u").status] == [429, 429], "nobody else's"
    assert post(service, "/v1/reset", one("two"), TOKEN).status == 200
    assert check(service, "two", "u").json()["limits"][0]["remaining"] == 8, "all of its limits"
    assert post(service, "/v1/reset", one("few", "never seen"), TOKEN).status == 200


def test_a_reset_finds_the_client_as_a_check_does(serve, store):
    service = serve(store, RULES, env=ENV, workers=1)
    ask = {"path": "/keyed", "method": "POST", "headers": {"X-API-Key": "k"}}
    assert [service.request("POST", "/check/keyed", {"X-API-Key": "k"}, b"").status for _ in range(3)] == [200, 200, 429]
    assert post(service, "/v1/reset", ask, TOKEN).json()["rule"] == "keyed"
    assert service.request("POST", "/check/keyed", {"X-API-Key": "k"}, b"").status == 200


def test_a_reset_is_seen_by_every_worker_within_a_second(serve, store):
    service = serve(store, RULES, env=ENV, workers=4)
    connections = [service.connect() for _ in range(16)]
    body = json.dumps(one("everyone", "u")).encode()
    while any(connection.post("/v1/check", body=body).status == 200 for connection in connections):
        pass
    assert post(service, "/v1/reset", one("everyone", "u"), TOKEN).status == 200
    wait_for(lambda: connections[0].post("/v1/check", body=body).status == 200, "the first worker has seen it", 5)


RESET_MISTAKES = [
    (b"", 400, None), ({}, 400, "rule"), (one("none"), 404, "rule"), ({"rule": "few"}, 400, "client"),
    (one(cost=1), 400, None), (one(client=""), 400, "client"), ([one()], 400, None),
]


@pytest.mark.parametrize("sent, status, field", RESET_MISTAKES, ids=[str(row[0]) for row in RESET_MISTAKES])
def test_a_mistake_in_a_reset_names_the_field(serve, sent, status, field):
    assert_mistake(post(serve(rules=RULES, env=ENV), "/v1/reset", sent, TOKEN), status, field)


def test_a_reset_without_its_store_is_503_whatever_the_failure_mode(serve, redis):
    rules = rules_of(bucket(2), open=bucket(2, on_store_failure="open"), local=bucket(2, on_store_failure="local"))
    service = serve(redis.url, rules, workers=1, env=ENV)
    redis.kill()
    for rule in rules:
        response = post(service, "/v1/reset", one(rule), TOKEN)
        assert (response.status, response["Retry-After"]) == (503, "1")
        assert response.json()["detail"] == "Rate limiter storage is unavailable."


def test_a_reset_that_redis_does_not_answer_is_503(serve, redis):
    service = serve(redis.url, RULES, workers=1, env={**ENV, "REDIS_TIMEOUT_MS": "100"})
    check(service)
    redis.freeze()
    assert post(service, "/v1/reset", one(), TOKEN).status == 503
    redis.thaw()
    wait_for(lambda: service.get("/health").json()["status"] == "ok", "Redis answers again")
    assert check(service).status == 200
