"""identify_by: which parts of a request name its client, alone and together. Redis' keys tell whom it was taken for."""
import pytest

from api_requests import post
from http_client import request_bytes
from rules import ROOMY, at, bucket, rules_of
from test_check import forwarded


def clients(redis):
    """The clients that were counted, by the keys, whose client is in braces."""
    return sorted({key[key.index("{") + 1:key.index("}")] for key in redis.keys()})


def status(service, target="/", headers=(), host="test"):
    with service.connect() as connection:
        connection.send(request_bytes("GET", target, headers, host=host))
        return connection.read_response().status


def test_a_list_names_one_client_and_each_combination_has_its_own_quota(serve, store):
    service = serve(store, rules_of(bucket(1, identify_by=[["header:X-Tenant", "header:X-User"], "header:X-User", "ip"])))
    for headers in ({"X-Tenant": "a", "X-User": "1"}, {"X-Tenant": "a", "X-User": "2"}, {"X-Tenant": "b", "X-User": "1"},
                    {"X-User": "1"}, {"X-Tenant": "a&header:x-user=1"}):
        assert service.get("/", headers).status == 200, headers
        assert service.get("/", headers).status == 429, headers


def test_values_cannot_move_from_one_part_to_another(serve, store):
    service = serve(store, rules_of(bucket(1, identify_by=[["header:X-Tenant", "header:X-User"]])))
    pairs = [("a", "b&c"), ("a&b", "c"), ("a", "b&header:x-user=c"), ("a&header:x-user=b", "c"), ("a%26", "b"), ("a&", "b"),
             ("a" * 200, "b"), ("a" * 199, "ab"), ("a", "a" * 200)]
    for tenant, user in pairs:
        assert service.get("/", {"X-Tenant": tenant, "X-User": user}).status == 200, (tenant, user)
    for tenant, user in pairs:
        assert service.get("/", {"X-Tenant": tenant, "X-User": user}).status == 429, (tenant, user)


def test_where_a_part_is_missing_it_is_the_next_elements_turn(serve, store):
    service = serve(store, rules_of(bucket(1, identify_by=[["header:X-Tenant", "cookie:sid"]])))
    response = service.get("/", {"X-Tenant": "a", "Cookie": "other=1"})
    assert response.status == 400
    assert response.json()["detail"] == "The request names no client: looked for header:x-tenant + cookie:sid"
    assert service.get("/", {"X-Tenant": "a", "Cookie": "sid=1"}).status == 200


def test_a_host_is_one_client_in_all_its_spellings(serve, redis):
    service = serve(redis.url, rules_of({**ROOMY, "identify_by": ["host"]}))
    for host in ("API.Example.com", "api.example.com.", "api.example.com:8080", "api.EXAMPLE.com.:80"):
        assert status(service, host=host) == 200
    assert clients(redis) == ["host=api.example.com"]
    for host in ("[2001:DB8::1]:80", "[2001:db8:0:0::1]"):
        assert status(service, host=host) == 200
    assert clients(redis) == ["host=[2001:db8::1]", "host=api.example.com"]


def test_an_absolute_target_names_the_host(serve, redis):
    service = serve(redis.url, rules_of({**ROOMY, "identify_by": ["host"]}))
    assert status(service, "http://Inner.example:80/", host="outer.example") == 200
    assert clients(redis) == ["host=inner.example"]


def test_a_request_of_http_1_0_without_a_host_has_none(serve, redis):
    service = serve(redis.url, rules_of({**ROOMY, "identify_by": ["host", "global"]}))
    with service.connect() as connection:
        connection.send(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.read_response().status == 200
    assert clients(redis) == ["global"]


@pytest.mark.parametrize("host", ["a/b", "a b", "user@h", "h:http", "a..b", "[::1", "h,i", "h\x80", "h" * 254])
def test_what_is_no_host_is_refused_where_a_rule_looks_at_it(serve, store, host):
    named, other = (serve(store, rules_of(bucket(5, identify_by=[source, "ip"]))) for source in ("host", "header:X"))
    assert status(named, host=host) == 400
    assert status(other, host=host) == 200


def test_a_cookie_names_the_client(serve, redis):
    service = serve(redis.url, rules_of({**ROOMY, "identify_by": ["cookie:sid", "global"]}))
    for line in ("sid=abc", "a=b; sid=abc; c=d", 'sid="abc"', "sid=%61bc", "sid=; sid=abc", "SID=x; sid=abc; sid=x"):
        assert service.get("/", {"Cookie": line}).status == 200, line
    assert clients(redis) == ["cookie:sid=abc"]
    assert service.get("/", [("Cookie", "a=b"), ("cookie", "sid=two"), ("COOKIE", "sid=three")]).status == 200
    assert clients(redis) == ["cookie:sid=abc", "cookie:sid=two"]
    assert service.get("/", {"Cookie": "xsid=1; sid"}).status == 200
    assert clients(redis) == ["cookie:sid=abc", "cookie:sid=two", "global"]


def test_a_segment_of_the_path_names_the_client(serve, store):
    rules = rules_of(bucket(9), tenants=at("/check/**", bucket(9)), by=at("/t/**", bucket(1, identify_by=["path:2"])))
    service = serve(store, rules)
    assert service.get("/check/t/acme/users").status == 200
    for path in ("/check/t/acme", "/check//t/./acme/x/", "/check/t/%61cme/y"):
        assert service.get(path).status == 429, path
    assert service.get("/check/t/other").status == 200
    assert service.get("/check/t").status == 400


def test_an_encoded_slash_that_makes_the_segment_unclear_is_refused(serve, store):
    service = serve(store, rules_of(bucket(9), by=at("/t/**", bucket(2, identify_by=["path:2"]))))
    for path in ("/check/t/acme%2Fx", "/check/t/acme/..%2F..%2Ft%2Fother", "/check/t%2Facme"):
        response = service.get(path)
        assert response.status == 400, path
        assert response.json()["detail"] == "An encoded slash (%2F) makes it unclear which segment names the client."
    assert service.get("/check/t/acme/a%2Fb").status == 200, "it is acme in either spelling"


NETWORKS = [
    ("ip", ["203.0.113.7", "203.0.113.8", "2001:db8:0:1::7", "2001:db8:0:1::8"],
     ["ip=2001:db8:0:1::/64", "ip=203.0.113.7", "ip=203.0.113.8"]),
    ("ip/24", ["203.0.113.7", "203.0.113.8", "2001:db8:0:1::7", "2001:db8:0:2::7"],
     ["ip=2001:db8:0:1::/64", "ip=2001:db8:0:2::/64", "ip=203.0.113.0/24"]),
    ("ip/48", ["203.0.113.7", "203.0.113.8", "2001:db8:0:1::7", "2001:db8:0:2::7"],
     ["ip=2001:db8::/48", "ip=203.0.113.7", "ip=203.0.113.8"]),
    ("ip/16/128", ["203.0.113.7", "203.0.200.8", "2001:db8::7", "2001:db8::8", "::ffff:203.0.1.1"],
     ["ip=2001:db8::7", "ip=2001:db8::8", "ip=203.0.0.0/16"]),
]


@pytest.mark.parametrize("source, addresses, named", NETWORKS, ids=[row[0] for row in NETWORKS])
def test_a_network_is_one_client(serve, redis, source, addresses, named):
    service = serve(redis.url, rules_of({**ROOMY, "identify_by": [source]}))
    for address in addresses:
        assert service.get("/", {"X-Forwarded-For": address}).status == 200
    assert clients(redis) == named


def test_check_is_asked_about_the_forwarded_host_path_and_cookie(serve, redis):
    rules = rules_of({**ROOMY, "identify_by": [["host", "path:1", "cookie:sid"], "host", "ip"]})
    service = serve(redis.url, rules)
    cookie = {"Cookie": "sid=s"}
    assert service.get("/check", {**forwarded(uri="/acme/x", X_Forwarded_Host="API.example.com:443"), **cookie}).status == 200
    assert clients(redis) == ["host=api.example.com&path:1=acme&cookie:sid=s"]
    assert service.get("/check", {**forwarded(uri="http://in.example/acme"), **cookie}).status == 200
    assert service.get("/check/of/rest", {"Cookie": "sid=t"}).status == 200
    assert clients(redis)[1:] == ["host=in.example&path:1=acme&cookie:sid=s", "host=test&path:1=of&cookie:sid=t"]
    assert service.get("/check", forwarded(X_Forwarded_Host="a.example, b.example")).status == 400


def test_an_untrusted_peer_says_nothing_about_host_and_path(serve, redis):
    service = serve(redis.url, rules_of({**ROOMY, "identify_by": [["host", "path:1"]]}), env={"TRUSTED_PROXIES": "none"})
    assert service.get("/check/own", forwarded(uri="/theirs", X_Forwarded_Host="theirs.example")).status == 200
    assert clients(redis) == ["host=test&path:1=own"]


def test_the_json_api_names_a_client_by_the_same_sources(serve, redis):
    rules = rules_of(ROOMY, t=at("/t/**", {**ROOMY, "identify_by": [["host", "path:2", "cookie:sid", "ip/24"]]}))
    service = serve(redis.url, rules)
    body = {"path": "/t/acme", "headers": {"Cookie": "sid=s", "Host": "H.example:80"}, "ip": "192.0.2.7"}
    assert post(service, "/v1/check", body).status == 200
    assert post(service, "/v1/check", {**body, "host": "other.example."}).status == 200
    assert post(service, "/v1/check", {**body, "path": "https://third.example/t/acme?x"}).status == 200
    rest = "&path:2=acme&cookie:sid=s&ip=192.0.2.0/24"
    assert clients(redis) == [f"host={host}.example{rest}" for host in ("h", "other", "third")]
