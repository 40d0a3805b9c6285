"""match: which rule a request meets, by its host and its headers."""
import pytest

from api_requests import assert_mistake, post
from http_client import request_bytes
from rules import ROOMY, rules_of
from test_check import UNTRUSTED, forwarded, rule_of

RULES = rules_of(ROOMY, **{
    "api": {"match": {"host": "api.example.com"}, **ROOMY},
    "shop": {"match": {"host": ["example.com", "*.example.com"], "methods": ["POST"]}, **ROOMY},
    "gold": {"match": {"path": "/api/**", "headers": {"X-Plan": "gold", "X-Internal": {"present": False}}}, **ROOMY},
    "curl": {"match": {"headers": {"User-Agent": {"prefix": "curl/"}}}, **ROOMY},
    "internal": {"match": {"headers": {"x-internal": {"present": True}}}, **ROOMY},
})

ASKED = [
    ("GET", "/", "api.example.com", {}, "api"),
    ("GET", "/api/data", "API.Example.com.:8443", {"X-Plan": "gold"}, "api"),
    ("POST", "/api/submit", "www.example.com", {}, "shop"),
    ("POST", "/api/submit", "a.b.example.com", {}, "shop"),
    ("POST", "/api/submit", "example.com", {}, "shop"),
    ("GET", "/", "example.com", {}, "default"),
    ("POST", "/api/submit", "notexample.com", {}, "default"),
    ("GET", "/api/data", "test", {"X-Plan": "gold"}, "gold"),
    ("GET", "/api/data", "test", {"x-plan": "  gold "}, "gold"),
    ("GET", "/api/data", "test", {"X-Plan": "gold", "X-Internal": ""}, "gold"),
    ("GET", "/api/data", "test", {"X-Plan": "GOLD"}, "default"),
    ("GET", "/", "test", {"X-Plan": "gold"}, "default"),
    ("GET", "/api/data", "test", {"X-Plan": "gold", "X-Internal": "1"}, "internal"),
    ("GET", "/", "test", {"User-Agent": "curl/8.1", "X-Internal": "1"}, "curl"),
    ("GET", "/", "test", {"User-Agent": "Mozilla curl/8.1"}, "default"),
]


@pytest.mark.parametrize("method, path, host, headers, rule", ASKED)
def test_the_first_rule_whose_conditions_hold_decides(serve, method, path, host, headers, rule):
    service = serve("memory", RULES)
    with service.connect() as connection:
        connection.send(request_bytes(method, path, headers, b"" if method == "POST" else None, host=host))
        assert rule_of(connection.read_response()) == rule
    # A proxy asks about the same request, and an application too.
    asked = {**forwarded(method, path, X_Forwarded_Host=host), **headers}
    assert rule_of(service.get("/check", asked)) == rule
    for more in ({"host": host, "headers": headers}, {"headers": {**headers, "Host": host}}):
        body = {"path": path, "method": method, "client": "u", **more}
        assert rule_of(post(service, "/v1/check", body)) == rule


def test_limits_of_rules_for_different_hosts_are_counted_apart(serve, store):
    one = {"algorithm": "fixed_window", "limit": 1, "window": "30d"}
    service = serve(store, rules_of(one, a={"match": {"host": "a.example"}, **one}, b={"match": {"host": "*.b.example"}, **one}))
    for host in ("a.example", "x.b.example", "c.example"):
        answers = []
        for _ in range(2):
            with service.connect() as connection:
                connection.send(request_bytes("GET", "/", host=host))
                answers.append(connection.read_response().status)
        assert answers == [200, 429], host


def test_of_several_lines_of_a_header_the_first_that_is_not_empty_counts(serve):
    service = serve("memory", RULES)
    assert rule_of(service.get("/api/data", [("X-Plan", ""), ("X-Plan", "gold"), ("X-Plan", "iron")])) == "gold"
    assert rule_of(service.get("/api/data", [("X-Plan", "iron"), ("X-Plan", "gold")])) == "default"


def test_an_untrusted_peers_host_is_that_of_its_own_request(serve):
    service = serve("memory", RULES, env=UNTRUSTED)
    assert rule_of(service.get("/check", forwarded(X_Forwarded_Host="api.example.com"))) == "default"


def test_the_host_of_an_absolute_path_counts_before_the_header(serve):
    service = serve("memory", RULES)
    assert rule_of(service.get("/check", forwarded(uri="http://api.example.com/x", X_Forwarded_Host="other"))) == "api"
    body = {"path": "http://api.example.com/x", "headers": {"Host": "other"}, "client": "u"}
    assert rule_of(post(service, "/v1/check", body)) == "api"
    assert rule_of(post(service, "/v1/check", {**body, "host": "other"})) == "default"


def test_a_host_that_is_none_is_refused(serve):
    service = serve("memory", RULES)
    assert service.get("/check", forwarded(X_Forwarded_Host="api.example.com/..")).status == 400
    assert service.get("/check", forwarded(uri="http:///x", X_Forwarded_Host="api.example.com")).status == 400
    for path, host in (("/api/data", ""), ("http:///api/data", "api.example.com")):
        with service.connect() as connection:
            assert connection.request("GET", path, host=host).status == 400, "it slips to no wider rule"
    for body, where in (({"path": "http:///x", "headers": {"Host": "api.example.com"}}, "path"),
                        ({"host": "a b"}, "host"), ({"host": 7}, "host"), ({"headers": {"Host": "a b"}}, "headers")):
        assert_mistake(post(service, "/v1/check", {"path": "/", "client": "u", **body}), 400, where)


def test_the_admin_listener_shows_the_conditions(serve):
    service = serve("memory", RULES, admin="127.0.0.1:0")
    match = {rule["name"]: rule["match"] for rule in service.admin("GET", "/v1/rules").json()["rules"]}
    assert match["shop"] == {"path": "/**", "methods": ["POST"], "host": ["example.com", "*.example.com"]}
    assert match["gold"] == {"path": "/api/**", "headers": {"x-plan": "gold", "x-internal": {"present": False}}}
    assert match["curl"] == {"path": "/**", "headers": {"user-agent": {"prefix": "curl/"}}}
