"""What applications ask in JSON: /v1/check, /v1/check/batch, /v1/reset and /json."""
import json
import threading

import pytest

from http_client import chunked, request_bytes
from rules import NEVER, ROOMY, at, bucket, rules_of, window
from waiting import wait_for

TOKEN = {"Authorization": "Bearer correct-horse-battery"}
ENV = {"ADMIN_TOKEN": "correct-horse-battery"}
EXACT_MAX = 2**53 - 1

RULES = rules_of(bucket(100), **{
    "few": bucket(2), "api-resource": window("sliding_window", 100, "1m"), "roomy": ROOMY,
    "keyed": at("/keyed", bucket(2, identify_by=["header:X-API-Key", "ip"]), methods=["POST"]),
    "everyone": bucket(2, identify_by=["global"]),
    "two": {"limits": [bucket(9), window("fixed_window", 2, "30d")]},
    "shop": bucket(3), "shop.path": window("fixed_window", 2, "1m"), "shop.path.user": bucket(1, NEVER),
})


def post(service, path, value, headers=()):
    return service.post(path, headers, value if isinstance(value, bytes) else json.dumps(value).encode())


def check(service, rule="few", client="u", **more):
    return post(service, "/v1/check", {"rule": rule, "client": client, **more})


def batch(service, *checks):
    response = post(service, "/v1/check/batch", {"checks": list(checks)})
    assert response.status == 200, response
    return response.json()["results"]


def one(rule="few", client="u", **more):
    return {"rule": rule, "client": client, **more}


def assert_mistake(response, status, field):
    """The field is named, in words too; nothing of what was sent is."""
    assert (response.status, response["Content-Type"]) == (status, "application/problem+json"), response
    body = response.json()
    assert body.get("field") == field
    assert body["status"] == status and body["detail"].endswith(".")
    assert field is None or body["detail"].startswith(field + " ")


# A check.

def test_a_check_counts_and_tells_all_there_is_to_know(serve, store):
    service = serve(store, RULES)
    response = check(service, "api-resource", "user_123", cost=1)
    assert (response.status, response["Content-Type"]) == (200, "application/json")
    body = response.json()
    assert 0 < body.pop("reset_after_ms") <= 60000
    assert body == {"allowed": True, "rule": "api-resource", "limit": 100, "remaining": 99, "retry_after_ms": 0}
    assert (response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"]) == ("100", "99")
    assert response["RateLimit"].startswith('"api-resource";r=99;t=')
    assert response["Cache-Control"] == "no-store"


def test_a_refused_check_is_429_with_the_same_body_and_the_headers(serve, store):
    service = serve(store, RULES)
    refused = [check(service) for _ in range(3)][-1]
    assert (refused.status, refused["Content-Type"]) == (429, "application/json")
    body = refused.json()
    assert (body["allowed"], body["rule"], body["limit"], body["remaining"]) == (False, "few", 2, 0)
    assert 3590 * 1000 < body["retry_after_ms"] <= 3600 * 1000
    assert body["retry_after_ms"] <= int(refused["Retry-After"]) * 1000
    assert refused["RateLimit"].startswith('"few";r=0;t=')


def test_cost_0_peeks(serve, store):
    service = serve(store, RULES)
    assert [check(service, cost=0).json()["remaining"] for _ in range(3)] == [2, 2, 2]
    check(service, cost=2)
    peeked = check(service, cost=0)
    assert (peeked.status, peeked.json()["remaining"]) == (200, 0)


def test_a_cost_above_the_limit_is_refused_for_ever(serve, store):
    service = serve(store, RULES)
    for cost in (3, EXACT_MAX):
        response = check(service, cost=cost)
        assert (response.status, response.json()["retry_after_ms"]) == (429, None)
        assert "Retry-After" not in response
    assert check(service, cost=2).status == 200, "and nothing was spent"


def test_several_limits_are_told_each(serve, store):
    service = serve(store, RULES)
    body = [check(service, "two") for _ in range(3)][-1].json()
    assert (body["allowed"], body["limit"], body["remaining"]) == (False, 2, 0)
    told = [(limit["allowed"], limit["limit"], limit["remaining"]) for limit in body["limits"]]
    assert told == [(True, 9, 7), (False, 2, 0)]
    assert body["limits"][0]["retry_after_ms"] == 0 < body["limits"][1]["retry_after_ms"]


def test_clients_are_as_many_as_names(serve, store):
    service = serve(store, RULES)
    names = ["u", "U", "u ", "ü", "u\n", "u\x01", "%75", "{u}", "u\u2028", "😀", "a" * 500, "a" * 501, "client=u"]
    for name in names:
        assert [check(service, client=name).status for _ in range(3)] == [200, 200, 429], name


def test_a_named_client_is_none_that_a_request_has(serve, redis):
    service = serve(redis.url, RULES)
    check(service, "keyed", "ip=127.0.0.1")
    post(service, "/v1/check", {"rule": "keyed", "ip": "127.0.0.1"})
    assert redis.keys() == ["rl:{client=ip=127.0.0.1}:keyed:0:b1h", "rl:{ip=127.0.0.1}:keyed:0:b1h"]


def test_without_a_rule_the_request_is_matched(serve, store):
    service = serve(store, RULES)

    def rule(**fields):
        return post(service, "/v1/check", {"client": "u", **fields}).json()["rule"]
    assert rule(path="/keyed", method="POST") == "keyed"
    assert rule(path="//x/../%6beyed?a=/b", method="POST") == "keyed"
    assert rule(path="https://host/keyed#a", method="POST") == "keyed"
    assert rule(path="/keyed") == "default", "GET"
    assert rule(path="/keyed", method="DELETE") == "default"


def test_headers_and_ip_identify_as_in_a_request(serve, store):
    service = serve(store, RULES)

    def status(**fields):
        return post(service, "/v1/check", {"path": "/keyed", "method": "POST", **fields}).status
    assert [status(headers={"x-api-KEY": "k"}), status(headers={"X-API-Key": " k "}, ip="192.0.2.1")] == [200, 200]
    assert status(headers={"X-API-Key": "k"}) == 429
    assert [status(ip="2001:db8::1"), status(ip="2001:db8::2", headers={"X-API-Key": " "}), status(ip="[2001:db8::3]:80")] == [
        200, 200, 429]
    assert service.request("POST", "/check/keyed", {"X-API-Key": "k"}, b"").status == 429, "one quota for both doors"


def test_a_rule_for_all_needs_no_client(serve, store):
    service = serve(store, RULES)
    assert [post(service, "/v1/check", {"rule": "everyone"}).status for _ in range(3)] == [200, 200, 429]


MISTAKES = [
    # what is sent, status, field
    (b"", 400, None), (b"{", 400, None), (b"nonsense", 400, None), (b'{"rule":"few","client":"u"} x', 400, None),
    (b'{"rule":"few","client":"u",}', 400, None), (b'{"rule":"few","client":"\\u0000"}', 400, None),
    (b'{"rule":"few","client":"\xff"}', 400, None), (b'{"rule":"few","client":"\x01"}', 400, None),
    (b'{"rule":"few","client":"u","cost":01}', 400, None), (b'{"rule":"few","client":"u","cost":NaN}', 400, None),
    (b"[" * 1000 + b"]" * 1000, 400, None), (b'{"a":' * 60 + b"1" + b"}" * 60, 400, None), (b"\x00", 400, None),
    (b"[" + b"0," * 30000 + b"0]", 400, None), (b"[]", 400, None), (b"7", 400, None), (b"null", 400, None), (b'{"rule":"few","rule":"few","client":"u"}', 400, "rule"),
    ({}, 400, "rule"), ({"client": "u"}, 400, "rule"), ({"rule": "few"}, 400, "client"),
    ({"rule": "none", "client": "u"}, 404, "rule"), ({"rule": "Few", "client": "u"}, 404, "rule"),
    ({"rule": "", "client": "u"}, 400, "rule"), ({"rule": 7, "client": "u"}, 400, "rule"),
    ({"rule": None, "client": "u"}, 400, "rule"), ({"rule": ["few"], "client": "u"}, 400, "rule"),
    ({"rule": "few", "path": "/", "client": "u"}, 400, "path"), ({"rule": "few", "method": "GET", "client": "u"}, 400, "method"),
    ({"rule": "few", "client": ""}, 400, "client"), ({"rule": "few", "client": 7}, 400, "client"),
    ({"rule": "few", "client": None}, 400, "client"), ({"rule": "few", "client": {}}, 400, "client"),
    ({"rule": "few", "client": "u", "headers": {}}, 400, "headers"), ({"rule": "few", "client": "u", "ip": "::1"}, 400, "ip"),
    ({"rule": "few", "client": "u", "Cost": 1}, 400, None), ({"rule": "few", "client": "u", "x": 1}, 400, None),
    *[({"rule": "few", "client": "u", "cost": cost}, 400, "cost")
      for cost in (-1, 1.5, 1e300, EXACT_MAX + 1, "1", None, True, [1], {}, -0.5, 1e-300)],
    (b'{"rule":"few","client":"u","cost":1e999}', 400, "cost"), (b'{"rule":"few","client":"u","cost":-1e999}', 400, "cost"),
    ({"path": "keyed", "client": "u"}, 400, "path"), ({"path": "/%00", "client": "u"}, 400, "path"),
    ({"path": "/\n", "client": "u"}, 400, "path"), ({"path": "/" + "a" * 9000, "client": "u"}, 400, "path"),
    ({"path": 7, "client": "u"}, 400, "path"), ({"path": "/", "method": 7, "client": "u"}, 400, "method"),
    ({"path": "/", "method": "", "client": "u"}, 400, "method"),
    ({"rule": "keyed", "ip": "example"}, 400, "ip"), ({"rule": "keyed", "ip": "1.2.3"}, 400, "ip"),
    ({"rule": "keyed", "ip": 7}, 400, "ip"), ({"rule": "keyed", "headers": []}, 400, "headers"),
    ({"rule": "keyed", "headers": {"X-API-Key": 7}}, 400, "headers"),
    ({"rule": "keyed", "headers": {"X-API-Key": "a\r\nb"}}, 400, "headers"),
    ({"rule": "keyed", "headers": {"X-API-Key": "a", "x-api-key": "b"}}, 400, "headers"),
    ({"rule": "keyed", "headers": {f"X-{i}": "y" for i in range(101)}}, 400, "headers"),
    ({"rule": "keyed", "headers": {"X-Other": "a"}}, 400, "client"),
]


@pytest.mark.parametrize("sent, status, field", MISTAKES, ids=[str(row[0])[:60] for row in MISTAKES])
def test_a_mistake_names_the_field_and_spends_nothing(serve, sent, status, field):
    service = serve(rules=RULES, workers=1)
    response = post(service, "/v1/check", sent)
    assert_mistake(response, status, field)
    assert not response.closes
    assert check(service, cost=2).status == 200
    # In a batch it is the one element's.
    if isinstance(sent, dict):
        bad, good = batch(service, sent, one("everyone", "u"))
        assert (bad["status"], bad["field"]) == (status, f"checks[0].{field}" if field else "checks[0]")
        assert good["status"] == 200


def test_nothing_that_was_sent_comes_back(serve):
    service = serve(rules=RULES, env=ENV)
    marks = [{"rule": "mark1", "client": "u"}, {"rule": "few", "client": "u", "mark1": 1}, {"rule": "few", "cost": "mark1"},
             {"rule": "few", "client": "mark1"}, {"path": "mark1"}, {"rule": "keyed", "ip": "mark1"}, ["mark1"]]
    for path in ("/v1/check", "/v1/check/batch", "/v1/reset", "/json"):
        for value in [*marks, {"checks": marks}, {"domain": "mark1", "descriptors": [{"entries": [{"key": "mark1"}]}]},
                      {"domain": "d", "descriptors": [{"mark1": 1}]}]:
            assert b"mark1" not in post(service, path, value, TOKEN).raw(), (path, value)
    assert "mark1" not in service.log()


@pytest.mark.parametrize("path", ["/v1/check", "/v1/reset", "/json"])
def test_a_body_past_the_cap_is_413(serve, path):
    service = serve(rules=RULES, env={**ENV, "MAX_BODY_BYTES": "1000"})
    response = service.post(path, body=b"x" * 1001)
    assert (response.status, response.closes) == (413, True)
    connection = service.connect()
    connection.send(request_bytes("POST", path, {"Transfer-Encoding": "chunked"}, chunked(b"x" * 600, b"x" * 600)))
    assert connection.read_response().status == 413


def test_a_body_may_come_in_pieces(serve):
    service = serve(rules=RULES)
    text = json.dumps(one(client="a" * 5000)).encode()
    pieces = [text[i:i + 7] for i in range(0, len(text), 7)]
    assert service.post("/v1/check", {"Transfer-Encoding": "chunked"}, chunked(*pieces)).status == 200
    connection = service.connect()
    for byte in request_bytes("POST", "/v1/check", body=json.dumps(one()).encode()):
        connection.send(bytes([byte]))
    assert connection.read_response().status == 200
    connection.send(request_bytes("POST", "/v1/check", {"Expect": "100-continue", "Content-Length": str(len(text))}))
    assert connection.read_response(interim=True).status == 100
    connection.send(text)
    assert connection.read_response().json()["remaining"] == 0


def test_answers_keep_their_order_and_the_connection(serve, store):
    connection = serve(store, RULES).connect()
    asked = [one(), one(cost=-1), one(), one(), one("none"), one(client="v")]
    requests = [request_bytes("POST", "/v1/check", body=json.dumps(value).encode()) for value in asked]
    requests.insert(3, request_bytes("POST", "/v1/check/batch", body=json.dumps({"checks": [one(cost=0)] * 3}).encode()))
    requests.insert(4, request_bytes("GET", "/health"))
    statuses = [response.status for response in connection.pipeline(requests)]
    assert statuses == [200, 400, 200, 200, 200, 429, 404, 200]


@pytest.mark.parametrize("path", ["/v1/check", "/v1/check/batch", "/v1/reset", "/json"])
def test_only_post_is_taken(serve, path):
    service = serve(rules=RULES)
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        response = service.request(method, path, body=b"{}" if method == "PUT" else None)
        assert (response.status, response["Allow"], response.closes) == (405, "POST", False)


# A batch.

def test_a_batch_is_answered_in_order_and_always_200(serve, store):
    service = serve(store, RULES)
    results = batch(service, one(), one(cost=2), one(client="v"), one("none"), one(cost=0), one("two"), one("two"), one("two"))
    assert [result["status"] for result in results] == [200, 429, 200, 404, 200, 200, 200, 429]
    assert [result.get("remaining") for result in results] == [1, 1, 1, None, 1, 1, 0, 0]
    assert [result.get("rule") for result in results] == ["few", "few", "few", None, "few", "two", "two", "two"]
    assert results[3]["field"] == "checks[3].rule"
    assert results[1]["allowed"] is False and results[1]["retry_after_ms"] > 0
    assert [len(result.get("limits", [])) for result in results] == [0] * 5 + [2] * 3


def test_equal_checks_of_a_batch_are_counted_each(serve, store):
    service = serve(store, RULES)
    results = batch(service, *[one("api-resource")] * 150)
    assert [result["remaining"] for result in results] == [*range(99, -1, -1), *[0] * 50]
    assert [result["status"] for result in results] == [200] * 100 + [429] * 50


def test_a_batch_has_at_most_1000_checks(serve, store):
    service = serve(store, RULES, workers=1)
    results = batch(service, *[one("roomy", f"c{i}") for i in range(1000)])
    assert [result["status"] for result in results] == [200] * 1000
    for checks in ([], [one()] * 1001, None, {}, "x", 7):
        assert_mistake(post(service, "/v1/check/batch", {"checks": checks}), 400, "checks")
    assert_mistake(post(service, "/v1/check/batch", {}), 400, "checks")
    for value in ([one()], {"checks": [one()], "x": 1}, one(), b"", b"[", b'{"checks":[' + b"0," * 100000 + b"0]}"):
        assert_mistake(post(service, "/v1/check/batch", value), 400, None)
    assert check(service, cost=2).status == 200, "and nothing was spent"


def test_a_batch_may_have_a_mebibyte(serve):
    service = serve(rules=RULES, env={"MAX_BODY_BYTES": "100"})
    body = json.dumps({"checks": [one("roomy", "a" * 900)] * 1000}).encode()
    assert service.post("/v1/check/batch", body=body + b" " * (1024 * 1024 - len(body))).status == 200
    response = service.post("/v1/check/batch", body=body + b" " * (1024 * 1024 - len(body) + 1))
    assert (response.status, response.closes) == (413, True)
    service = serve(rules=RULES, env={"MAX_BODY_BYTES": "2000000"})
    assert service.post("/v1/check/batch", body=body + b" " * 1000000).status == 200


def test_a_batch_is_one_command_for_each_of_its_turns(serve, redis):
    service = serve(redis.url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "20000"})
    check(service)

    def evaluated():
        line = redis.command("INFO", "commandstats")
        return int(line.split("cmdstat_evalsha:calls=")[1].split(",")[0])
    for size, commands in ((64, 1), (1000, 16)):
        before = evaluated()
        assert all(result["status"] == 200 for result in batch(service, *[one("roomy", f"{size}.{i}") for i in range(size)]))
        assert evaluated() - before == commands


def test_a_batch_without_its_store_is_answered_by_the_failure_modes(serve, redis):
    rules = rules_of(bucket(2), open=bucket(2, on_store_failure="open"), local=bucket(1, on_store_failure="local"))
    service = serve(redis.url, rules, workers=1)
    redis.kill()
    results = batch(service, one("default"), one("open"), one("local"), one("local"), one("none"))
    assert [result["status"] for result in results] == [503, 200, 200, 429, 404]
    assert [result.get("degraded") for result in results] == [None, "open", "local", "local", None]
    assert results[0]["detail"] == "Rate limiter storage is unavailable."
    assert (results[1]["limit"], results[1]["remaining"], results[1]["reset_after_ms"]) == (2, None, None)


def test_a_connection_that_goes_away_takes_its_batch_along(serve, redis):
    service = serve(redis.url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "2000"})
    check(service)
    redis.freeze()
    body = json.dumps({"checks": [one("roomy", f"c{i}") for i in range(700)]}).encode()
    for _ in range(4):
        connection = service.connect()
        connection.send(request_bytes("POST", "/v1/check/batch", body=body))
        connection.close()
    waiting = service.connect()
    waiting.send(request_bytes("POST", "/v1/check", body=json.dumps(one()).encode()))
    redis.thaw()
    assert waiting.read_response().status in (200, 503)
    wait_for(lambda: service.get("/health").json()["status"] == "ok", "Redis answers again")
    assert check(service, client="w").status == 200


def test_a_stop_answers_the_batches_under_way(serve, redis):
    service = serve(redis.url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "4000"})
    check(service)
    redis.freeze()
    connection = service.connect()
    connection.send(request_bytes("POST", "/v1/check/batch", body=json.dumps({"checks": [one()] * 600}).encode()))
    service.catch_up()
    assert service.stop() == 0
    response = connection.read_response()
    assert {result["status"] for result in response.json()["results"]} == {503}
    assert response.closes
    redis.thaw()


# A reset.

def test_a_reset_forgets_one_client_under_one_rule(serve, store):
    service = serve(store, RULES, env=ENV, workers=1)
    for client in ("u", "v"):
        for rule in ("few", "two"):
            assert [check(service, rule, client).status for _ in range(3)] == [200, 200, 429]
    response = post(service, "/v1/reset", one("few"), TOKEN)
    assert (response.status, response.json()) == (200, {"reset": True, "rule": "few"})
    assert [check(service, "few", "u").status for _ in range(3)] == [200, 200, 429], "whole again"
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


# Without a default.

UNLIMITED = {"allowed": True, "rule": None, "limit": None, "remaining": None, "retry_after_ms": 0,
             "reset_after_ms": None}


def test_a_path_that_no_rule_matches_is_not_limited(serve, store):
    service = serve(store, {"few": at("/few", bucket(2))}, env=ENV)
    for body in ({"path": "/other"}, {"path": "/other", "client": "u", "cost": EXACT_MAX}):
        response = post(service, "/v1/check", body)
        assert (response.status, response.json()) == (200, UNLIMITED)
        assert "X-RateLimit-Limit" not in response and "RateLimit" not in response
    results = batch(service, {"path": "/other"}, {"path": "/few", "client": "u"}, {"rule": "none", "client": "u"})
    assert results[0] == {"status": 200, **UNLIMITED}
    assert (results[1]["rule"], results[1]["remaining"], results[2]["status"]) == ("few", 1, 404)
    assert_mistake(post(service, "/v1/reset", {"path": "/other", "client": "u"}, TOKEN), 404, "path")
    assert post(service, "/v1/reset", {"path": "/few", "client": "u"}, TOKEN).status == 200


# As envoyproxy/ratelimit has it.

def entries(*pairs, **more):
    return {"entries": [{"key": key, "value": value} for key, value in pairs], **more}


def envoy(service, *descriptors, domain="shop", **more):
    return post(service, "/json", {"domain": domain, "descriptors": list(descriptors), **more})


def test_envoy_s_json_is_answered_in_its_own(serve, store):
    service = serve(store, RULES)
    response = envoy(service, entries(("path", "/cart")), entries(("nothing", "x")), domain="other")
    assert (response.status, response.json()) == (200, {"overallCode": "OK", "statuses": [{"code": "OK"}, {"code": "OK"}]})
    responses = [envoy(service, entries(("path", "/cart"), ("device", "d"))) for _ in range(3)]
    assert [response.status for response in responses] == [200, 200, 429]
    first, second, third = [response.json() for response in responses]
    seconds = first["statuses"][0].pop("durationUntilReset")
    assert seconds[-1] == "s" and 0 < int(seconds[:-1]) <= 60
    limit = {"name": "shop.path", "requestsPerUnit": 2, "unit": "MINUTE"}
    assert first == {"overallCode": "OK", "statuses": [{"code": "OK", "currentLimit": limit, "limitRemaining": 1}]}
    assert "limitRemaining" not in second["statuses"][0], "zero is left out"
    assert (third["overallCode"], third["statuses"][0]["code"]) == ("OVER_LIMIT", "OVER_LIMIT")
    assert third["statuses"][0]["currentLimit"] == limit


def test_a_descriptor_is_counted_by_the_longest_name(serve, redis):
    service = serve(redis.url, RULES)

    def name(*pairs):
        return envoy(service, entries(*pairs)).json()["statuses"][0]["currentLimit"]["name"]
    assert name(("path", "/a"), ("user", "u,1"), ("x", "y")) == "shop.path.user"
    assert name(("path", "/a"), ("x", "y"), ("user", "u")) == "shop.path"
    assert name(("user", "u"), ("path", "/a")) == "shop"
    assert name(("path" * 100, "/a")) == "shop"
    assert redis.keys() == ["rl:{client=path=/a,user=u\\,1}:shop.path.user:0:b1h", "rl:{client=path=/a}:shop.path:0:f1m",
                            "rl:{global}:shop:0:b1h"]


def test_values_with_commas_do_not_make_two_clients_one(serve):
    service = serve(rules=RULES)
    values = [("x,user=y", "z"), ("x", "y,user=z"), ("x\\", "y"), ("x\\,user=y", ""), ("", "")]
    for path, user in values:
        statuses = [envoy(service, entries(("path", path), ("user", user))).status for _ in range(2)]
        assert statuses == [200, 429], (path, user)


def test_every_descriptor_is_counted_by_itself(serve, store):
    service = serve(store, RULES)
    both = [entries(("path", "/a")), entries(("path", "/b"))]
    assert envoy(service, entries(("path", "/a"))).status == 200
    responses = [envoy(service, *both) for _ in range(2)]
    assert [response.status for response in responses] == [200, 429]
    assert [status["code"] for status in responses[1].json()["statuses"]] == ["OVER_LIMIT", "OK"]


def test_hits_are_as_envoy_counts_them(serve):
    service = serve(rules=RULES)

    def left(*descriptors, **more):
        return [status.get("limitRemaining", 0) for status in envoy(service, *descriptors, **more).json()["statuses"]]
    assert left(entries(("path", "/a")), hitsAddend=2) == [0]
    assert left(entries(("path", "/b")), hits_addend=0) == [1], "0 of the request counts as absent: 1"
    assert left(entries(("path", "/b"), hitsAddend="0")) == [1], "0 of a descriptor peeks"
    assert left(entries(("path", "/c"), hits_addend=2), entries(("path", "/d")), hitsAddend=1) == [0, 1]


ENVOY_MISTAKES = [
    (b"", None), (b"{", None), ([], None), ({"descriptors": [entries(("a", "b"))]}, "domain"),
    ({"domain": "", "descriptors": [entries(("a", "b"))]}, "domain"), ({"domain": "d"}, "descriptors"),
    ({"domain": "d", "descriptors": []}, "descriptors"), ({"domain": "d", "descriptors": {}}, "descriptors"),
    ({"domain": "d", "descriptors": [entries(("a", "b"))] * 1001}, "descriptors"),
    ({"domain": "d", "descriptors": [7]}, "descriptors[0]"),
    ({"domain": "d", "descriptors": [entries(("a", "b")), {}]}, "descriptors[1].entries"),
    ({"domain": "d", "descriptors": [{"entries": []}]}, "descriptors[0].entries"),
    ({"domain": "d", "descriptors": [{"entries": [{"value": "x"}]}]}, "descriptors[0].entries[0].key"),
    ({"domain": "d", "descriptors": [{"entries": [{"key": "a", "value": 7}]}]}, "descriptors[0].entries[0].value"),
    ({"domain": "d", "descriptors": [{"entries": [{"key": "a", "x": "b"}]}]}, "descriptors[0].entries[0]"),
    ({"domain": "d", "descriptors": [entries(*[("a", "b")] * 17)]}, "descriptors[0].entries"),
    ({"domain": "d", "descriptors": [entries(("a", "b"), x=1)]}, "descriptors[0]"),
    ({"domain": "d", "descriptors": [entries(("a", "b"), limit={"unit": "DAY"})]}, "descriptors[0].limit"),
    ({"domain": "d", "descriptors": [entries(("a", "b"), hitsAddend=-1)]}, "descriptors[0].hitsAddend"),
    ({"domain": "d", "descriptors": [entries(("a", "b"), hitsAddend="x")]}, "descriptors[0].hitsAddend"),
    ({"domain": "d", "descriptors": [entries(("a", "b"))], "hitsAddend": 1.5}, "hitsAddend"),
    ({"domain": "d", "descriptors": [entries(("a", "b"))], "x": 1}, None),
]


@pytest.mark.parametrize("sent, field", ENVOY_MISTAKES, ids=[str(row[0])[:70] for row in ENVOY_MISTAKES])
def test_a_mistake_in_envoy_s_json_names_the_field(serve, sent, field):
    assert_mistake(post(serve(rules=RULES), "/json", sent), 400, field)


def test_envoy_s_json_without_its_store(serve, redis):
    rules = rules_of(bucket(2), shop=bucket(2), open=bucket(2, on_store_failure="open"))
    service = serve(redis.url, rules, workers=1)
    redis.kill()
    assert envoy(service, entries(("a", "b")), domain="shop").status == 503
    assert envoy(service, entries(("a", "b")), domain="other").status == 200, "nothing had to be asked"
    response = envoy(service, entries(("a", "b")), domain="open")
    assert (response.status, response.json()["statuses"][0]["code"]) == (200, "OK")


# All of them at once.

@pytest.mark.threads
def test_many_doors_at_once_let_pass_exactly_the_limit(serve, store):
    service = serve(store, rules_of(bucket(500), shop=bucket(500)), workers=4)
    allowed = []

    def ask(number):
        connection = service.connect()
        for i in range(40):
            if number % 2:
                response = connection.post("/v1/check", body=json.dumps(one("shop")).encode())
                allowed.append(response.status == 200)
            else:
                response = connection.post("/v1/check/batch", body=json.dumps({"checks": [one("shop")] * 5}).encode())
                allowed.extend(result["allowed"] for result in response.json()["results"])
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(allowed), sum(allowed)) == (960, 500)
