"""/check: what a proxy asks about, and that nobody but a trusted one decides what that is."""
import pytest

from http_client import chunked, request_bytes
from rules import ROOMY, at, bucket, rules_of

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]
UNTRUSTED = {"TRUSTED_PROXIES": "none"}

RULES = rules_of(bucket(100), **{
    "login": at("/login", bucket(2), methods=["POST"]),
    "search": at("/search/**", bucket(2)),
    "host": at("/host", bucket(1, identify_by=["header:Host"])),
    "keyed": at("/keyed", bucket(1, identify_by=["header:X-API-Key", "ip"])),
    "strict": at("/strict", bucket(1, identify_by=["header:X-API-Key"])),
})


def forwarded(method="GET", uri="/", **more):
    """What Traefik and Caddy send: the request that they have before them."""
    headers = {"X-Forwarded-Method": method, "X-Forwarded-Uri": uri, "X-Forwarded-Proto": "https"}
    return {**headers, **{name.replace("_", "-"): value for name, value in more.items()}}


def rule_of(response):
    """The rule that an allowed request met."""
    assert response.status == 200, response
    return response.json()["rule"]


@pytest.mark.parametrize("method", METHODS)
def test_any_method_is_taken_and_allowed_by_exactly_200(serve, store, method):
    service = serve(store, RULES)
    for path in ("/check", "/check/", "/check/some/thing", "/check:deny=403", "/check:deny=403/some/thing"):
        response = service.request(method, path, body=b"" if method == "POST" else None)
        assert response.status == 200, path
        assert not response.closes
        assert response["X-RateLimit-Limit"] == "100"
        assert response["RateLimit-Policy"].startswith('"default";')
        assert method == "HEAD" or len(response.body) < 200


def test_a_refusal_is_429_with_everything_that_a_client_needs(serve, store):
    service = serve(store, RULES)
    responses = [service.get("/check", forwarded(uri="/search/books?q=a")) for _ in range(3)]
    assert [response.status for response in responses] == [200, 200, 429]
    refused = responses[2]
    assert refused["Content-Type"] == "application/problem+json"
    assert int(refused["Retry-After"]) >= 1
    assert (refused["X-RateLimit-Limit"], refused["X-RateLimit-Remaining"]) == ("2", "0")
    assert refused["RateLimit"].startswith('"search";r=0;t=')
    assert refused["Cache-Control"] == "no-store"
    assert "Location" not in refused and "WWW-Authenticate" not in refused
    assert (refused.json()["status"], refused.json()["violated-policies"]) == (429, ["search"])


def test_the_operator_s_path_says_that_refusals_are_403(serve, store):
    service = serve(store, RULES)
    ask = forwarded(uri="/search/books")
    assert [service.get("/check:deny=403", ask).status for _ in range(3)] == [200, 200, 403]
    refused = service.get("/check:deny=403", ask)
    assert int(refused["Retry-After"]) >= 1
    assert refused["RateLimit"].startswith('"search";r=0;t=')
    assert (refused.reason, refused.json()["status"]) == ("Forbidden", 403)
    assert service.get("/check:deny=429", ask).status == 429
    assert service.get("/check", ask).status == 429, "the same quota, and an answer of its own"


@pytest.mark.parametrize("path", ["/check:", "/check:deny=200", "/check:deny=503", "/check:deny=4030", "/check:deny=403x",
                                  "/check:deny=", "/check:allow", "/checkout", "/chec", "/Check", "//check", "/%63heck"])
def test_a_path_that_is_none_of_these_is_404_and_so_closed(serve, path):
    assert serve(rules=RULES).get(path, forwarded(uri="/search/a")).status == 404


def test_a_client_cannot_say_how_it_is_refused(serve):
    """Envoy puts its prefix before whatever path its client has, and its client's query is there too."""
    service = serve(rules=RULES)
    for path in ("/check/search/a?deny=403", "/check/search/:deny=403", "/check/search/a/b"):
        service.get(path)
    assert service.get("/check/search/a?deny=403&policy=none").status == 429
    response = service.get("/check/:deny=403/search/a")
    assert rule_of(response) == "default", "it is a path of the client's, of no rule in particular"


@pytest.mark.parametrize("path", ["/check/../health", "/check/%2e%2e/health", "/check/../../ready", "/check//../health",
                                  "/check/./../openapi.yaml", "/check/..", "/check/../../../"])
def test_no_path_leads_out_of_the_check(serve, path):
    service = serve(rules=rules_of(bucket(1)))
    assert rule_of(service.get(path)) == "default"
    assert service.get(path).status == 429


def test_what_is_forwarded_is_matched_in_one_spelling(serve):
    service = serve(rules=RULES)
    spellings = ["/search/a", "/search/a?x=/login", "//search/./a", "/%73earch/a", "/x/../search/a", "/search",
                 "https://shop.example/search/a?b", "http://shop.example/search#a"]
    for spelling in spellings[:2]:
        assert rule_of(service.get("/check", forwarded(uri=spelling))) == "search", spelling
    for spelling in spellings[2:]:
        response = service.get("/check", forwarded(uri=spelling))
        assert (response.status, response.json()["violated-policies"]) == (429, ["search"]), spelling
    assert rule_of(service.get("/check", forwarded(uri="https://shop.example"))) == "default"


@pytest.mark.parametrize("uri", ["/login%2F..%2flogin", "/x%2F..%2Flogin", "/%2Flogin"])
def test_an_encoded_slash_is_no_way_around_a_rule(serve, uri):
    service = serve(rules=RULES)
    answers = [service.get("/check", forwarded("POST", path)) for path in ("/login", uri, uri, "/login")]
    assert [answer.status for answer in answers] == [200, 200, 429, 429]
    assert rule_of(service.get("/check/search%2Fx")) == "search", "by an untrusted peer's path as well"



@pytest.mark.parametrize("uri", ["/%00", "/a%zz", "search", "*", "?x", "/a%0d%0ab", "ftp://host/a", "/%7f"])
def test_what_no_rule_can_be_matched_against_is_refused(serve, uri):
    service = serve(rules=RULES)
    response = service.get("/check", forwarded(uri=uri))
    assert (response.status, response["Content-Type"]) == (400, "application/problem+json")
    assert not response.closes
    assert uri.strip("/") not in response.json()["detail"]
    assert service.get("/check" + uri).status in (400, 404) if uri[0] == "/" else True


def test_what_is_forwarded_twice_is_refused(serve):
    service = serve(rules=RULES)
    for name in ("X-Forwarded-Uri", "X-Forwarded-Method", "X-Original-URL", "X-Forwarded-Host"):
        assert service.get("/check", [(name, "/search"), (name.upper(), "/other")]).status == 400, name
    assert service.get("/", [("X-Forwarded-Uri", "/a"), ("X-Forwarded-Uri", "/b")]).status == 200, "only at /check"


PRECEDENCE = [
    # headers, path after /check, rule
    ({"X-Forwarded-Uri": "/search/a", "X-Original-URI": "/login", "X-Original-URL": "http://h/login"}, "/x", "search"),
    ({"X-Original-URI": "/search/a", "X-Original-URL": "http://h/login"}, "/x", "search"),
    ({"X-Original-URL": "https://h:8443/search/a?x"}, "/x", "search"),
    ({}, "/search/a", "search"),
    ({"X-Forwarded-Uri": ""}, "/search/a", "search"),
    ({"x-forwarded-uri": "/search/a"}, "", "search"),
    ({"X-Forwarded-Method": "POST", "X-Original-Method": "GET"}, "/login", "login"),
    ({"X-Original-Method": "POST"}, "/login", "login"),
    ({"X-Forwarded-Method": "GET", "X-Original-Method": "POST"}, "/login", "default"),
    ({"X-Forwarded-Method": "post"}, "/login", "default"),
    ({"X-Forwarded-Method": "POST" * 10}, "/login", "default"),
]


@pytest.mark.parametrize("headers, rest, rule", PRECEDENCE)
def test_the_forwarded_request_is_found_in_this_order(serve, headers, rest, rule):
    assert rule_of(serve(rules=RULES).get("/check" + rest, headers)) == rule


def test_the_own_method_counts_where_none_is_forwarded(serve):
    service = serve(rules=RULES)
    assert rule_of(service.post("/check/login")) == "login"
    assert rule_of(service.get("/check/login")) == "default"


def test_nothing_that_an_untrusted_peer_forwards_is_believed(serve):
    service = serve(rules=RULES, env=UNTRUSTED)
    headers = {**forwarded("POST", "/login"), "X-Original-URI": "/login", "X-Original-URL": "/login",
               "X-Original-Method": "POST", "X-Forwarded-For": "192.0.2.1"}
    assert rule_of(service.get("/check/search/a", headers)) == "search"
    headers["X-Forwarded-For"] = "192.0.2.2"
    assert rule_of(service.get("/check/search/a", headers)) == "search"
    assert service.get("/check/search/a", headers).status == 429, "the address is the peer's"
    assert service.get("/check/search/a", [("X-Forwarded-Uri", "/a"), ("X-Forwarded-Uri", "/b")]).status == 429


def test_the_client_is_the_forwarded_one(serve, store):
    service = serve(store, RULES)

    def status(**headers):
        return service.get("/check", forwarded(uri="/keyed", **headers)).status
    assert [status(X_API_Key="a"), status(X_API_Key="b"), status(X_API_Key="a")] == [200, 200, 429]
    addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.9, 192.0.2.2"]
    assert [status(X_Forwarded_For=address) for address in addresses] == [200, 200, 429, 429]


def test_the_host_is_the_forwarded_one(serve):
    service = serve(rules=RULES)
    ask = [service.get("/check/host", {"X-Forwarded-Host": host}).status for host in ("a.example", "b.example", "a.example")]
    assert ask == [200, 200, 429]
    assert service.get("/check/host").status == 200, "of this request: test"
    service = serve(rules=RULES, env=UNTRUSTED)
    ask = [service.get("/check/host", {"X-Forwarded-Host": host}).status for host in ("a.example", "b.example")]
    assert ask == [200, 429]


def test_a_request_that_names_no_client_is_400(serve):
    response = serve(rules=RULES).get("/check", forwarded(uri="/strict"))
    assert response.status == 400
    assert "header:x-api-key" in response.json()["detail"]


def test_the_check_and_the_resource_share_a_quota(serve, store):
    service = serve(store, rules_of(bucket(100), data=at("/api/data", bucket(2))))
    statuses = [service.get("/check/api/data").status, service.get("/api/data").status, service.get("/check/api/data").status]
    assert statuses == [200, 200, 429]


def test_a_body_is_read_and_thrown_away(serve):
    service = serve(rules=rules_of(ROOMY), env={"MAX_BODY_BYTES": "1000"})
    assert service.post("/check/a", body=b"x" * 1000).status == 200
    assert service.post("/check/a", {"Transfer-Encoding": "chunked"}, chunked(b"x" * 10, b"y" * 20)).status == 200
    response = service.post("/check/a", body=b"x" * 1001)
    assert (response.status, response.closes) == (413, True)


def test_answers_keep_their_order_and_the_connection(serve, store):
    connection = serve(store, RULES).connect()
    ask = [request_bytes("GET", "/check", forwarded(uri=uri)) for uri in ("/search/a", "/x", "/search", "/%zz", "/search")]
    assert [response.status for response in connection.pipeline(ask)] == [200, 200, 200, 400, 429]
    assert connection.get("/check/x").status == 200


def test_a_path_as_long_as_a_request_can_have_is_matched(serve):
    service = serve(rules=RULES)
    long = "/search/" + "a" * 7000
    assert [service.get("/check" + long).status, service.get("/check", forwarded(uri=long)).status] == [200, 200]
    assert service.get("/check", forwarded(uri="/search/" + "b" * 8000)).status == 429
    assert service.get("/check", forwarded(uri="/search/" + "b" * 9000)).status == 400


MODES = [("closed", 503, None), ("open", 200, "open"), ("local", 200, "local")]


@pytest.mark.parametrize("mode, status, degraded", MODES, ids=[row[0] for row in MODES])
def test_without_its_store_the_failure_mode_decides(serve, redis, mode, status, degraded):
    service = serve(redis.url, rules_of(bucket(2, on_store_failure=mode)), workers=1)
    redis.kill()
    for path in ("/check/a", "/check:deny=403/a"):
        response = service.get(path)
        assert (response.status, response.get("X-RateLimit-Degraded")) == (status, degraded)
        assert not response.closes
        assert status == 200 or int(response["Retry-After"]) >= 1
    if mode == "local":
        assert service.get("/check:deny=403/a").status == 403
