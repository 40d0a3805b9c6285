"""The admin listener: what it answers, to whom, and that it answers whatever the workers do."""
import json
import re

import pytest

import http_client
from rules import ROOMY, at, bucket, rules_of, window
from waiting import wait_for

TOKEN = "the-token-of-the-operator"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
WITH_TOKEN = {"ADMIN_TOKEN": TOKEN}
LOCAL = "127.0.0.1:0"
RULES = rules_of(bucket(20, "10/1m"), **{
    "search": at("/search/**", {"limits": [window("fixed_window", 10, "1s"),
                                           window("sliding_window_counter", 100, "90s")],
                                "on_store_failure": "open", "identify_by": ["header:X-API-Key", "ip"]},
                 methods=["GET", "POST"]),
    "quoted": at('/say/"hi"/\\/é', window("sliding_window", 5, "1500ms", identify_by=["global"]))})
PRIVATE = {
    "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY"}
READ = ("/v1/rules", "/openapi.yaml")


def reset_body(**fields):
    return json.dumps({"rule": "default", "client": "u", **fields}).encode()


def test_the_rules_are_shown_as_they_are_compiled(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    response = service.admin("GET", "/v1/rules")
    assert (response.status, response["Content-Type"]) == (200, "application/json")
    rules = response.json()["rules"]
    for rule in rules:
        counts = rule.pop("counts")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", counts.pop("since")) and set(counts.values()) == {0}
    assert rules == [
        {"name": "default", "match": None, "identify_by": ["ip"], "on_store_failure": "closed", "limits": [
            {"algorithm": "token_bucket", "capacity": 20, "refill_rate": "1/6s", "state": "b6s"}]},
        {"name": "search", "match": {"path": "/search/**", "methods": ["GET", "HEAD", "POST"]},
         "identify_by": ["header:x-api-key", "ip"], "on_store_failure": "open", "limits": [
             {"algorithm": "fixed_window", "limit": 10, "window": "1s", "state": "f1s"},
             {"algorithm": "sliding_window_counter", "limit": 100, "window": "90s", "state": "c90s"}]},
        {"name": "quoted", "match": {"path": '/say/"hi"/\\/é'}, "identify_by": ["global"], "on_store_failure": "closed",
         "limits": [{"algorithm": "sliding_window", "limit": 5, "window": "1500ms", "state": "w1500ms"}]}]


def test_a_rule_shows_its_penalty_and_how_many_clients_differ(serve):
    rule = bucket(5, penalty={"after": 3, "within": "1m", "for": "10s"},
                  clients={"10.0.0.0/8": "unlimited", "203.0.113.7": "blocked", "gold": {"capacity": 50}})
    (shown,) = serve(rules=rules_of(rule), admin=LOCAL).admin("GET", "/v1/rules").json()["rules"]
    assert shown["clients"] == {"addresses": 2, "names": 1}
    assert shown["penalty"]["after"] == 3 and shown["penalty"]["within"] == "1m" and shown["penalty"]["for"] == "10s"


def test_health_and_ready_are_those_of_the_service(serve, store):
    service = serve(store, RULES, admin=LOCAL, env=WITH_TOKEN)
    wait_for(lambda: service.health()["status"] == "ok", "every worker has its store")
    for path in ("/health", "/ready"):
        assert service.admin("GET", path).json() == service.get(path).json(), "and need no token"


def test_without_a_token_one_may_read_and_change_nothing(serve):
    service = serve(rules=RULES, admin=LOCAL)
    assert [service.admin("GET", path).status for path in READ] == [200, 200]
    for headers in ({}, BEARER):
        response = service.admin("POST", "/v1/reset", headers, reset_body())
        assert (response.status, "ADMIN_TOKEN" in response.json()["detail"]) == (403, True)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer another-token-of-no-use"}, {"Authorization": TOKEN}])
def test_with_a_token_set_nobody_reads_or_changes_anything_without_it(serve, headers):
    service = serve(rules=RULES, admin=LOCAL, env=WITH_TOKEN)
    asked = [("GET", path, None) for path in READ] + [("POST", "/v1/reset", reset_body())]
    for method, path, body in asked:
        response = service.admin(method, path, headers, body)
        assert (response.status, response["WWW-Authenticate"]) == (401, 'Bearer realm="ratelimitd"'), path
        assert service.admin(method, path, BEARER, body).status == 200, path


def test_a_reset_forgets_the_client_for_all_workers(serve, store):
    service = serve(store, rules_of(bucket(2)), admin=LOCAL, env=WITH_TOKEN)
    check = json.dumps({"rule": "default", "client": "u"}).encode()
    assert [service.post("/v1/check", body=check).status for _ in range(3)] == [200, 200, 429]
    assert service.admin("POST", "/v1/reset", BEARER, reset_body()).json() == {"reset": True, "rule": "default"}
    assert service.post("/v1/check", body=check).status in (200, 429), "a denial is repeated for a second at most"


def test_every_answer_of_the_table_is_private(serve):
    service = serve(rules=RULES, admin=LOCAL, env=WITH_TOKEN)
    asked = [("GET", "/health", {}, 200), ("HEAD", "/ready", {}, 200), ("GET", "/v1/rules", BEARER, 200),
             ("GET", "/v1/rules", {}, 401), ("GET", "/", {}, 404), ("POST", "/health", {}, 405),
             ("POST", "/v1/reset", {**BEARER, "Origin": "http://evil.example"}, 403)]
    for method, path, headers, status in asked:
        response = service.admin(method, path, headers, b"" if method == "POST" else None)
        assert response.status == status, path
        assert {name: response.get(name) for name in PRIVATE} == PRIVATE, path
        assert not [name for name, _ in response.headers if name.lower().startswith("access-control-")]


PAGE = {"/dashboard": "text/html", "/dashboard.css": "text/css", "/dashboard.js": "text/javascript",
        "/dashboard.svg": "image/svg+xml"}


def test_the_dashboard_needs_no_token_and_has_a_policy_of_its_own(serve):
    service = serve(rules=RULES, admin=LOCAL, env=WITH_TOKEN)
    for path, type_ in PAGE.items():
        response = service.admin("GET", path)
        assert (response.status, response["Content-Type"].partition(";")[0]) == (200, type_), path
        policies = [value for name, value in response.headers if name == "Content-Security-Policy"]
        assert len(policies) == 1 and policies[0].startswith("default-src 'self'; ") and "unsafe" not in policies[0]
        others = {name: value for name, value in PRIVATE.items() if name != "Content-Security-Policy"}
        assert {name: response.get(name) for name in others} == others, path
        assert service.admin("HEAD", path)["Content-Length"] == str(len(response.body))
        assert service.admin("POST", path, body=b"")["Content-Security-Policy"] == PRIVATE["Content-Security-Policy"]


def test_the_dashboard_is_at_these_paths_alone(serve):
    service = serve(rules=RULES, admin=LOCAL)
    for path in ("/dashboard/", "/dashboard/index.html", "/dashboard.html", "/dashboard.js/..", "/dashboard/../../etc/passwd",
                 "/dashboard/%2e%2e/%2e%2e/etc/passwd", "/dashboard%2f..%2f", "/Dashboard", "/dashboard.css.map"):
        assert service.admin("GET", path).status == 404, path
    for path in PAGE:
        assert service.get(path).status == 404, "the public listener has none of it"


def test_the_dashboard_is_small(serve):
    service = serve(rules=RULES, admin=LOCAL)
    assert sum(len(service.admin("GET", path).body) for path in PAGE) < 100_000


OWN_HOSTS = ["localhost", "LocalHost:1", "localhost.", "127.0.0.1", "127.0.0.1:8001", "[::1]:8001", "192.0.2.7",
             "admin.internal", "second.internal.:8001"]
FOREIGN_HOSTS = ["evil.example", "evil.example:8001", "localhost.evil.example", "127.0.0.1.evil.example", "internal",
                 "admin.internal.evil.example", "localhos", "localhost..", "second.internal.evil.example", "2130706433"]


def test_its_own_names_and_addresses_are_answered(serve):
    service = serve(rules=RULES, admin=LOCAL, env={"ADMIN_HOSTS": "admin.internal, second.internal"})
    for host in OWN_HOSTS:
        assert service.admin("GET", "/v1/rules", host=host).status == 200, host
    with http_client.Connection(service.admin_address) as connection:
        connection.send(b"GET /v1/rules HTTP/1.0\r\n\r\n")
        assert connection.read_response().status == 200, "no browser sends a request without a Host"


def test_a_host_that_is_not_its_own_is_421(serve):
    service = serve(rules=RULES, admin=LOCAL, env={"ADMIN_HOSTS": "admin.internal, second.internal"})
    for host in FOREIGN_HOSTS:
        for path in ("/v1/rules", "/health", "/nowhere"):
            response = service.admin("GET", path, host=host)
            assert (response.status, response.closes) == (421, True), host
            assert "ADMIN_HOSTS" in response.json()["detail"]
        assert service.request("GET", "/health", {"X-Forwarded-Host": host}).status == 200
        with service.connect() as connection:
            assert connection.request("GET", "/health", host=host).status == 200, "the public listener is for all"


def test_nothing_else_is_there(serve):
    service = serve(rules=RULES, admin=LOCAL)
    for path in ("/", "/v1/check", "/v1/check/batch", "/json", "/check", "/check/../v1/rule", "/limited-resource", "/v1",
                 "/v1/", "/v1/rules/", "/v1/rules%00", "/v1/rules/../../etc/passwd", "/..%2fv1/rules", "//v1/rules/.."):
        assert service.admin("GET", path).status == 404, path


def test_the_public_listener_has_none_of_it(serve):
    service = serve(rules=RULES, admin=LOCAL, env=WITH_TOKEN)
    for path in ("/v1/rules", "/v1/clients/global"):
        assert service.get(path, BEARER).status == 404, path


def test_a_unix_socket(serve, tmp_path):
    path = f"{tmp_path}/admin.sock"
    service = serve(rules=RULES, admin=f"unix:{path}")
    assert service.admin_address == path
    assert service.admin("GET", "/v1/rules").status == 200
    assert service.stop() == 0
    assert list(tmp_path.iterdir()) == []


def test_off_is_off(serve):
    service = serve(rules=rules_of(ROOMY), admin="off")
    assert service.admin_address is None
