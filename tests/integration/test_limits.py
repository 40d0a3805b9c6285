"""Which rule, which limit, how many: each algorithm, several limits at once, paths in every spelling."""
import pytest

import structured_fields
from rules import ROOMY, at, bucket, each_algorithm, each_quick_algorithm, rules_of, window
from waiting import wait_for

ALGORITHMS = list(each_algorithm(1))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_exactly_the_limit_passes(serve, store, algorithm):
    service = serve(store, rules_of(each_algorithm(7)[algorithm]))
    responses = [service.get("/") for _ in range(10)]
    assert [response.status for response in responses] == [200] * 7 + [429] * 3
    assert [int(response["X-RateLimit-Remaining"]) for response in responses] == [6, 5, 4, 3, 2, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_was_refused_passes_later(serve, store, algorithm):
    service = serve(store, rules_of(each_quick_algorithm(2)[algorithm]))
    wait_for(lambda: service.get("/").status == 429, "the limit is reached")
    wait_for(lambda: service.get("/").status == 200, "it comes back")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_client_has_a_quota_of_its_own(serve, store, algorithm):
    rule = {**each_algorithm(2)[algorithm], "identify_by": ["header:user_id"]}
    service = serve(store, rules_of(rule))
    for user in ("a", "b", "c"):
        assert service.statuses(3, "/", {"user_id": user}) == [200, 200, 429], user


def test_global_is_one_quota_for_all(serve, store):
    service = serve(store, rules_of(bucket(2, identify_by=["header:user_id", "global"])))
    assert [service.connect(source=f"127.0.0.{i}").get("/").status for i in (1, 2, 3)] == [200, 200, 429]
    assert service.get("/", {"user_id": "a"}).status == 200


def test_the_memory_of_all_workers_is_one(serve):
    service = serve(rules=rules_of(bucket(10)), workers=4)
    statuses = [service.connect().get("/").status for _ in range(24)]
    assert statuses == [200] * 10 + [429] * 14


def remaining_of(response, name):
    """What this limit has left, in an answer that shows all of them."""
    return dict(structured_fields.parse(response["RateLimit"]))[name]["r"]


@pytest.mark.parametrize("other", ALGORITHMS)
@pytest.mark.parametrize("refusing", ALGORITHMS)
def test_several_limits_are_all_or_nothing(serve, store, refusing, other):
    """Whether the one that refuses comes first or last: the other one is spent by what passes alone."""
    rules = rules_of({"limits": [each_algorithm(1000)[other], each_quick_algorithm(3)[refusing]]},
                     data=at("/api/data", {"limits": [each_quick_algorithm(3)[refusing], each_algorithm(1000)[other]]}))
    service = serve(store, rules)
    for path, name in (("/", "default:0"), ("/api/data", "data:1")):
        statuses = []

        def passes_again(path=path, statuses=statuses):
            response = service.get(path)
            statuses.append(response.status)
            return response if response.status == 200 and statuses.count(429) >= 3 else None
        response = wait_for(passes_again, "it passes again after refusals")
        assert remaining_of(response, name) == 1000 - statuses.count(200)


def test_a_request_that_two_limits_refuse_names_both(serve, store):
    service = serve(store, rules_of({"limits": [bucket(1), window("fixed_window", 1)]}))
    assert service.get("/").status == 200
    response = service.get("/")
    assert response.json()["violated-policies"] == ["default:0", "default:1"]
    assert int(response["Retry-After"]) > 3600, "the longer of both waits"


def test_the_first_rule_that_matches_decides(serve, store):
    rules = rules_of(bucket(1), get=at("/api/data", bucket(2), methods=["GET"]), any=at("/api/*", bucket(3)),
                     unreached={"capacity": 4, "refill_rate": 1})
    service = serve(store, rules)
    assert service.get("/api/data")["X-RateLimit-Limit"] == "2"
    assert service.request("HEAD", "/api/data")["X-RateLimit-Remaining"] == "0", "HEAD is GET"
    assert service.post("/api/submit")["X-RateLimit-Limit"] == "3"
    assert service.get("/")["X-RateLimit-Limit"] == "1"


def assert_not_limited(response):
    assert (response.status, response.json()["rule"]) == (200, None), response
    for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit", "RateLimit-Policy",
                 "Retry-After"):
        assert name not in response
    assert response["Cache-Control"] == "no-store"


def test_without_a_default_what_no_rule_matches_is_not_limited(serve, store):
    service = serve(store, {"api": at("/api/data", bucket(1, identify_by=["header:X-API-Key"]))}, workers=1)
    for path in ("/", "/check/other", "/check:deny=403/other", "/check"):
        for _ in range(3):
            assert_not_limited(service.get(path))
    assert "message" in service.get("/").json()
    statuses = [service.get("/api/data", {"X-API-Key": "k"}).status for _ in range(2)]
    assert statuses == [200, 429], "what a rule matches is limited"
    assert service.post("/api/data").status == 405
    assert service.get("/nothing").status == 404


def test_what_is_not_limited_does_not_need_the_store(serve):
    service = serve("redis://127.0.0.1:1", {"api": at("/api/data", bucket(1))})
    assert_not_limited(service.get("/"))
    assert service.get("/api/data").status == 503


def test_two_rules_never_share_a_quota(serve, store):
    rules = rules_of(bucket(1), a=at("/api/data", bucket(1)), b=at("/limited-resource", bucket(1)))
    service = serve(store, rules)
    assert [service.get(path).status for path in ("/", "/api/data", "/limited-resource")] == [200, 200, 200]
    assert [service.get(path).status for path in ("/", "/api/data", "/limited-resource")] == [429, 429, 429]


SPELLINGS = ["/api/data?", "/api/data?a=b&c", "/api/%64ata", "/api/./data", "/x/../api/data", "//api///data",
             "/api/data#f", "http://test/api/data", "http://other.example:81/api/data?x"]


def test_no_spelling_of_a_path_goes_round_its_rule(serve, store):
    service = serve(store, rules_of(ROOMY, data=at("/api/data", bucket(1))))
    assert service.get("/api/data").status == 200
    for spelling in SPELLINGS:
        response = service.get(spelling)
        assert response.status in (429, 404, 400), spelling
        if response.status == 429:
            assert response["RateLimit-Policy"].startswith('"data"'), spelling
    assert service.get("/api/%64ata").status == 429
    assert service.get("//api/./data?x").status == 429


def test_other_paths_are_other_paths(serve):
    service = serve(rules=rules_of(bucket(1)))
    for path in ("/api/data/", "/API/data", "/api/data%2f", "/api%2fdata", "/api/data%00", "/api/data%", "/../etc", "*",
                 "/api/data;x=1", "/%2e%2e/etc/passwd"):
        assert service.get(path).status in (400, 404), path
    assert service.get("/api/data").status == 200, "none of them was counted"
