"""GET /v1/analytics: what it says of each client is what a naive count of the same requests says."""
import json
import time
import urllib.parse

import pytest

from rules import at, bucket, rules_of
from scraping import scrape
from waiting import wait_for

LOCAL = "127.0.0.1:0"
TOKEN = {"Authorization": "Bearer the-token-of-the-operator"}
BY_USER = {"identify_by": ["header:user_id"]}


def ask(service, headers=(), **arguments):
    query = urllib.parse.urlencode(arguments)
    response = service.admin("GET", "/v1/analytics" + ("?" + query if query else ""), headers)
    assert (response.status, response["Content-Type"]) == (200, "application/json"), response.body
    return response.json()


def counted(service, headers=(), **arguments):
    """{(rule, client): (requests, refusals, cost)}"""
    return {(client["rule"], client["client"]): (client["requests"], client["refusals"], client["cost"])
            for client in ask(service, headers, **arguments)["clients"]}


def wait_for_total(service, total, headers=(), by="requests"):
    wait_for(lambda: ask(service, headers, by=by)["total"] == total, f"{total} are counted")


# What is counted.

@pytest.mark.threads
@pytest.mark.parametrize("workers", [1, 3])
def test_it_counts_what_each_client_was_told(serve, store, workers):
    service = serve(store, rules_of(bucket(1000, **BY_USER), few=at("/few", bucket(2, **BY_USER))), admin=LOCAL, workers=workers)
    told = {}
    for i in range(120):
        path, user = ("/check/few", "/")[i % 2], f"u{i % 7}"
        with service.connect() as connection:  # another worker, maybe
            status = connection.request("GET", path, {"user_id": user}).status
        of = told.setdefault((("few", "default")[i % 2], f"header:user_id={user}"), [0, 0, 0])
        of[0] += 1
        of[1] += status == 429
        of[2] += status == 200
    told = {client: tuple(of) for client, of in told.items()}
    wait_for_total(service, 120)
    for window in ("minute", "hour", "day"):
        assert counted(service, by="requests", window=window) == told
        assert counted(service, by="refusals", window=window) == {client: of for client, of in told.items() if of[1]}
    assert counted(service, by="cost", rule="few") == {client: of for client, of in told.items() if client[0] == "few"}


def test_the_first_asked_most(serve):
    service = serve(rules=rules_of(bucket(3, **BY_USER)), admin=LOCAL)
    for user, count in (("a", 4), ("b", 7), ("c", 5), ("d", 1)):
        service.statuses(count, "/", {"user_id": user})
    wait_for_total(service, 17)
    shown = ask(service, limit=2)
    assert [(client["client"][-1], client["refusals"]) for client in shown["clients"]] == [("b", 4), ("c", 2)]
    assert (shown["window"], shown["by"], shown["total"]) == ("minute", "refusals", 7)
    assert (shown["sampled"], shown["error_bound"], shown["clients"][0]["error"]) == (1, 0, 0)
    assert shown["from"] <= shown["until"] <= time.time() + 1
    assert [client["client"][-1] for client in ask(service, by="requests")["clients"]] == ["b", "c", "a", "d"]


def test_the_api_counts_costs_and_no_peeks(serve, store):
    service = serve(store, rules_of(bucket(10)), admin=LOCAL)
    for cost in (4, 0, 3, 9, 0):
        service.post("/v1/check", (), json.dumps({"rule": "default", "client": "c", "cost": cost}))
    wait_for_total(service, 3)
    assert counted(service, by="cost") == {("default", "client=c"): (3, 1, 7)}


def test_every_kind_of_refusal_is_one(serve):
    rules = rules_of(bucket(1),
                     blocked=at("/blocked", bucket(1, clients={"127.0.0.0/8": "blocked"})),
                     unlimited=at("/unlimited", bucket(1, clients={"127.0.0.0/8": "unlimited"})),
                     shadow=at("/shadow", bucket(1, shadow=True)),
                     punished=at("/punished", bucket(1, penalty={"after": 1, "within": "1h", "for": "1h"})))
    service = serve(rules=rules, admin=LOCAL)
    for path in ("/", "/blocked", "/unlimited", "/shadow", "/punished"):
        service.statuses(3, "/check" + path)
    wait_for_total(service, 15)
    assert {rule: of for (rule, _), of in counted(service, by="requests").items()} == {
        "default": (3, 2, 1), "blocked": (3, 3, 0), "unlimited": (3, 0, 3), "shadow": (3, 2, 1), "punished": (3, 2, 1)}


def test_what_is_refused_because_the_store_is_away_is_counted(serve, redis):
    service = serve(redis.url, rules_of(bucket(9), open=at("/open", bucket(9, on_store_failure="open"))), admin=LOCAL,
                    workers=1)
    redis.kill()
    wait_for(lambda: service.health()["status"] == "degraded", "it knows that Redis is away")
    assert service.statuses(2, "/") + service.statuses(2, "/check/open") == [503, 503, 200, 200]
    wait_for_total(service, 4)
    assert {rule: of for (rule, _), of in counted(service, by="requests").items()} == {"default": (2, 2, 0), "open": (2, 0, 2)}


def test_a_request_without_a_rule_is_not_counted(serve):
    service = serve(rules={"few": at("/few", bucket(2))}, admin=LOCAL)
    service.statuses(3, "/")
    service.statuses(1, "/check/few")
    wait_for_total(service, 1)


def test_a_refused_client_is_there_within_two_seconds(serve, store):
    service = serve(store, rules_of(bucket(1)), admin=LOCAL)
    service.statuses(2, "/")
    wait_for(lambda: ("default", "ip=127.0.0.1") in counted(service), "it is there", 2)


# Names of clients.

def test_a_client_may_have_any_byte_in_its_name(serve):
    """But those that no header has. The name is as keys have it, and the answer is JSON whatever it is."""
    service = serve(rules=rules_of(bucket(9, **BY_USER)), admin=LOCAL)
    names = [bytes([byte]) for byte in range(0x21, 0x100) if byte != 0x7f] + [b"<script>", b'"}]', b"\\u0000", b"%00", b"x" * 500]
    for name in names:
        with service.connect() as connection:
            connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nuser_id: a" + name + b"\r\n\r\n")
            assert connection.read_response().status == 200, name
    wait_for_total(service, len(names))
    shown = {client for _, client in counted(service, by="requests", limit=1000)}
    assert len(shown) == len(names), "each is another client"
    assert all(client.isascii() and client.isprintable() and len(client) <= 128 for client in shown)
    assert 'header:user_id=a"}]'.replace("}", "%7d") in shown and "header:user_id=a<script>" in shown


# Arguments.

@pytest.mark.parametrize("query, why", [
    ("window=week", "The argument window is minute, hour or day."),
    ("window=", "The argument window is minute, hour or day."),
    ("window=Hour", "The argument window is minute, hour or day."),
    ("by=latency", "The argument by is requests, refusals or cost."),
    ("rule=", "The argument rule is the name of a rule."),
    ("rule=" + "r" * 65, "The argument rule is the name of a rule."),
    ("rule=%3Cb%3E", "The argument rule is the name of a rule."),
    ("limit=0", "The argument limit is a whole number from 1 to 1000."),
    ("limit=1001", "The argument limit is a whole number from 1 to 1000."),
    ("limit=-1", "The argument limit is a whole number from 1 to 1000."),
    ("limit=99999999999999999999", "The argument limit is a whole number from 1 to 1000."),
    ("limit=1e2", "The argument limit is a whole number from 1 to 1000."),
    ("rules=api", "The query has an unknown argument; known: window, by, rule, limit."),
    ("limit=1&limit=1", "The query has the argument limit twice."),
    ("limit", "An argument of the query has no value: write NAME=VALUE."),
    ("limit=%", "The query is not percent-encoded: a % needs two hexadecimal digits, not 00."),
    ("rule=a%00b", "The query is not percent-encoded: a % needs two hexadecimal digits, not 00."),
    ("a" * 1025, "The query is longer than 1024 bytes."),
])
def test_an_argument_that_is_wrong_is_named(serve, query, why):
    response = serve(admin=LOCAL).admin("GET", "/v1/analytics?" + query)
    assert (response.status, response.json()["detail"]) == (400, why)


def test_arguments_are_read_however_they_are_written(serve):
    service = serve(rules=rules_of(bucket(1), api=at("/api/data", bucket(9))), admin=LOCAL)
    service.get("/api/data")
    wait_for_total(service, 1)
    for target in ("/v1/analytics?by=requests&rule=api&limit=1", "/v1/analytics?%62y=req%75ests&rule=%61pi&", "//v1/./analytics?by=requests",
                   "http://localhost/v1/analytics?by=requests"):
        response = service.admin("GET", target)
        assert response.status == 200, target
        assert response.json()["total"] == 1 and len(response.json()["clients"]) == 1, target
    assert ask(service, by="requests", rule="no-such-rule")["clients"] == []


# Who may ask.

def test_it_needs_the_token(serve):
    service = serve(admin=LOCAL, env={"ADMIN_TOKEN": "the-token-of-the-operator"})
    assert service.admin("GET", "/v1/analytics").status == 401
    assert service.admin("GET", "/v1/analytics", {"Authorization": "Bearer another"}).status == 401
    assert service.admin("GET", "/v1/analytics", TOKEN).status == 200
    assert service.admin("GET", "/v1/analytics", TOKEN, host="evil.example").status == 421
    assert service.admin("HEAD", "/v1/analytics", TOKEN).status == 200
    assert service.admin("POST", "/v1/analytics", TOKEN, b"").status == 405
    assert service.get("/v1/analytics", TOKEN).status == 404, "the public listener has it not"


def test_without_a_token_it_is_open_for_reading(serve):
    assert serve(admin=LOCAL).admin("GET", "/v1/analytics").status == 200


def test_it_can_be_switched_off(serve):
    service = serve(rules=rules_of(bucket(1)), admin=LOCAL, env={"ANALYTICS": "off"})
    service.get("/")
    response = service.admin("GET", "/v1/analytics")
    assert (response.status, response.json()["detail"]) == (404, "Nobody counts clients here: ANALYTICS is off.")
    assert "ratelimitd_analytics_bytes" not in scrape(service)


# While the rules change.

def test_a_renamed_rule_begins_anew_and_the_old_name_stays_for_a_while(serve):
    service = serve(rules=rules_of(bucket(9), old=at("/r", bucket(2))), admin=LOCAL, env={"ADMIN_TOKEN": "the-token-of-the-operator"})
    service.statuses(3, "/check/r")
    service.write_rules(rules_of(bucket(9), new=at("/r", bucket(1))))
    assert service.admin("POST", "/v1/rules/reload", TOKEN).status == 200
    service.statuses(3, "/check/r")
    wait_for_total(service, 6, TOKEN)
    assert counted(service, TOKEN, by="requests") == {("old", "ip=127.0.0.1"): (3, 1, 2), ("new", "ip=127.0.0.1"): (3, 2, 1)}


def test_no_request_is_lost_or_counted_twice_while_rules_are_reloaded_under_load(serve, store):
    def named(name):
        return rules_of(bucket(8000), **{name: at("/r", bucket(8000, **BY_USER))})

    service = serve(store, named("first"), admin=LOCAL, env={"ADMIN_TOKEN": "the-token-of-the-operator"})
    told = {}
    for i in range(30):
        service.write_rules(named(("first", "second")[i % 2]))
        assert service.admin("POST", "/v1/rules/reload", TOKEN).status == 200
        for k in range(20):
            user = f"u{(i + k) % 11}"
            assert service.get("/check/r", {"user_id": user}).status == 200
            told[user] = told.get(user, 0) + 1
    wait_for_total(service, 600, TOKEN)
    found = {}
    for (rule, client), (requests, _, _) in counted(service, TOKEN, by="requests", limit=1000).items():
        assert rule in ("first", "second")
        user = client.removeprefix("header:user_id=")
        found[user] = found.get(user, 0) + requests
    assert found == told


def test_as_many_rules_as_there_may_be_are_told_apart_also_when_all_are_renamed(serve):
    def named(name):
        rule = '"%s%d":{"match":{"path":"/%d"},"algorithm":"fixed_window","limit":1,"window":"30d"}'
        return "{" + ",".join(rule % (name, i, i) for i in range(1024)) + "}"

    def ask_each():
        for i in range(0, 1024, 8):
            service.statuses(1 + i // 8 % 3, f"/check/{i}")

    service = serve(rules=named("a"), admin=LOCAL, env={"ADMIN_TOKEN": "the-token-of-the-operator"})
    ask_each()
    service.write_rules(named("b"))
    assert service.admin("POST", "/v1/rules/reload", TOKEN).status == 200
    ask_each()
    wait_for_total(service, 2 * sum(1 + i % 3 for i in range(128)), TOKEN)
    for i in range(0, 1024, 8):
        for rule in (f"a{i}", f"b{i}"):
            assert counted(service, TOKEN, by="requests", rule=rule) == {(rule, "ip=127.0.0.1"): (1 + i // 8 % 3, i // 8 % 3, 1)}
    assert len(ask(service, TOKEN, by="requests", limit=1000)["clients"]) == 256


# How much.

def test_the_metrics_say_what_was_seen_and_what_it_takes(serve):
    service = serve(rules=rules_of(bucket(1, **BY_USER)), admin=LOCAL)
    before = scrape(service)["ratelimitd_analytics_bytes"]
    for i in range(300):
        service.get("/", {"user_id": f"u{i}"})
    wait_for_total(service, 300)
    found = scrape(service)
    assert found["ratelimitd_observed_decisions_total"] == 300 and found["ratelimitd_observed_decisions_dropped_total"] == 0
    assert before <= found["ratelimitd_analytics_bytes"] < 29_000_000
