"""GET /v1/status and /v1/rates: what the service does now agrees with what /metrics counts."""
import json
import re
import signal
import socket
import time

import pytest

from rules import at, bucket, rules_of
from scraping import scrape
from test_metrics import RULES, ask_all
from waiting import wait_for

LOCAL = "127.0.0.1:0"


def status(service):
    response = service.admin("GET", "/v1/status")
    assert (response.status, response["Content-Type"]) == (200, "application/json")
    return response.json()


def rates(service):
    return service.admin("GET", "/v1/rates").json()


def counted(shown, over_s):
    """From numbers a second to numbers."""
    return {name: round(rate * over_s) for name, rate in shown.items() if not isinstance(rate, str) and name != "over_s"}


def of_rules(service):
    shown = rates(service)
    return {rule["rule"]: {name: count for name, count in counted(rule, shown["over_s"]).items() if count}
            for rule in shown["rules"]}


def test_a_service_that_was_just_started_says_who_it_is(serve, store):
    began = time.time()
    service = serve(store, RULES, admin=LOCAL)
    wait_for(lambda: service.health()["status"] == "ok", "every worker has its store")
    shown = status(service)
    assert re.fullmatch("[0-9a-f]{16}", shown["node"]["id"]) and shown["node"]["host"] == socket.gethostname()
    assert began - 1 < shown["node"]["since"] <= shown["now"] < time.time() + 1
    assert shown["store"]["kind"] == ("memory" if store == "memory" else "redis")
    assert shown["store"]["state"] == "ready" and shown["store"]["workers"] == {"ready": 2, "connecting": 0, "lost": 0}
    assert set(counted(shown["rates"], 1).values()) == {0} and shown["latency"] is None
    assert shown["connections"]["open"] == 1 and shown["connections"]["max"] > 1
    assert shown["rules"]["count"] == len(RULES) and began - 1 < shown["rules"]["loaded"] < time.time() + 1
    (node,) = shown["nodes"]
    assert (node["id"], node["version"], node["store"]) == (shown["node"]["id"], shown["version"], "ready")


def test_rates_are_those_of_a_counted_session_and_agree_with_metrics(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    wait_for(lambda: service.health()["status"] == "ok", "every worker has its store")
    ask_all(service)
    wait_for(lambda: of_rules(service).get("named", {}).get("candidate_refused") == 2, "a sample, and all candidates")
    assert of_rules(service) == {
        "default": {"allowed": 3, "refused": 2, "near_limit": 1}, "shadow": {"allowed": 3, "shadow_refused": 2, "near_limit": 1},
        "blocked": {"refused": 2}, "punished": {"allowed": 1, "refused": 3, "near_limit": 1},
        "named": {"allowed": 2, "refused": 1, "candidate_refused": 2, "near_limit": 1}}
    assert list(of_rules(service)) == list(RULES), "in their order"
    shown, found = status(service), scrape(service)
    decisions = {"allowed": 0, "refused": 0}
    for (_, labels), value in found.families["ratelimitd_decisions_total"].samples.items():
        result = dict(labels)["result"]
        decisions["allowed" if result == "allowed" or result.startswith("shadow_") else "refused"] += value
    now = counted(shown["rates"], shown["rates"]["over_s"])
    assert {name: now[name] for name in decisions} == decisions
    assert now["requests"] == 9 + 8 and now["near_limit"] == 4
    assert (now["degraded"], now["unmatched"]) == (0, 0)
    latency = shown["latency"]
    assert 0 < latency["p50_us"] <= latency["p90_us"] <= latency["p99_us"] <= latency["p999_us"]
    assert (shown["redis_latency"] is None) == (store == "memory")


def test_what_no_rule_limits_is_a_rate_of_its_own(serve):
    service = serve(rules={"few": at("/few", bucket(2))}, admin=LOCAL)
    assert service.statuses(4, "/") == [200] * 4
    wait_for(lambda: status(service)["rates"]["unmatched"] > 0, "a sample")
    shown = status(service)["rates"]
    assert shown["unmatched"] == shown["requests"] and shown["allowed"] == 0


def test_degraded_decisions_are_a_rate_and_the_store_is_said_to_be_away(serve, redis):
    service = serve(redis.url, rules_of(bucket(2, on_store_failure="open")), admin=LOCAL, workers=1)
    redis.kill()
    wait_for(lambda: service.health()["status"] == "degraded", "it knows that Redis is away")
    assert service.statuses(3, "/") == [200] * 3
    wait_for(lambda: status(service)["rates"]["degraded"] > 0, "a sample")
    shown = status(service)
    assert shown["rates"]["degraded"] == shown["rates"]["allowed"]
    assert shown["store"]["state"] != "ready" and shown["store"]["workers"]["ready"] == 0


def test_rates_go_on_through_a_reload_and_forget_what_is_gone(serve):
    service = serve(rules=rules_of(bucket(9), other=at("/api/data", bucket(9))), admin=LOCAL,
                    env={"ADMIN_TOKEN": "the-token-of-the-operator"})
    bearer = {"Authorization": "Bearer the-token-of-the-operator"}

    def names():
        return [rule["rule"] for rule in json.loads(service.admin("GET", "/v1/rates", bearer).body)["rules"]]

    wait_for(lambda: names() == ["default", "other"], "a sample")
    service.write_rules(rules_of(bucket(9), new=bucket(1)))
    assert service.admin("POST", "/v1/rules/reload", bearer).status == 200
    wait_for(lambda: names() == ["default", "new"], "a sample")


def test_changes_of_the_store_are_shown_with_their_reasons(serve, redis):
    began = time.time()
    service = serve(redis.url, RULES, admin=LOCAL)

    def states():
        return [change["state"] for change in status(service)["store"]["changes"]]

    wait_for(lambda: states() == ["ready"], "it is connected")
    redis.kill()
    wait_for(lambda: states() == ["lost", "ready"], "it is lost")
    redis.start()
    wait_for(lambda: states() == ["ready", "lost", "ready"], "it is there again")
    changes = status(service)["store"]["changes"]
    assert changes[1]["reason"] and changes[0]["reason"] == changes[2]["reason"] == ""
    assert time.time() + 1 > changes[0]["at"] > changes[1]["at"] > changes[2]["at"] > began - 1


def test_a_store_that_stops_answering_is_shown(serve, redis):
    service = serve(redis.url, RULES, admin=LOCAL, env={"REDIS_TIMEOUT_MS": "200"})
    wait_for(lambda: status(service)["store"]["changes"], "it is connected")
    redis.freeze()
    try:
        wait_for(lambda: service.get("/").status == 503 and status(service)["store"]["changes"][0]["state"] == "lost",
                 "it is lost")
    finally:
        redis.thaw()
    wait_for(lambda: status(service)["store"]["changes"][0]["state"] == "ready", "it is there again")


def test_the_last_reloads_are_shown_with_their_mistakes(serve):
    service = serve(rules=rules_of(bucket(9)), admin=LOCAL, env={"ADMIN_TOKEN": "the-token-of-the-operator"})
    bearer = {"Authorization": "Bearer the-token-of-the-operator"}

    def reloads():
        return service.admin("GET", "/v1/status", bearer).json()["reloads"]

    assert reloads() == []
    service.write_rules('{"default": {"capacity": "<script>\\u001b[2J\\"", "window": 7}, "x y": {}, "z": 1}')
    refused = service.admin("POST", "/v1/rules/reload", bearer).json()["mistakes"]
    service.write_rules(rules_of(bucket(9), new=bucket(2)))
    service.signal(signal.SIGHUP)
    wait_for(lambda: len(reloads()) >= 2, "it was reloaded")
    done, bad = reloads()[0], next(reload for reload in reloads() if not reload["ok"])
    assert done["ok"] and "1 added" in done["text"] and done["mistakes"] == []
    assert bad["mistakes"] == [mistake[:255] for mistake in refused] and len(refused) >= 2
    assert f"{len(refused)} mistakes" in bad["text"] and "previous rules stay" in bad["text"]
    assert done["at"] >= bad["at"] > time.time() - 60
    assert "\x1b" not in json.dumps(reloads(), ensure_ascii=False)
    for _ in range(12):
        service.admin("POST", "/v1/rules/reload", bearer)
    assert len(reloads()) == 10


@pytest.mark.parametrize("path", ["/v1/status", "/v1/rates"])
def test_they_need_the_token(serve, path):
    service = serve(rules=RULES, admin=LOCAL, env={"ADMIN_TOKEN": "the-token-of-the-operator"})
    assert service.admin("GET", path).status == 401
    assert service.admin("GET", path, {"Authorization": "Bearer another"}).status == 401
    assert service.admin("GET", path, {"Authorization": "Bearer the-token-of-the-operator"}).status == 200
    assert service.admin("GET", path, {"Authorization": "Bearer the-token-of-the-operator"}, host="evil.example").status == 421
    assert service.get(path).status == 404, "the public listener has it not"
