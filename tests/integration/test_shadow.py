"""A rule with "shadow": true: it decides and counts, and refuses nothing."""
import json

import pytest

from rules import bucket, rules_of
from waiting import wait_for

TRUSTING = {"TRUSTED_PROXIES": "127.0.0.0/8"}
PENALTY = {"after": 1, "within": "1h", "for": "1h"}


def shadow(capacity, **more):
    return bucket(capacity, shadow=True, **more)


def check(service, **fields):
    return service.post("/v1/check", body=json.dumps({"rule": "default", "client": "a", **fields}).encode())


def test_it_refuses_nothing_and_tells_a_trusted_peer_what_it_would_have_refused(serve, store):
    service = serve(store, rules_of(shadow(2)), env=TRUSTING)
    for path in ("/api/data", "/check", "/check:deny=403"):
        answers = [service.get(path, {"X-Forwarded-For": f"192.0.2.{len(path)}"}) for _ in range(4)]
        assert [answer.status for answer in answers] == [200] * 4
        assert [answer.get("X-RateLimit-Shadow") for answer in answers] == [None] * 2 + ["refused"] * 2
        assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0", "0"]
        assert all("Retry-After" not in answer for answer in answers)


def test_nobody_else_is_told(serve, store):
    service = serve(store, rules_of(shadow(1)), env={"TRUSTED_PROXIES": "192.0.2.1"})
    answers = [service.get(path) for path in ("/api/data", "/check")]
    assert [(answer.status, answer.get("X-RateLimit-Shadow")) for answer in answers] == [(200, None)] * 2
    assert answers[1]["X-RateLimit-Remaining"] == "0"


def test_the_json_api_says_so(serve, store):
    service = serve(store, rules_of(shadow(1)))
    assert "shadow" not in check(service).json()
    answer = check(service)
    assert (answer.status, answer.json()["allowed"], answer.json()["shadow"]) == (200, True, "refused")
    assert answer.json()["retry_after_ms"] > 0, "the numbers are those of the decision"
    batch = {"checks": [{"rule": "default", "client": "a"}]}
    (result,) = service.post("/v1/check/batch", body=json.dumps(batch).encode()).json()["results"]
    assert (result["status"], result["allowed"], result["shadow"]) == (200, True, "refused")


def test_envoy_is_told_that_it_is_ok(serve, store):
    service = serve(store, {"shop.user": shadow(1)})
    asked = json.dumps({"domain": "shop", "descriptors": [{"entries": [{"key": "user", "value": "u"}]}]}).encode()
    answers = [service.post("/json", body=asked) for _ in range(3)]
    assert [(answer.status, answer.json()["overallCode"]) for answer in answers] == [(200, "OK")] * 3


def test_a_penalised_client_and_a_blocked_one_pass(serve, store):
    service = serve(store, rules_of(shadow(1, penalty=PENALTY, clients={"b": "blocked"})), admin="127.0.0.1:0")
    answers = [check(service).json() for _ in range(4)]
    assert [answer["allowed"] for answer in answers] == [True] * 4
    assert ["penalty_ms" in answer for answer in answers] == [False, False, True, True]
    assert answers[3]["shadow"] == "refused"
    answer = check(service, client="b")
    assert (answer.status, answer.json()["allowed"], answer.json()["shadow"]) == (200, True, "blocked")
    assert "blocked" not in answer.json() and "unlimited" not in answer.json()
    (rule,) = service.admin("GET", "/v1/clients/client=b").json()["rules"]
    assert rule["blocked"], "what the rule says of the client"


@pytest.mark.parametrize("mode", ["closed", "open", "local"])
def test_nothing_is_answered_503_while_redis_is_away(serve, redis, mode):
    service = serve(redis.url, rules_of(shadow(1, on_store_failure=mode)), env=TRUSTING, workers=1)
    assert service.get("/").status == 200
    redis.kill()
    wait_for(lambda: service.health()["status"] == "degraded", "it knows that Redis is away")
    answers = [service.get("/api/data") for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert answers[2].get("X-RateLimit-Shadow") == {"closed": "unavailable", "open": None, "local": "refused"}[mode]
    assert answers[2]["X-RateLimit-Degraded"] == mode
    assert service.get("/ready").status == 200 and service.get("/ready").json()["unavailable"] == []
