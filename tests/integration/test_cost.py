"""cost: what a request takes from its limits, by its rule or by a header of a trusted peer."""
import pytest

from api_requests import assert_mistake, batch, post
from rules import at, bucket, rules_of, window
from test_check import UNTRUSTED, forwarded

RULES = rules_of(bucket(100), **{
    "upload": at("/api/**", window("fixed_window", 10, cost=4)),
    "header": at("/", bucket(10, cost="header:X-Cost")),
    "few": bucket(10, cost=3),
    "peek": at("/limited-resource", bucket(10, cost="header:X-Cost")),
})
BAD = "The header that says the cost must be a whole number from 0 to 9007199254740991."


def left(response):
    return (response.status, int(response["X-RateLimit-Remaining"]))


def test_each_request_of_a_rule_takes_its_cost(serve, store):
    service = serve(store, RULES)
    assert [left(service.get("/api/data")) for _ in range(3)] == [(200, 6), (200, 2), (429, 2)]


def test_forward_auth_takes_it_too(serve, store):
    service = serve(store, RULES)
    assert [left(service.get("/check", forwarded(uri="/api/x"))) for _ in range(3)] == [(200, 6), (200, 2), (429, 2)]
    assert left(service.get("/check", {**forwarded(uri="/"), "X-Cost": "7"})) == (200, 3)


def test_a_trusted_peer_says_the_cost(serve, store):
    service = serve(store, RULES)
    said = [(None, 200, 9), ("4", 200, 5), ("0", 200, 5), ("6", 429, 5), ("  5\t", 200, 0), ("", 429, 0), ("0", 200, 0)]
    for cost, status, remaining in said:
        assert left(service.get("/", {"X-Cost": cost} if cost is not None else {})) == (status, remaining), cost


def test_a_cost_above_the_limit_is_never_possible(serve, store):
    response = serve(store, RULES).get("/", {"X-Cost": "9007199254740991"})
    assert left(response) == (429, 10)
    assert "Retry-After" not in response


@pytest.mark.parametrize("cost", ["-1", "1.5", "1e2", "x", "9007199254740992", "1,1", "0" * 17, "0x1"])
def test_a_cost_that_is_none_is_refused_and_nothing_is_counted(serve, store, cost):
    service = serve(store, RULES)
    for path, headers in (("/", {}), ("/check", forwarded(uri="/"))):
        response = service.get(path, {**headers, "X-Cost": cost})
        assert (response.status, response.json()["detail"], response.closes) == (400, BAD, False)
    assert left(service.get("/")) == (200, 9)


def test_nobody_else_says_the_cost(serve, store):
    service = serve(store, RULES, env=UNTRUSTED)
    for cost in ("0", "10", "x"):
        assert service.get("/", {"X-Cost": cost}).status == 200
    assert left(service.get("/", {"X-Cost": "0"})) == (200, 6)


def test_the_cost_of_a_check_is_its_own_or_the_rules(serve, store):
    service = serve(store, RULES)
    assert left(post(service, "/v1/check", {"rule": "few", "client": "u"})) == (200, 7)
    assert left(post(service, "/v1/check", {"rule": "few", "client": "u", "cost": 1})) == (200, 6)
    assert left(post(service, "/v1/check", {"rule": "few", "client": "u", "cost": 0})) == (200, 6)
    assert [result["remaining"] for result in batch(service, {"rule": "few", "client": "u"}, {"path": "/api/x", "client": "u"})] == [3, 6]
    assert_mistake(post(service, "/v1/check", {"rule": "few", "client": "u", "cost": -1}), 400, "cost")


def test_a_header_in_a_check_says_no_cost(serve, store):
    """An application may pass on the headers of its clients."""
    service = serve(store, RULES)
    body = {"path": "/", "ip": "192.0.2.1", "headers": {"X-Cost": "0"}}
    assert [left(post(service, "/v1/check", body)) for _ in range(2)] == [(200, 9), (200, 8)]
    assert left(post(service, "/v1/check", {**body, "cost": 3})) == (200, 5)


def test_envoy_s_hits_count_before_the_rules_cost(serve, store):
    service = serve(store, RULES)

    def remaining(**more):
        body = {"domain": "few", "descriptors": [{"entries": [{"key": "k", "value": "v"}], **more.pop("own", {})}], **more}
        return post(service, "/json", body).json()["statuses"][0].get("limitRemaining", 0)

    assert [remaining(), remaining(hitsAddend=1), remaining(hitsAddend=0), remaining(own={"hitsAddend": 2})] == [7, 6, 3, 1]
    assert remaining(own={"hitsAddend": 0}) == 1
