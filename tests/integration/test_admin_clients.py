"""GET /v1/clients/{client}: what each rule leaves a client, without counting."""
import json
from urllib.parse import quote

import pytest

import http_client
from rules import at, bucket, rules_of, window
from service import PATIENT
from waiting import wait_for

LOCAL = "127.0.0.1:0"
TOKEN = "the-token-of-the-operator"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
RULES = rules_of(bucket(20), **{
    "keyed": at("/keyed", {"limits": [bucket(9), window("fixed_window", 2)], "identify_by": ["header:X-API-Key", "ip"]}),
    "tenant": at("/tenant", window("sliding_window", 5, identify_by=[["header:X-Tenant", "ip"], "header:X-API-Key"])),
    "network": at("/network", window("sliding_window_counter", 7, identify_by=["ip/24"])),
    "everyone": at("/everyone", bucket(3, identify_by=["global"]))})


def left(service, client, headers=()):
    """Of each rule that can have the client, what remains of its limits."""
    response = service.admin("GET", "/v1/clients/" + quote(client, safe=""), headers)
    assert response.status == 200, response
    return {rule["rule"]: [limit["remaining"] for limit in rule["limits"]] for rule in response.json()["rules"]}


def check(service, rule, **fields):
    return service.post("/v1/check", body=json.dumps({"rule": rule, **fields}).encode())


def test_it_shows_what_each_rule_leaves_and_counts_nothing(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    for _ in range(2):
        assert left(service, "header:x-api-key=k") == {"keyed": [9, 2], "tenant": [5]}
    check(service, "keyed", headers={"X-API-Key": "k"}, cost=2)
    check(service, "tenant", headers={"X-API-Key": "k"})
    for _ in range(2):
        assert left(service, "header:x-api-key=k") == {"keyed": [7, 0], "tenant": [4]}
    assert left(service, "header:x-api-key=other") == {"keyed": [9, 2], "tenant": [5]}
    assert left(service, "global") == {"everyone": [3]}


def test_the_case_of_a_header_does_not_matter_and_that_of_a_value_does(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    check(service, "tenant", headers={"X-Tenant": "Acme"}, ip="203.0.113.7")
    assert left(service, "header:X-Tenant=Acme&ip=203.0.113.7") == {"tenant": [4]}
    assert left(service, "header:X-TENANT=acme&ip=203.0.113.7") == {"tenant": [5]}


def test_a_client_that_differs_is_shown_as_it_is(serve, store):
    clients = {"10.0.0.0/8": "unlimited", "10.0.0.7": "blocked", "192.0.2.1": {"capacity": 40}}
    service = serve(store, rules_of(bucket(20, clients=clients)), admin=LOCAL)
    for address, expected in (("10.0.0.1", {"limits": [], "unlimited": True}), ("10.0.0.7", {"limits": [], "blocked": True})):
        (rule,) = service.admin("GET", f"/v1/clients/ip={address}").json()["rules"]
        assert rule == {"rule": "default", **expected}
    assert left(service, "ip=192.0.2.1") == {"default": [40]}


def test_an_answer_has_the_numbers_of_every_limit(serve, store):
    service = serve(store, rules_of({"limits": [bucket(9, "1/1s"), window("fixed_window", 2, "30d")]}), admin=LOCAL)
    check(service, "default", ip="192.0.2.1", cost=2)
    response = service.admin("GET", "/v1/clients/ip=192.0.2.1")
    (rule,) = response.json()["rules"]
    first, second = rule["limits"]
    assert (rule["rule"], first["limit"], second["limit"], second["remaining"]) == ("default", 9, 2, 0)
    assert 0 < first["reset_after_ms"] <= 2000 and 0 < second["reset_after_ms"] <= 30 * 86400 * 1000


def test_an_address_is_a_client_of_the_rules_that_go_by_it(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    check(service, "network", ip="203.0.113.9", cost=3)
    assert left(service, "ip=203.0.113.7") == {"default": [20], "keyed": [9, 2], "network": [4]}, "its network"
    assert left(service, "ip=203.0.113.0/24") == {"network": [4]}, "a network is a client of that rule alone"
    check(service, "default", ip="2001:db8::1")
    for client in ("ip=2001:db8::/64", "ip=2001:db8::2"):
        assert left(service, client)["default"] == [19]


def test_an_address_needs_no_source(serve):
    """As in the bodies of /v1/clients/block, and in lists of clients, which take both spellings, too."""
    service = serve(rules=RULES, admin=LOCAL)
    check(service, "network", ip="203.0.113.9", cost=3)
    check(service, "default", ip="2001:db8::1")
    for client in ("203.0.113.7", "203.0.113.0/24", "2001:db8::/64", "2001:db8::2"):
        assert left(service, client) == left(service, f"ip={client}"), client
    assert left(service, "203.0.113.7")["network"] == [4]


def test_a_penalty_is_shown_and_looking_does_not_add_to_it(serve, store):
    penalty = {"after": 2, "within": "1h", "for": "1h"}
    service = serve(store, rules_of(bucket(1, penalty=penalty, identify_by=["header:X-API-Key"])), admin=LOCAL, workers=1)

    def shown():
        return service.admin("GET", "/v1/clients/header:x-api-key=k").json()["rules"][0]

    assert service.statuses(3, "/", {"X-API-Key": "k"}) == [200, 429, 429]
    for _ in range(5):
        assert "penalty_ms" not in shown(), "looking is no refusal"
    assert service.statuses(1, "/", {"X-API-Key": "k"}) == [429]
    assert 0 < shown()["penalty_ms"] <= 3600 * 1000


def test_several_sources_name_one_client(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    check(service, "tenant", headers={"X-Tenant": "a&b"}, ip="203.0.113.7", cost=5)
    assert left(service, "header:x-tenant=a%26b&ip=203.0.113.7") == {"tenant": [0]}
    assert service.admin("GET", "/v1/clients/ip=203.0.113.7&header:x-tenant=a").status == 404


def test_a_name_that_an_application_gave_may_be_known_to_every_rule(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    check(service, "everyone", client="user_123")
    assert left(service, "client=user_123") == {
        "default": [20], "keyed": [9, 2], "tenant": [5], "network": [7], "everyone": [2]}


def test_a_name_of_any_bytes(serve, redis):
    """What is written in the key of Redis names the client, byte for byte."""
    names = [bytes([byte]) for byte in range(0x20, 0x100) if byte not in b"\x7f"]
    names = [b"a" + name + b"b" for name in names] + [b"x" * 500, "grüß".encode()]
    service = serve(redis.url, rules_of(bucket(5, identify_by=["header:X-API-Key"])), admin=LOCAL)
    for name in names:
        assert service.get("/", [("X-API-Key", name)]).status == 200
    keys = [key for key in redis.keys() if key.startswith("rl:")]
    assert len(keys) == len(names)
    for key in keys:
        client = key.removeprefix("rl:{").partition("}")[0]
        assert left(service, client) == {"default": [4]}, client


@pytest.mark.parametrize("path", [
    "/", ":global", "/user_123", "/%", "/%zz", "/%4", "/%00", "/ip=%00", "/ip=a b", "/ip=%20", "/ip=%2541",
    "/ip=%25zz", "/ip=%252F", "/ip=%25", "/ip=%7b", "/ip=%ff", "/=x", "/ip=1&", "/globals", "/../rules", "/..",
    "/ip=1.2.3.4%2F33", "/ip=10.0.0.1%2F8", "/ip=300.1.1.1", "/ip=x", "/ip=%41", "/ip=1.2.3.4:80", "/10.0.0.1%2F8", "/1.2.3.4:80",
    "/header:x-tenant=acme&ip=1", "/x%2f..%2f..", "/ip=" + "1" * 126, "/ip=" + "%31" * 500])
def test_what_is_no_client_is_400(serve, path):
    service = serve(rules=RULES, admin=LOCAL)
    response = service.admin("GET", "/v1/clients" + path)
    assert response.status == 400, response
    assert response["Content-Type"] == "application/problem+json"


def test_a_client_that_no_rule_can_have_is_404(serve):
    service = serve(rules=RULES, admin=LOCAL)
    for client in ("header:nobody=x", "header:x-api=k", "header:x-api-keys=k", "cookie:a=b", "&ip=192.0.2.1", "global=x", "global&ip=192.0.2.1"):
        assert service.admin("GET", "/v1/clients/" + client).status == 404, client


def test_it_needs_the_token_once_there_is_one(serve):
    service = serve(rules=RULES, admin=LOCAL, env={"ADMIN_TOKEN": TOKEN})
    assert service.admin("GET", "/v1/clients/global").status == 401
    assert left(service, "global", BEARER) == {"everyone": [3]}
    assert service.admin("POST", "/v1/clients/global", BEARER, b"").status == 405


def test_a_thousand_rules_are_peeked_at(serve, store):
    rules = {f"rule-{i}": window("sliding_window", i + 1, identify_by=["header:X-API-Key"]) for i in range(1024)}
    service = serve(store, rules, admin=LOCAL)
    assert left(service, "header:x-api-key=k") == {f"rule-{i}": [i + 1] for i in range(1024)}


def test_while_the_store_is_away_nothing_is_known(serve, redis):
    rules = rules_of(bucket(2), open=bucket(2, on_store_failure="open"), local=bucket(2, on_store_failure="local"))
    service = serve(redis.url, rules, admin=LOCAL)
    assert left(service, "ip=192.0.2.1") == {"default": [2], "open": [2], "local": [2]}
    redis.kill()
    response = service.admin("GET", "/v1/clients/ip=192.0.2.1")
    assert (response.status, response["Retry-After"]) == (503, "1")
    assert service.admin("GET", "/health").json()["degraded"] == {"closed": 0, "open": 0, "local": 0}, "no decisions"


def test_who_leaves_before_the_answer_costs_nothing(serve, redis):
    service = serve(redis.url, RULES, admin=LOCAL, env=PATIENT)
    wait_for(lambda: service.admin("GET", "/ready").status == 200, "the store is there")
    redis.freeze()
    with http_client.Connection(service.admin_address) as connection:
        connection.send(b"GET /v1/clients/client=u HTTP/1.1\r\nHost: localhost\r\n\r\n")
    redis.thaw()
    assert left(service, "global") == {"everyone": [3]}
