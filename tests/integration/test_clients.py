"""Clients that differ: limits of their own, unlimited and blocked ones, by name, address and network, in each store."""
import json
import signal

import pytest

from api_requests import post
from rules import at, bucket, each_algorithm, rules_of, window
from test_check import forwarded
from test_reload import reload
from waiting import wait_for

TRUSTED = {"TRUSTED_PROXIES": "private"}
BLOCKED = {"detail": "This client is blocked.", "type": "about:blank", "title": "Forbidden", "status": 403}


def differing(clients, **more):
    return rules_of(bucket(2, identify_by=["header:X-Key", "ip"], clients=clients, **more))


def from_address(address):
    return {"X-Forwarded-For": address}


def allowed(service, headers, most=50):
    """How many requests pass until one does not."""
    for count in range(most):
        if service.get("/", headers).status != 200:
            return count
    return most


@pytest.mark.parametrize("algorithm", each_algorithm(2))
def test_a_client_has_limits_of_its_own(serve, store, algorithm):
    limit = "capacity" if algorithm == "token_bucket" else "limit"
    rule = {**each_algorithm(2)[algorithm], "identify_by": ["header:X-Key"], "clients": {"gold": {limit: 5}}}
    service = serve(store, rules_of(rule))
    assert allowed(service, {"X-Key": "plain"}) == 2
    assert allowed(service, {"X-Key": "gold"}) == 5
    answer = service.get("/", {"X-Key": "gold"})
    assert (answer.status, answer["X-RateLimit-Limit"], answer["RateLimit-Policy"][:13]) == (429, "5", '"default";q=5')
    assert service.get("/", {"X-Key": "plain"})["RateLimit-Policy"][:13] == '"default";q=2'


def test_an_unlimited_client_is_not_counted(serve, redis):
    service = serve(redis.url, differing({"gold": "unlimited", "10.0.0.0/8": "unlimited"}), env=TRUSTED)
    for headers in ({"X-Key": "gold"}, from_address("10.1.2.3")):
        assert allowed(service, headers, 10) == 10
        answer = service.get("/", headers)
        assert not any(name.lower().startswith(("x-ratelimit", "ratelimit", "retry")) for name, _ in answer.headers)
        assert answer["Cache-Control"] == "no-store"
    assert not redis.keys()


def test_a_blocked_client_is_answered_403_wherever_it_asks(serve, store):
    service = serve(store, differing({"203.0.113.7": "blocked", "bad": "blocked"}), env=TRUSTED)
    for headers in (from_address("203.0.113.7"), {"X-Key": "bad"}):
        for path in ("/", "/check/any", "/check:deny=403/any"):
            answer = service.get(path, headers)
            assert (answer.status, answer.json()) == (403, BLOCKED), path
            assert "Retry-After" not in answer and "X-RateLimit-Limit" not in answer
    assert service.get("/check", forwarded(X_Forwarded_For="203.0.113.8")).status == 200


def test_it_needs_no_store(serve, redis):
    service = serve(redis.url, differing({"gold": "unlimited", "bad": "blocked"}))
    assert service.get("/", {"X-Key": "plain"}).status == 200
    redis.kill()
    wait_for(lambda: service.get("/", {"X-Key": "plain"}).status == 503, "Redis is away")
    assert service.get("/", {"X-Key": "gold"}).status == 200
    assert service.get("/", {"X-Key": "bad"}).status == 403


def test_the_longest_network_wins_and_an_address_comes_first(serve, store):
    service = serve(store, differing({"10.0.0.0/8": {"capacity": 3}, "10.1.0.0/16": {"capacity": 4},
                                      "10.1.0.1": {"capacity": 5}, "2001:db8::/32": {"capacity": 6},
                                      "2001:db8::/96": {"capacity": 7}, "2001:db8::1": {"capacity": 8}}),
                    env={"TRUSTED_PROXIES": "127.0.0.0/8,::1"})
    for address, limit in (("10.2.0.1", 3), ("10.1.0.2", 4), ("10.1.0.1", 5), ("192.0.2.1", 2),
                           ("2001:db8:1::1", 6), ("2001:db8:0:0:0:0:1:1", 7), ("2001:db8::1", 8), ("::ffff:10.1.0.1", 5)):
        assert service.get("/", from_address(address))["X-RateLimit-Limit"] == str(limit), address


def test_nobody_claims_an_address_or_another_source_by_a_header(serve, store):
    service = serve(store, differing({"10.0.0.1": "unlimited", "10.0.0.0/8": "unlimited",
                                      "header:X-Other=vip": "unlimited", "client=app": "unlimited"}))
    for value in ("10.0.0.1", "10.0.0.0/8", "vip", "app", "header:x-other=vip", "client=app", "ip=10.0.0.1"):
        assert allowed(service, {"X-Key": value}) == 2, value


def test_the_api_follows_the_same_rule(serve, store):
    service = serve(store, differing({"203.0.113.7": "blocked", "bad": "blocked", "gold": {"capacity": 9},
                                      "free": "unlimited"}))
    for who in ({"client": "bad"}, {"ip": "203.0.113.7"}, {"headers": {"x-key": "bad"}}):
        answer = post(service, "/v1/check", {"rule": "default", **who})
        assert answer.status == 403
        assert answer.json() == {"allowed": False, "rule": "default", "limit": None, "remaining": None,
                                 "retry_after_ms": None, "reset_after_ms": None, "blocked": True}
    assert post(service, "/v1/check", {"rule": "default", "client": "203.0.113.7"}).status == 200  # a name, no address
    assert post(service, "/v1/check", {"rule": "default", "client": "gold"}).json()["limit"] == 9
    answer = post(service, "/v1/check", {"rule": "default", "client": "free", "cost": 1000})
    assert answer.status == 200
    assert answer.json() == {"allowed": True, "rule": "default", "limit": None, "remaining": None,
                             "retry_after_ms": 0, "reset_after_ms": None, "unlimited": True}
    checks = [{"rule": "default", "client": name} for name in ("bad", "gold", "free")]
    results = post(service, "/v1/check/batch", {"checks": checks}).json()["results"]
    assert [(result["status"], result["limit"]) for result in results] == [(403, None), (200, 9), (200, None)]


def test_envoy_s_json_says_over_limit(serve, store):
    service = serve(store, rules_of(bucket(2), **{"d.user": bucket(2, clients={"user=bad": "blocked"})}))
    for name, status, code in (("bad", 429, "OVER_LIMIT"), ("good", 200, "OK")):
        body = {"domain": "d", "descriptors": [{"entries": [{"key": "user", "value": name}]}]}
        answer = post(service, "/json", body)
        assert (answer.status, answer.json()["overallCode"]) == (status, code)


def test_several_limits_are_replaced_as_a_whole(serve, store):
    rule = {"limits": [window("fixed_window", 2), window("fixed_window", 9, "7d")], "identify_by": ["header:X-Key"],
            "clients": {"gold": {"limits": [window("fixed_window", 5), window("fixed_window", 4, "7d"),
                                            window("sliding_window", 8, "1h")]}}}
    service = serve(store, rules_of(rule))
    assert allowed(service, {"X-Key": "plain"}) == 2
    assert allowed(service, {"X-Key": "gold"}) == 4
    assert '"default:2";q=8' in service.get("/", {"X-Key": "gold"})["RateLimit-Policy"]


def test_equal_requests_of_clients_with_different_limits_travel_apart(serve, redis):
    """In one batch, whose requests are folded by client and limits."""
    service = serve(redis.url, rules_of(window("fixed_window", 2, clients={"gold": {"limit": 5}})))
    checks = [{"rule": "default", "client": name} for name in ["gold", "plain"] * 10]
    results = post(service, "/v1/check/batch", {"checks": checks}).json()["results"]
    assert [result["status"] for result in results].count(200) == 7
    assert [result["limit"] for result in results] == [5, 2] * 10


# What was counted for a client stays, whichever numbers it is measured by.
def test_a_reload_changes_a_treatment_and_counts_on(serve, store):
    def rules(clients):
        return rules_of(window("fixed_window", 5, identify_by=["header:X-Key"], clients=clients))
    gold = {"X-Key": "gold"}
    service = serve(store, rules({"gold": {"limit": 3}}))
    assert allowed(service, gold) == 3
    reload(service, rules({"gold": {"limit": 10}}))
    assert service.get("/", gold)["X-RateLimit-Remaining"] == "6"
    reload(service, rules({"gold": "blocked"}))
    assert service.get("/", gold).status == 403
    reload(service, rules({}))
    assert service.get("/", gold)["X-RateLimit-Remaining"] == "0"


def test_a_file_of_clients_is_read_from_the_folder_of_the_rules(serve, store, tmp_path):
    (tmp_path / "lists").mkdir()
    lines = tmp_path / "lists" / "clients"
    lines.write_text('# who differs\ngold {"capacity": 5}\n10.0.0.0/8 unlimited\n')
    rules = rules_of(bucket(2, identify_by=["header:X-Key", "ip"], clients="lists/clients"),
                     api=at("/api/data", bucket(3, identify_by=["header:X-Key"], clients="lists/clients")))
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    service = serve(store, None, ["--rules", str(tmp_path / "rules.json")])
    assert allowed(service, {"X-Key": "gold"}) == 5
    assert service.get("/api/data", {"X-Key": "gold"})["X-RateLimit-Limit"] == "5"
    lines.write_text('{"gold": "blocked"}')
    service.signal(signal.SIGHUP)
    wait_for(lambda: service.get("/", {"X-Key": "gold"}).status == 403, "the list is read again")
    lines.write_text("gold blokced\n")
    service.signal(signal.SIGHUP)
    wait_for(lambda: any('clients: line 1: $.gold: "blokced": must be' in line for line in service.messages()),
             "it names the mistake")
    assert service.get("/", {"X-Key": "gold"}).status == 403


def test_a_refusal_is_not_repeated_by_other_limits(serve, redis):
    """What the service remembers of a refusal holds for the limits that refused."""
    service = serve(redis.url, rules_of(window("fixed_window", 1, identify_by=["header:X-Key"])))
    gold = {"X-Key": "gold"}
    assert allowed(service, gold) == 1
    reload(service, rules_of(window("fixed_window", 1, identify_by=["header:X-Key"], clients={"gold": {"limit": 3}})))
    assert allowed(service, gold) == 2
