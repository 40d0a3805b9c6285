"""GET /v1/history: what the service and each rule did over time agrees with what /metrics counts."""
import time

import pytest

import threads
from rules import ROOMY, at, bucket, rules_of
from scraping import scrape
from test_metrics import RULES, ask_all
from test_reload import reload
from waiting import Stopwatch, wait_for

LOCAL = "127.0.0.1:0"


def history(service, span="15m", rule=None):
    response = service.admin("GET", f"/v1/history?span={span}" + (f"&rule={rule}" if rule else ""))
    assert response.status == 200, response
    return response.json()


def counted(shown):
    """How many of each there were in the whole span: numbers a second, times the seconds that were measured."""
    return {name: round(sum(rate * over_s for rate, over_s in zip(series, shown["over_s"]) if rate is not None))
            for name, series in shown["series"].items() if not name.endswith("_us")}


@pytest.mark.parametrize("span, step_s, points", [("15m", 5, 180), ("24h", 300, 288)])
def test_each_span_has_what_a_counted_session_did(serve, store, span, step_s, points):
    service = serve(store, RULES, admin=LOCAL)
    wait_for(lambda: service.health()["status"] == "ok", "every worker has its store")
    ask_all(service)
    wait_for(lambda: counted(history(service, span))["refused"] == 8, "a sample")
    shown = history(service, span)
    assert (shown["span"], shown["step_s"], shown["points"]) == (span, step_s, points)
    assert {len(series) for series in [shown["over_s"], *shown["series"].values()]} == {points}
    assert 0 < shown["until"] - time.time() <= step_s + 1 and shown["until"] % step_s == 0
    assert counted(shown) == {"allowed": 9, "refused": 8, "near_limit": 4, "degraded": 0}
    assert counted(history(service, span, "default")) == {"allowed": 3, "refused": 2, "near_limit": 1, "degraded": 0}
    assert set(history(service, span, "default")["series"]) == {"allowed", "refused", "near_limit", "degraded"}
    found = scrape(service)
    assert found["ratelimitd_near_limit_decisions_total", "default"] == 1
    assert sum(value for (_, labels), value in found.families["ratelimitd_decisions_total"].samples.items()) == 17
    (median,) = {us for us in shown["series"]["p50_us"] if us is not None}
    assert 0 < median < 10_000_000
    assert any(shown["series"]["redis_p99_us"]) == (store != "memory")


def test_before_the_start_there_is_nothing(serve):
    shown = history(serve(rules=RULES, admin=LOCAL), "24h")
    measured = [over_s > 0 for over_s in shown["over_s"]]
    assert measured[:-2] == [False] * 286 and measured[-1]
    for series in shown["series"].values():
        assert set(series[:-2]) == {None}
    assert shown["series"]["allowed"][-1] == 0 and shown["series"]["p99_us"][-1] is None


def test_points_follow_each_other(serve):
    service = serve(rules=RULES, admin=LOCAL)
    until = history(service)["until"]
    assert service.statuses(3, "/api/data") == [200] * 3
    wait_for(lambda: history(service)["until"] > until, "the next point")
    assert counted(history(service, rule="shadow"))["allowed"] == 3


@pytest.mark.threads
def test_a_late_sample_makes_a_gap_and_no_spike(serve):
    service = serve(rules=rules_of(ROOMY), admin=LOCAL)
    wait_for(lambda: sum(history(service)["over_s"]) > 1, "it runs for a while")
    with threads.held(service.process.pid, "admin"):
        watch = Stopwatch()
        assert service.statuses(1000, "/") == [200] * 1000
        wait_for(lambda: watch.elapsed_s() > 11, "two points pass")
    wait_for(lambda: counted(history(service))["allowed"] == 1000, "a sample")
    shown = history(service)
    assert 0 in shown["over_s"][shown["over_s"].index(next(filter(None, shown["over_s"]))):], "a point that passed unseen"
    assert max(rate for rate in shown["series"]["allowed"] if rate is not None) <= 1000 / 11
    assert max(rate["allowed"] for rate in service.admin("GET", "/v1/rates").json()["rules"]) <= 1000 / 11


def test_a_rule_that_comes_back_begins_anew_and_all_of_it_is_remembered(serve):
    service = serve(rules=rules_of(bucket(9), other=at("/api/data", bucket(9))), admin=LOCAL)
    assert service.statuses(4, "/api/data") == [200] * 4
    wait_for(lambda: counted(history(service, rule="other"))["allowed"] == 4, "a sample")
    reload(service, rules_of(bucket(9)))
    wait_for(lambda: service.admin("GET", "/v1/history?rule=other").status == 404, "a sample")
    reload(service, rules_of(bucket(9), other=at("/api/data", bucket(9))))
    wait_for(lambda: service.admin("GET", "/v1/history?rule=other").status == 200, "a sample")
    assert service.statuses(2, "/api/data") == [200] * 2
    wait_for(lambda: counted(history(service, rule="other"))["allowed"] == 2, "a sample")
    assert counted(history(service))["allowed"] == 6


@pytest.mark.parametrize("query, status, said", [
    ("span=1h", 400, "15m or 24h"), ("span=", 400, ""), ("rule=none", 404, "No rule"), ("rule=%00", 400, ""),
    ("rule=" + "x" * 2000, 400, "longer"), ("span=15m&span=15m", 400, "twice"), ("rule=%ff%fe", 404, "No rule"),
    ("rule=<script>", 404, "No rule"), ("what=15m", 400, "span"), ("rule=../default", 404, "No rule")])
def test_a_wrong_question_is_a_problem_that_repeats_nothing(serve, query, status, said):
    response = serve(rules=RULES, admin=LOCAL).admin("GET", "/v1/history?" + query)
    assert response.status == status and said in response.json()["detail"], response.body
    assert b"script" not in response.body and b"xxx" not in response.body


def test_it_needs_the_token(serve):
    service = serve(rules=RULES, admin=LOCAL, env={"ADMIN_TOKEN": "the-token-of-the-operator"})
    assert service.admin("GET", "/v1/history").status == 401
    assert service.admin("GET", "/v1/history?span=wrong").status == 401, "who may not ask is not told what is wrong"
    assert service.admin("GET", "/v1/history", {"Authorization": "Bearer the-token-of-the-operator"}).status == 200
    assert service.get("/v1/history").status == 404
