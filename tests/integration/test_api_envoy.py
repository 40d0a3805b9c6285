"""What POST /json answers: the JSON of envoyproxy/ratelimit."""
import pytest

from api_requests import RULES, assert_mistake, post
from rules import bucket, rules_of


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
