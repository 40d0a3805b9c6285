"""What applications ask in JSON: /v1/check and /v1/check/batch."""
import json
import threading

import pytest

from api_requests import ENV, EXACT_MAX, RULES, TOKEN, assert_mistake, batch, check, one, post
from http_client import chunked, request_bytes
from rules import at, bucket, rules_of
from waiting import wait_for


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
    assert_mistake(post(service, "/v1/check/batch", b'{"checks":[' + b"0," * 100000 + b"0]}"), 400, "checks")
    for value in ([one()], {"checks": [one()], "x": 1}, one(), b"", b"["):
        assert_mistake(post(service, "/v1/check/batch", value), 400, None)
    assert check(service, cost=2).status == 200, "and nothing was spent"


def test_what_one_check_may_have_is_bounded(serve):
    """It is parsed at once, and holds up all other clients meanwhile."""
    service = serve(rules=RULES)
    for path, wrap in (("/v1/check", lambda check: check), ("/v1/check/batch", lambda check: {"checks": [one(), check]})):
        for count, words in ((100, None), (200, "more than 100 fields"), (300, "too many values")):
            body = wrap({"path": "/", "ip": "10.0.0.1", "headers": {f"x-{i}": "" for i in range(count)}})
            text = json.dumps(post(service, path, body).json())
            assert words in text if words else "remaining" in text, text
        for size, words in ((32000, None), (33000, "too many bytes")):
            text = json.dumps(post(service, path, wrap(one("roomy", "a" * size))).json())
            assert words in text if words else "remaining" in text, text


def test_a_batch_may_have_a_mebibyte(serve):
    service = serve(rules=RULES, env={"MAX_BODY_BYTES": "100"})
    body = json.dumps({"checks": [one("roomy", "a" * 900)] * 1000}).encode()
    assert service.post("/v1/check/batch", body=body + b" " * (1024 * 1024 - len(body))).status == 200
    response = service.post("/v1/check/batch", body=body + b" " * (1024 * 1024 - len(body) + 1))
    assert (response.status, response.closes) == (413, True)
    service = serve(rules=RULES, env={"MAX_BODY_BYTES": "2000000"})
    assert service.post("/v1/check/batch", body=body + b" " * 1000000).status == 200


def test_a_batch_has_64_checks_in_redis_at_most(serve, redis):
    """Of a rule with one limit. So there are as many commands at least."""
    service = serve(redis.url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "20000"})
    check(service)

    def evaluated():
        line = redis.command("INFO", "commandstats")
        return int(line.split("cmdstat_evalsha:calls=")[1].split(",")[0])
    for size, commands in ((64, 1), (1000, 16)):
        before = evaluated()
        assert all(result["status"] == 200 for result in batch(service, *[one("roomy", f"{size}.{i}") for i in range(size)]))
        assert commands <= evaluated() - before <= size


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
