"""Every header and every body, on every status."""
import math
import time

import pytest

import structured_fields
from http_client import request_bytes
from rules import NEVER, ROOMY, at, bucket, rules_of, window
from waiting import wait_for

RULES = rules_of(bucket(3, "3/1h"),
                 **{"two": at("/api/data", {"limits": [bucket(5, "5/1h"), window("fixed_window", 2, "30d")]}),
                    "slow": at("/api/submit", bucket(1, NEVER))})
LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit")
QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
REDUCED_CAPACITY = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"


def assert_epoch(value, least_s, most_s):
    """A Unix time in seconds, that far in the future; this machine's clock is the service's."""
    assert value.isdigit()
    assert math.floor(time.time() + least_s) - 2 <= int(value) <= time.time() + most_s + 2


def test_an_allowed_request_says_what_is_left(serve, store):
    response = serve(store, RULES).get("/")
    assert response.status == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert response["X-RateLimit-Limit"] == "3"
    assert response["X-RateLimit-Remaining"] == "2"
    assert_epoch(response["X-RateLimit-Reset"], 1200 - 10, 1200)
    assert response["RateLimit-Policy"] == '"default";q=3;w=3600'
    [(name, parameters)] = structured_fields.parse(response["RateLimit"])
    assert (name, parameters["r"]) == ("default", 2)
    assert 1190 <= parameters["t"] <= 1200
    assert "Retry-After" not in response
    assert "X-RateLimit-Degraded" not in response
    body = response.json()
    assert (body["rule"], body["limit"], body["remaining"]) == ("default", 3, 2)
    assert 1190 <= body["reset_after"] <= 1200


def test_a_refused_request_says_why_and_until_when(serve, store):
    service = serve(store, RULES)
    response = [service.get("/") for _ in range(4)][-1]
    assert (response.status, response.reason) == (429, "Too Many Requests")
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    assert response["X-RateLimit-Limit"] == "3"
    assert response["X-RateLimit-Remaining"] == "0"
    assert_epoch(response["X-RateLimit-Reset"], 3600 - 10, 3600)
    assert 1190 <= int(response["Retry-After"]) <= 1200
    [(name, parameters)] = structured_fields.parse(response["RateLimit"])
    assert (name, parameters["r"]) == ("default", 0)
    assert int(response["Retry-After"]) >= parameters["t"], "never earlier than the quota it waits for"
    body = response.json()
    assert body.pop("retry_after") == int(response["Retry-After"])
    assert body == {"detail": "Too many requests. Please retry later.", "type": QUOTA_EXCEEDED, "status": 429,
                    "title": "Too Many Requests", "violated-policies": ["default"]}


def test_the_tightest_of_several_limits_is_shown(serve, store):
    service = serve(store, RULES)
    responses = [service.get("/api/data") for _ in range(3)]
    assert [response.status for response in responses] == [200, 200, 429]
    assert [response["X-RateLimit-Limit"] for response in responses] == ["2", "2", "2"]
    assert [response["X-RateLimit-Remaining"] for response in responses] == ["1", "0", "0"]
    assert [name for name, _ in structured_fields.parse(responses[0]["RateLimit-Policy"])] == ["two:0", "two:1"]
    shown = [structured_fields.parse(response["RateLimit"]) for response in responses]
    assert [[(name, parameters["r"]) for name, parameters in policies] for policies in shown] == [
        [("two:0", 4), ("two:1", 1)], [("two:0", 3), ("two:1", 0)], [("two:1", 0)]], "of a refusal, who refuses"
    assert responses[2].json()["violated-policies"] == ["two:1"]


def test_retry_after_is_never_earlier_than_any_quota_that_is_shown(serve, store):
    limits = [bucket(1000, "1/1h"), bucket(2, "1/1m"), window("fixed_window", 500, "30d")]
    service = serve(store, rules_of({"limits": limits}))
    response = [service.get("/") for _ in range(3)][-1]
    assert response.status == 429
    for name, parameters in structured_fields.parse(response["RateLimit"]):
        assert int(response["Retry-After"]) >= parameters["t"], name


def test_policies_are_whole_positive_seconds(serve):
    rules = rules_of(window("sliding_window", 7, "1500ms"), data=at("/api/data", window("fixed_window", 8, "1ms")),
                     submit=at("/api/submit", bucket(10, 0.25)))
    service = serve(rules=rules)
    fields = [service.get("/")["RateLimit-Policy"], service.get("/api/data")["RateLimit-Policy"],
              service.post("/api/submit")["RateLimit-Policy"]]
    assert [structured_fields.parse(field) for field in fields] == [
        [("default", {"q": 7, "w": 2})], [("data", {"q": 8, "w": 1})], [("submit", {"q": 10, "w": 40})]]


def test_the_policy_stays_the_same_from_answer_to_answer(serve, store):
    service = serve(store, RULES)
    responses = [service.get("/") for _ in range(6)]
    assert len({response["RateLimit-Policy"] for response in responses}) == 1
    for response in responses:
        assert all(name in response for name in LIMIT_HEADERS)


def test_remaining_counts_down_by_one(serve, store):
    service = serve(store, rules_of(bucket(20)))
    assert [int(service.get("/")["X-RateLimit-Remaining"]) for _ in range(21)] == [*range(19, -1, -1), 0]


def test_an_unavailable_store_is_503_with_what_is_known(serve, redis):
    service = serve(redis.url, RULES, workers=1)
    redis.kill()
    response = service.get("/")
    assert (response.status, response.reason) == (503, "Service Unavailable")
    assert response["Content-Type"] == "application/problem+json"
    assert int(response["Retry-After"]) >= 1
    assert response["X-RateLimit-Limit"] == "3"
    assert response["RateLimit-Policy"] == '"default";q=3;w=3600'
    assert "X-RateLimit-Remaining" not in response, "nobody knows it"
    body = response.json()
    assert body.pop("retry_after") == int(response["Retry-After"])
    assert body == {"detail": "Rate limiter storage is unavailable.", "type": REDUCED_CAPACITY, "status": 503,
                    "title": "Service Unavailable"}


PROBLEMS = [
    # what, request, status, reason, whether the connection ends
    ("unknown path", request_bytes("GET", "/nothing/here"), 404, "Not Found", False),
    ("unknown path with a body", request_bytes("POST", "/nothing", body=b"x" * 1000), 404, "Not Found", False),
    ("another method", request_bytes("DELETE", "/api/resource"), 405, "Method Not Allowed", False),
    ("unheard-of method", request_bytes("BREW", "/"), 405, "Method Not Allowed", False),
    ("no Host", request_bytes("GET", "/", host=None), 400, "Bad Request", True),
    ("large body", request_bytes("POST", "/api/submit", body=b"x" * 65537), 413, None, True),
    ("long target", request_bytes("GET", "/" + "x" * 8200), 414, None, True),
    ("many headers", request_bytes("GET", "/", [(f"X-{i}", "y") for i in range(120)]), 431,
     "Request Header Fields Too Large", True),
    ("long headers", request_bytes("GET", "/", [("X-Long", "y" * 13000)]), 431, "Request Header Fields Too Large",
     True),
]


@pytest.mark.parametrize("_what, request_, status, reason, ends", PROBLEMS, ids=[row[0] for row in PROBLEMS])
def test_problems_are_json_and_spend_nothing(serve, _what, request_, status, reason, ends):
    service = serve(rules=rules_of(bucket(1)))
    connection = service.connect()
    connection.send(request_)
    response = connection.read_response()
    assert response.status == status
    if _what == "no Host" and "Content-Type" not in response:
        return  # libmicrohttpd 1.0 refuses it by itself, in HTML
    assert reason is None or response.reason == reason
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["detail"].endswith(".") and body["title"] and body["type"] == "about:blank"
    assert not any(name in response for name in LIMIT_HEADERS)
    assert response.closes == ends
    if ends:
        assert connection.ends()
    else:
        assert connection.get("/").status == 200, "the connection lives on, and the quota is full"


METHODS = [("/", "GET, HEAD"), ("/limited-resource", "GET, HEAD"), ("/api/data", "GET, HEAD"), ("/health", "GET, HEAD"),
           ("/ready", "GET, HEAD"), ("/api/resource", "POST"), ("/api/submit", "POST")]


@pytest.mark.parametrize("path, allow", METHODS, ids=[path for path, _ in METHODS])
def test_a_known_path_with_another_method_says_which_it_takes(serve, path, allow):
    service = serve(rules=rules_of(bucket(1)))
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]
    for method in [method for method in methods if method not in allow.split(", ")]:
        response = service.request(method, path, body=b"" if method in ("POST", "PUT", "PATCH") else None)
        assert (response.status, response["Allow"]) == (405, allow), method


def test_head_is_get_without_the_body(serve, store):
    service = serve(store, rules_of(bucket(3)))
    get, head = service.get("/"), service.request("HEAD", "/")
    assert (head.status, head.body) == (200, b"")
    assert head["Content-Type"] == get["Content-Type"]
    assert head["X-RateLimit-Remaining"] == "1", "and it is counted"
    assert service.request("HEAD", "/").status == 200
    assert service.request("HEAD", "/").status == 429
    wait_for(lambda: service.get("/ready").status == 200, "every worker has its store")
    assert [service.request("HEAD", path).status for path in ("/health", "/ready", "/none")] == [200, 200, 404]


def test_a_body_up_to_the_cap_is_accepted_and_one_byte_more_is_not(serve):
    service = serve(rules=rules_of(ROOMY), env={"MAX_BODY_BYTES": "1000"})
    assert service.post("/api/submit", body=b"x" * 1000).status == 200
    assert service.post("/api/submit", body=b"x" * 1001).status == 413


def test_a_client_that_nothing_names_is_told_what_was_looked_for(serve):
    service = serve(rules=rules_of(bucket(1, identify_by=["header:X-Tenant", "header:user_id"])))
    response = service.get("/")
    assert response.status == 400
    assert "header:x-tenant, header:user_id" in response.json()["detail"]
    assert not response.closes
    assert service.get("/", {"X-Tenant": "", "user_id": ""}).status == 400, "an empty value counts as absent"
    assert service.get("/", {"x-tenant": "t"}).status == 200


def test_ready_and_health_are_json(serve):
    service = serve()
    assert service.get("/ready").json() == {"ready": True, "reason": "", "unavailable": []}
    assert service.get("/health").json()["status"] == "ok"
