"""What each rule has counted: GET /v1/rules."""
import json

import pytest

from rules import at, bucket, rules_of
from test_reload import reload
from waiting import wait_for

LOCAL = "127.0.0.1:0"
PENALTY = {"after": 1, "within": "1h", "for": "1h"}


def check(service, rule="default", **fields):
    return service.post("/v1/check", body=json.dumps({"rule": rule, "client": "a", **fields}).encode())


def counts(service, rule="default"):
    """Those above 0."""
    (shown,) = [shown for shown in service.admin("GET", "/v1/rules").json()["rules"] if shown["name"] == rule]
    return {name: count for name, count in shown["counts"].items() if name != "since" and count > 0}


def test_each_request_is_counted_in_one_result_of_its_rule(serve, store):
    service = serve(store, rules_of(bucket(2, penalty=PENALTY, clients={"b": "blocked", "c": "unlimited"}),
                                    other=at("/api/data", bucket(9))), admin=LOCAL)
    for connection in (service.connect() for _ in range(6)):  # whichever worker has it
        connection.post("/v1/check", body=b'{"rule": "default", "client": "a"}')
    check(service, client="b")
    check(service, client="c")
    service.get("/api/data")
    assert counts(service) == {"allowed": 3, "near_limit": 1, "refused": 1, "penalised": 3, "blocked": 1}
    assert counts(service, "other") == {"allowed": 1}


def test_a_peek_and_a_look_at_a_client_count_nothing(serve, store):
    service = serve(store, rules_of(bucket(2)), admin=LOCAL)
    check(service, cost=0)
    service.admin("GET", "/v1/clients/client=a")
    assert counts(service) == {}


def test_what_a_shadow_rule_would_have_refused_is_counted(serve, store):
    service = serve(store, rules_of(bucket(1, shadow=True, penalty=PENALTY, clients={"b": "blocked"})), admin=LOCAL)
    for client in "aaaab":
        check(service, client=client)
    assert counts(service) == {
        "allowed": 1, "near_limit": 1, "shadow_refused": 1, "shadow_penalised": 2, "shadow_blocked": 1}


@pytest.mark.parametrize("mode, result", [("closed", "unavailable"), ("open", "allowed"), ("local", "allowed")])
def test_what_a_failure_mode_decided_is_counted(serve, redis, mode, result):
    service = serve(redis.url, rules_of(bucket(9, on_store_failure=mode)), admin=LOCAL, workers=1)
    redis.kill()
    wait_for(lambda: service.health()["status"] == "degraded", "it knows that Redis is away")
    check(service)
    assert counts(service) == {f"degraded_{mode}": 1, result: 1}


def test_a_request_is_near_the_limit_where_less_than_a_fifth_of_one_remains(serve, store):
    many, few = ({"limit": limit, "window": "1d", "algorithm": "fixed_window"} for limit in (100, 10))
    service = serve(store, rules_of({"limits": [many, few]}), admin=LOCAL)
    for _ in range(8):
        check(service)
    assert counts(service) == {"allowed": 8}
    for _ in range(3):
        check(service)
    assert counts(service) == {"allowed": 10, "near_limit": 2, "refused": 1}


def test_a_reload_counts_on_by_the_name_of_the_rule(serve, store):
    service = serve(store, rules_of(bucket(3), other=bucket(3)), admin=LOCAL)
    since = {rule["name"]: rule["counts"]["since"] for rule in service.admin("GET", "/v1/rules").json()["rules"]}
    for rule in ("default", "other"):
        check(service, rule)
    reload(service, rules_of(bucket(4), new=bucket(1)))
    check(service)
    assert counts(service) == {"allowed": 2} and counts(service, "new") == {}
    shown = {rule["name"]: rule["counts"]["since"] for rule in service.admin("GET", "/v1/rules").json()["rules"]}
    assert shown["default"] == since["default"]
    reload(service, rules_of(bucket(4), other=bucket(3)))
    assert counts(service, "other") == {}, "it was gone"
