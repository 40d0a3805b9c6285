"""The log of refusals: who is refused, in few lines."""
import json
import re
import signal

import pytest

from rules import at, bucket, rules_of
from service import REPOSITORY
from waiting import wait_for

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PLAIN = {"LOG_CLIENTS": "plain"}
KEYED = bucket(2, identify_by=["header:X-API-Key", "ip"])
RULES = rules_of(bucket(1000), keyed=at("/keyed", KEYED), shadow=at("/shadow", {**KEYED, "shadow": True}))


def refusals(service):
    """The lines so far, without their times."""
    lines = [json.loads(line) for line in service.log().splitlines()]
    return [{name: value for name, value in line.items() if name not in ("time", "level")}
            for line in lines if line["module"] == "refusals"]


def wait_for_refusals(service, count):
    wait_for(lambda: len(refusals(service)) >= count, f"{count} lines")
    return refusals(service)


def check(service, client, count=1, path="/check/keyed"):
    return service.statuses(count, path, {"X-API-Key": client})


def test_the_first_refusal_is_told_at_once_and_the_others_as_a_sum_at_the_end(serve, store):
    service = serve(store, RULES, env=PLAIN)
    assert check(service, "one", 10) == [200] * 2 + [429] * 8
    [line] = wait_for_refusals(service, 1)
    assert 3590 <= line.pop("retry_after") <= 3600
    first = {"module": "refusals", "message": "client refused", "rule": "keyed", "client": "header:x-api-key=one",
             "result": "refused", "limit": 2, "window": "2h"}
    assert line == first
    check(service, "two", 3)
    assert wait_for_refusals(service, 2)[1]["client"] == "header:x-api-key=two"
    assert service.stop() == 0
    _, _, line = refusals(service)
    del line["retry_after"]
    assert line == {**first, "suppressed": 7}


def test_of_all_workers_there_is_one_first_line(serve, store):
    """And one sum."""
    service = serve(store, RULES, env=PLAIN, workers=4)
    connections = [service.connect() for _ in range(40)]
    statuses = [connection.get("/check/keyed", {"X-API-Key": "one"}).status for connection in connections]
    assert sorted(statuses) == [200] * 2 + [429] * 38
    wait_for_refusals(service, 1)
    for connection in connections:
        connection.close()
    assert service.stop() == 0
    assert [line.get("suppressed") for line in refusals(service)] == [None, 37]


def test_it_needs_no_admin_listener_and_no_analytics(serve, store):
    service = serve(store, RULES, env={"ADMIN_LISTEN": "off", "ANALYTICS": "off"})
    check(service, "one", 3)
    wait_for_refusals(service, 1)


def test_each_result_has_its_words(serve, redis):
    """Those of docs/logging.md."""
    once = {"identify_by": ["ip"]}
    rules = rules_of(bucket(1000), penal=at("/penal", bucket(1, **once, penalty={"after": 1, "within": "1h", "for": "1h"})),
                     barred=at("/barred", bucket(1, clients={"127.0.0.1": "blocked"}, **once)),
                     closed=at("/closed", bucket(1, **once)),
                     tried=at("/tried", bucket(1, shadow=True, **once)),
                     spied=at("/spied", bucket(1, shadow=True, clients={"127.0.0.1": "blocked"}, **once)))
    service = serve(redis.url, rules, env={"REDIS_TIMEOUT_MS": "1000"})
    for rule in ("penal", "barred", "closed", "tried", "spied"):
        service.statuses(3, f"/check/{rule}")
    wait_for_refusals(service, 6)
    redis.kill()
    service.statuses(2, "/check/closed")
    lines = wait_for_refusals(service, 7)
    told = {(line["rule"], line["message"], line["result"]) for line in lines}
    assert told == {("penal", "client refused", "refused"), ("penal", "client penalised", "penalised"),
                    ("barred", "client blocked", "blocked"), ("closed", "client refused", "refused"),
                    ("tried", "client would be refused", "shadow_refused"),
                    ("spied", "client would be blocked", "shadow_blocked"),
                    ("closed", "clients refused, as the store is unavailable", "unavailable")}
    page = (REPOSITORY / "docs/logging.md").read_text()
    for _, message, result in told - {("spied", "client would be blocked", "shadow_blocked")}:
        assert f"| `{message}` | `{result}` |" in page
    assert all("client" in line for line in lines if line["result"] != "unavailable")
    assert not [line for line in lines if line["result"] == "unavailable" and line.keys() & {"client", "limit", "window"}]


def test_what_is_not_refused_or_costs_nothing_is_not_told(serve):
    service = serve(rules=RULES)
    check(service, "one", 2)
    assert service.post("/v1/check", body=b'{"path": "/keyed", "headers": {"X-API-Key": "one"}, "cost": 0}').status in (200, 429)
    assert service.get("/nowhere").status == 404
    assert service.stop() == 0
    assert refusals(service) == []


def test_a_sum_does_not_need_the_stream_to_go_on(serve):
    """What is in it when the service ends is read, too."""
    service = serve(rules=RULES, env=PLAIN)
    check(service, "one", 200)
    assert service.stop() == 0
    assert [line.get("suppressed", 1) for line in refusals(service)] == [1, 197]


def test_all_logs_each_refusal(serve):
    service = serve(rules=RULES, env={**PLAIN, "LOG_REFUSALS": "all"})
    check(service, "one", 30)
    assert len(wait_for_refusals(service, 28)) == 28
    assert not [line for line in refusals(service) if "suppressed" in line]


def test_off_logs_nothing(serve):
    service = serve(rules=RULES, env={"LOG_REFUSALS": "off"})
    check(service, "one", 30)
    assert service.stop() == 0
    assert "refusals" not in service.log()


def test_the_trace_of_a_refusal_is_logged(serve, store):
    service = serve(store, RULES)
    headers = {"X-API-Key": "one", "traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
    service.statuses(3, "/check/keyed", headers)
    [line] = wait_for_refusals(service, 1)
    assert line["trace_id"] == TRACE_ID
    for _ in range(3):
        body = b'{"path": "/keyed", "headers": {"X-API-Key": "two"}}'
        service.post("/v1/check", {"traceparent": headers["traceparent"]}, body)
    assert wait_for_refusals(service, 2)[1]["trace_id"] == TRACE_ID
    service.statuses(3, "/check/keyed", {"X-API-Key": "three"})
    assert "trace_id" not in wait_for_refusals(service, 3)[2]


def test_the_trace_of_a_change_is_told(serve):
    """With each line about the request that asked for it."""
    token = {"Authorization": "Bearer a-token-of-the-admin"}
    traced = {**token, "traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
    service = serve(rules=RULES, admin="127.0.0.1:0", env={"ADMIN_TOKEN": "a-token-of-the-admin"})
    def lines(module):
        found = [json.loads(line) for line in service.log().splitlines()]
        return [line.get("trace_id") for line in found if line["module"] == module]
    body = b'{"client": "203.0.113.9", "for": "1h"}'
    for headers in (traced, token):
        assert service.admin("POST", "/v1/clients/block", headers, body).status == 200
        assert service.admin("POST", "/v1/rules/reload", headers, b"").status == 200
    service.write_rules("{}x")
    assert service.admin("POST", "/v1/rules/reload", traced, b"").status == 422
    assert lines("overrides") == [TRACE_ID, None]
    told = lines("reload")
    assert told[:2] == [TRACE_ID, None] and len(told) >= 4 and set(told[2:]) <= {TRACE_ID, None}
    assert told.count(TRACE_ID) >= 3


# Every byte that a header may have, as a client's name.
NAMES = ["plain-name", 'quo"te', "back\\slash", "a=b&c=d", "{brace}", "100%", "<script>", "tab\tbed", "\x7f".encode() + b"\xff",
         "ünïcode".encode(), b"\xc2\x9b31m", "x" * 300, "%0a%0d", "'; DROP TABLE", "${jndi:ldap://x}", "a b  c"]


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_nothing_of_a_client_reaches_the_log_raw(serve, log_format):
    service = serve(rules=RULES, env={**PLAIN, "LOG_FORMAT": log_format})
    for name in NAMES:
        for _ in range(3):
            service.get("/check/keyed", {"X-API-Key": name})
    assert service.stop() == 0
    log = service.log_bytes()
    assert re.fullmatch(rb"[ -~\n]*", log), "printable ASCII alone"
    lines = [line for line in log.splitlines() if b"refusals" in line]
    if log_format == "json":
        clients = {json.loads(line)["client"] for line in lines}
    else:
        pattern = rb'\S+ INFO  refusals: client refused rule=keyed client="((?:[^"\\]|\\["\\])*)" result=\w+ limit=2 window=2h.*'
        clients = {re.fullmatch(pattern, line).group(1) for line in lines}
    assert 10 <= len(clients) <= len(NAMES)  # some names are refused before a rule sees them


KEY, ADDRESS, TENANT = "gold-key-0123", "203.0.113.77", "acme-tenant"


@pytest.mark.parametrize("how", ["hash", "addresses"])
def test_no_name_is_anywhere_in_the_log(serve, store, how):
    """With `hash` no address either. A reload and the end are part of it."""
    env = {"LOG_CLIENTS": how, "LOG_CLIENTS_KEY": "a-key-of-the-hashes", "LOG_LEVEL": "debug", "LOG_REFUSALS": "all"}
    rules = rules_of(bucket(1, identify_by=["ip"]), keyed=at("/keyed", bucket(1, identify_by=[
        ["header:X-API-Key", "cookie:tenant", "ip"]])), segment=at("/path/*", bucket(1, identify_by=["path:2"])))
    service = serve(store, rules, env={**env, "TRUSTED_PROXIES": "127.0.0.1"})
    headers = {"X-API-Key": KEY, "Cookie": f"tenant={TENANT}", "X-Forwarded-For": ADDRESS}
    for path in ("/", "/check/keyed", f"/check/path/{TENANT}"):
        service.statuses(3, path, headers)
    service.write_rules(rules_of(bucket(3, identify_by=["ip"])))
    service.signal(signal.SIGHUP)
    service.says("rules reloaded")
    service.statuses(5, "/", headers)
    assert service.stop() == 0
    lines = refusals(service)
    assert {line["rule"] for line in lines} == {"default", "keyed", "segment"}
    shown = {line["client"] for line in lines}
    for secret in (KEY, TENANT) if how == "addresses" else (KEY, TENANT, ADDRESS):
        assert secret not in service.log(), shown
    address = r"#[0-9a-f]{16}" if how == "hash" else re.escape(ADDRESS)
    assert any(re.fullmatch(rf"header:x-api-key=#[0-9a-f]{{16}}&cookie:tenant=#[0-9a-f]{{16}}&ip={address}", client)
               for client in shown), shown


def test_with_a_key_a_client_has_one_hash_on_all_nodes(serve):
    def shown(env):
        service = serve(rules=RULES, env={"LOG_CLIENTS": "hash", **env})
        check(service, "one", 3)
        return wait_for_refusals(service, 1)[0]["client"]
    key = {"LOG_CLIENTS_KEY": "a-key-of-the-hashes"}
    assert shown(key) == shown(key) != shown({"LOG_CLIENTS_KEY": "another-key-of-them"})
    assert shown({}) != shown({})


def test_a_key_that_is_too_short_is_refused_and_never_shown(serve):
    with pytest.raises(AssertionError, match="LOG_CLIENTS_KEY"):
        serve(rules=RULES, env={"LOG_CLIENTS_KEY": "short"})


def test_a_reload_under_refusals_loses_no_count(serve):
    """Rules are freed while their names are in records and in the table."""
    service = serve(rules=RULES, env=PLAIN)
    refused = 0
    for capacity in range(1, 30):
        service.write_rules(rules_of(bucket(1000), keyed=at("/keyed", {**KEYED, "capacity": capacity})))
        service.signal(signal.SIGHUP)
        refused += check(service, "one", 20).count(429)
    assert service.stop() == 0
    assert refused > 100
    assert sum(line.get("suppressed", 1) for line in refusals(service)) == refused


def test_a_crowd_of_clients_makes_few_lines(serve):
    service = serve(rules=RULES, env=PLAIN, workers=2)
    for i in range(2000):
        check(service, f"client-{i}", 3)
    assert service.stop() == 0
    lines = refusals(service)
    assert 50 <= len(lines) <= 600
    assert sum(line.get("suppressed", 1) for line in lines) == 2000
