"""POST /v1/clients/block, /limit and /restore: what is done with a client at run time, on every node."""
import json
import pathlib

import pytest

from crowd import Crowd
from http_client import Connection, request_bytes
from rules import at, bucket, rules_of, window
from waiting import wait_for

LOCAL = "127.0.0.1:0"
TOKEN = "the-token-of-the-operator"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
RULES = rules_of(bucket(20), api=at("/api", window("fixed_window", 5, identify_by=["header:X-API-Key", "ip"])),
                 two={"limits": [bucket(9), window("fixed_window", 7)]})
ENV = {"ADMIN_TOKEN": TOKEN}
SCRIPT = (pathlib.Path(__file__).resolve().parents[2] / "lua/overrides.lua").read_text()


@pytest.fixture
def node(serve, store):
    return serve(store, RULES, env=ENV, admin=LOCAL)


def change(service, what, headers=BEARER, **body):
    if "seconds" in body:
        body["for"] = f"{body.pop('seconds')}s"
    return service.admin("POST", f"/v1/clients/{what}", headers, json.dumps(body).encode())


def block(service, client, seconds=600, **more):
    response = change(service, "block", client=client, seconds=seconds, **more)
    assert response.status == 200, response
    return response.json()


def check(service, rule="default", **fields):
    return service.post("/v1/check", body=json.dumps({"rule": rule, "cost": 0, **fields}).encode())


def is_blocked(service, rule="default", **fields):
    response = check(service, rule, **fields)
    assert response.status in (200, 403)
    assert response.json().get("blocked", False) is (response.status == 403)
    return response.status == 403


def limit_of(service, rule="default", **fields):
    """The first limit that the client has under the rule."""
    return check(service, rule, **fields).json()["limit"]


def listed(service):
    response = service.admin("GET", "/v1/clients", BEARER)
    assert response.status == 200
    return response.json()["clients"]


# What it does.

def test_the_log_says_what_was_done_and_no_name(node):
    block(node, "10.0.0.0/8")
    change(node, "limit", client="header:X-API-Key=secret-1", rule="api", limit=7, seconds=3600)
    block(node, "secret-2", rule="api")
    change(node, "block", client="203.0.113.7", seconds=0)
    change(node, "restore", client="10.0.0.0/8")
    node.says("restored 10.0.0.0/8 under every rule")
    assert [message for message in node.messages() if " under " in message] == [
        "blocked 10.0.0.0/8 under every rule for 10m", "limited header:x-api-key=... under rule api for 1h",
        "blocked name=... under rule api for 10m", "restored 10.0.0.0/8 under every rule"]
    assert "secret" not in node.log()


def test_where_the_log_hides_addresses_it_tells_none_of_those_that_are_changed(serve):
    node = serve(rules=RULES, env={**ENV, "LOG_CLIENTS": "hash", "LOG_REFUSALS": "off"}, admin=LOCAL)
    block(node, "203.0.113.7")
    block(node, "10.0.0.0/8", rule="api")
    change(node, "restore", client="ip=203.0.113.7")
    node.says("restored ip=... under every rule")
    assert [message for message in node.messages() if " under " in message] == [
        "blocked ip=... under every rule for 10m", "blocked ip=... under rule api for 10m", "restored ip=... under every rule"]
    assert "203.0.113" not in node.log() and "10.0.0.0" not in node.log()


def test_a_client_is_blocked_under_every_rule_and_restored(node):
    for _ in range(2):
        assert block(node, "gold") == {"blocked": True, "ends_after_ms": 600000}
    assert all(is_blocked(node, rule, client="gold") for rule in ("default", "api", "two"))
    assert not is_blocked(node, client="other")
    for _ in range(2):
        assert change(node, "restore", client="gold").json() == {"restored": True}
        assert not is_blocked(node, client="gold")


def test_a_client_is_blocked_under_one_rule(node):
    assert block(node, "gold", rule="api") == {"blocked": True, "rule": "api", "ends_after_ms": 600000}
    assert is_blocked(node, "api", client="gold") and not is_blocked(node, client="gold")


def test_a_client_without_a_rule_is_restored_under_all_of_them(node):
    block(node, "gold", rule="api"), block(node, "gold", rule="two"), block(node, "other", rule="two")
    assert change(node, "restore", client="gold").status == 200
    assert not is_blocked(node, "api", client="gold") and not is_blocked(node, "two", client="gold")
    assert is_blocked(node, "two", client="other")


@pytest.mark.parametrize("client, ip", [("203.0.113.7", "203.0.113.7"), ("10.0.0.0/8", "10.1.2.3"), ("2001:db8::/32", "2001:db8::9"),
                                        ("ip=203.0.113.7", "203.0.113.7"), ("ip=2001:db8::/32", "2001:db8::9")])
def test_addresses_and_networks_are_clients(node, client, ip):
    block(node, client)
    assert is_blocked(node, ip=ip) and not is_blocked(node, ip="192.0.2.1")
    assert not is_blocked(node, client=ip), "a name is no address"
    assert change(node, "restore", client=client.removeprefix("ip=")).status == 200
    assert not is_blocked(node, ip=ip), "both spellings name one client"


def test_a_client_of_one_source(node):
    block(node, "header:X-API-Key=gold")
    assert is_blocked(node, "api", headers={"X-API-Key": "gold"})
    assert not is_blocked(node, "api", client="gold")


def test_a_limit_is_merged_into_the_rule(node):
    assert change(node, "limit", client="gold", rule="api", limit=50, seconds=60).json() == {
        "limited": True, "rule": "api", "ends_after_ms": 60000}
    assert (limit_of(node, "api", client="gold"), limit_of(node, "api", client="other")) == (50, 5)
    change(node, "limit", client="gold", rule="default", capacity=70, seconds=60)
    assert limit_of(node, client="gold") == 70
    limits = [bucket(3), window("fixed_window", 4)]
    assert change(node, "limit", client="gold", rule="two", limits=limits, seconds=60).status == 200
    assert limit_of(node, "two", client="gold") == 3


def test_a_rule_s_override_comes_before_that_of_every_rule_and_both_before_its_clients(serve, store):
    service = serve(store, rules_of(bucket(20, clients={"gold": "unlimited"}), api=at("/api", window("fixed_window", 5))),
                    env=ENV, admin=LOCAL)
    block(service, "gold")
    assert is_blocked(service, client="gold") and is_blocked(service, "api", client="gold")
    change(service, "limit", client="gold", rule="api", limit=50, seconds=60)
    assert limit_of(service, "api", client="gold") == 50 and is_blocked(service, client="gold")


def test_a_later_one_takes_the_place_of_the_one_before(node):
    block(node, "gold", rule="api")
    change(node, "limit", client="gold", rule="api", limit=50, seconds=60)
    assert limit_of(node, "api", client="gold") == 50
    assert len(listed(node)) == 1


def test_it_ends(node):
    block(node, "gold", seconds=1)
    assert is_blocked(node, client="gold")
    wait_for(lambda: not is_blocked(node, client="gold"), "it is over")
    assert listed(node) == []


def test_the_list_and_a_client_show_what_is_left(node):
    block(node, "gold", rule="api", seconds=60)
    change(node, "limit", client="10.0.0.0/8", rule="default", capacity=7, seconds=60)
    gold, network = sorted(listed(node), key=lambda entry: entry["rule"])
    assert 0 < gold.pop("ends_after_ms") <= 60000 and 0 < network.pop("ends_after_ms") <= 60000
    assert gold == {"client": "gold", "rule": "api", "treatment": "blocked"}
    assert network == {"client": "10.0.0.0/8", "rule": "default", "treatment": {"capacity": 7}}
    rules = node.admin("GET", "/v1/clients/client=gold", BEARER).json()["rules"]
    (api,) = [rule for rule in rules if rule["rule"] == "api"]
    assert api["blocked"] and 0 < api["override_ends_after_ms"] <= 60000
    assert not any("override_ends_after_ms" in rule for rule in rules if rule is not api)


def test_a_reload_keeps_them_and_brings_a_rule_they_are_of(node):
    block(node, "gold", rule="api")
    change(node, "limit", client="gold", rule="default", capacity=70, seconds=60)
    without = {name: rule for name, rule in RULES.items() if name != "api"}
    for rules in (without, RULES):
        node.write_rules(rules)
        assert node.admin("POST", "/v1/rules/reload", BEARER).status == 200
        assert limit_of(node, client="gold") == 70
    assert is_blocked(node, "api", client="gold")


def test_limits_that_no_longer_fit_their_rule_are_ignored_and_logged(node):
    change(node, "limit", client="gold", rule="default", capacity=70, seconds=60)
    node.write_rules({**RULES, "default": window("fixed_window", 8)})
    assert node.admin("POST", "/v1/rules/reload", BEARER).status == 200
    assert limit_of(node, client="gold") == 8
    node.says("do not fit the rules of this node")


# Mistakes.

@pytest.mark.parametrize("what, body, status, field", [
    ("block", {"for": "1m"}, 400, "client"),
    ("block", {"client": "", "for": "1m"}, 400, "client"),
    ("block", {"client": 7, "for": "1m"}, 400, "client"),
    ("block", {"client": "10.0.0.1/8", "for": "1m"}, 400, "client"),
    ("block", {"client": "header:=x", "for": "1m"}, 400, "client"),
    ("block", {"client": "gold"}, 400, "for"),
    ("block", {"client": "gold", "for": 60}, 400, "for"),
    ("block", {"client": "gold", "for": "0s"}, 400, "for"),
    ("block", {"client": "gold", "for": "999ms"}, 400, "for"),
    ("block", {"client": "gold", "for": "367d"}, 400, "for"),
    ("block", {"client": "gold", "for": "1m", "rule": "nix"}, 404, "rule"),
    ("block", {"client": "gold", "for": "1m", "rule": 'a"b'}, 404, "rule"),
    ("block", {"client": "gold", "for": "1m", "rule": ""}, 400, "rule"),
    ("block", {"client": "gold", "for": "1m", "limit": 7}, 400, None),
    ("limit", {"client": "gold", "for": "1m", "limit": 7}, 400, "rule"),
    ("limit", {"client": "gold", "for": "1m", "rule": "api"}, 400, None),
    ("limit", {"client": "gold", "for": "1m", "rule": "api", "limit": 0}, 400, "limit"),
    ("limit", {"client": "gold", "for": "1m", "rule": "api", "capacity": 5}, 400, "capacity"),
    ("limit", {"client": "gold", "for": "1m", "rule": "api", "window": "1w"}, 400, "window"),
    ("limit", {"client": "gold", "for": "1m", "rule": "api", "algorithm": "x"}, 400, "algorithm"),
    ("limit", {"client": "gold", "for": "1m", "rule": "api", "limits": []}, 400, "limits"),
    ("limit", {"client": "gold", "for": "1m", "rule": "api", "limits": [{"limit": 5, "a\"b": 1}]}, 400, None),
    ("limit", {"client": "gold", "for": "1m", "rule": "two", "limit": 5}, 400, None),
    ("restore", {"client": "gold", "for": "1m"}, 400, None),
    ("restore", {"client": "gold", "rule": "nix"}, 404, "rule"),
    ("restore", {}, 400, "client"),
])
def test_each_mistake_is_a_problem_with_its_field(serve, what, body, status, field):
    service = serve(rules=RULES, env=ENV, admin=LOCAL)
    response = service.admin("POST", f"/v1/clients/{what}", BEARER, json.dumps(body).encode())
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (response.status, problem["status"]) == (status, status), problem
    if field is not None:
        assert problem["field"] == field, problem
    assert listed(service) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"client": "a", "client": "b", "for": "1m"}',
                                  b'{"client": "' + b"a" * 5000 + b'", "for": "1m"}'])
def test_a_body_that_is_no_such_object_is_refused(serve, body):
    service = serve(rules=RULES, env=ENV, admin=LOCAL)
    assert service.admin("POST", "/v1/clients/block", BEARER, body).status in (400, 413)


@pytest.mark.parametrize("what", ["block", "limit", "restore"])
def test_changes_need_the_token(serve, what):
    with_token = serve(rules=RULES, env=ENV, admin=LOCAL)
    assert change(with_token, what, headers=(), client="gold").status == 401
    assert change(with_token, what, headers={"Authorization": "Bearer x"}, client="gold").status == 401
    assert with_token.admin("GET", "/v1/clients").status == 401
    assert with_token.admin("GET", f"/v1/clients/{what}", BEARER).status == 405
    without = serve(rules=RULES, admin=LOCAL)
    assert change(without, what, headers=(), client="gold").status == 403
    assert without.admin("GET", "/v1/clients").json() == {"clients": []}


# Several nodes.

def pair(serve, redis, **second):
    return serve(redis.url, RULES, env=ENV, admin=LOCAL), serve(redis.url, RULES, env=ENV, **second)


@pytest.mark.threads
def test_what_is_done_at_one_node_is_done_at_all(serve, redis):
    here, there = pair(serve, redis)  # there has no admin listener
    block(here, "gold")
    assert is_blocked(here, client="gold")
    wait_for(lambda: is_blocked(there, client="gold"), "it reaches the other node")
    change(here, "limit", client="silver", rule="api", limit=50, seconds=60)
    wait_for(lambda: limit_of(there, "api", client="silver") == 50, "likewise")
    assert change(here, "restore", client="gold").status == 200
    wait_for(lambda: not is_blocked(there, client="gold"), "likewise")


@pytest.mark.threads
def test_changes_and_reloads_under_load_fail_no_request(serve, redis):
    here, there = pair(serve, redis)
    with Crowd(here, 3, ["/"]) as crowd:
        for i in range(20):
            block(here, f"10.0.0.{i}")
            here.write_rules({**RULES, f"extra{i}": at("/extra", bucket(5))})
            assert here.admin("POST", "/v1/rules/reload", BEARER).status == 200
            assert is_blocked(here, ip=f"10.0.0.{i}")
    assert {answer.status for answer in crowd.history} <= {200, 429}
    wait_for(lambda: all(is_blocked(there, ip=f"10.0.0.{i}") for i in range(20)), "all reach the other node")


def test_it_survives_the_service_and_ends_for_all(serve, redis):
    here, there = pair(serve, redis)
    block(here, "gold"), block(here, "silver", seconds=2)
    here.stop()
    again = serve(redis.url, RULES, env=ENV, admin=LOCAL)
    wait_for(lambda: is_blocked(again, client="gold"), "it knows them again")
    for node in (again, there):
        wait_for(lambda node=node: not is_blocked(node, client="silver"), "that one is over")
        assert is_blocked(node, client="gold")
    wait_for(lambda: redis.command("HLEN", "rl:{overrides}") == 2, "what is over is swept")


def test_without_redis_what_was_known_stays_until_it_ends(serve, redis):
    here, there = pair(serve, redis, admin=LOCAL)
    block(here, "gold"), block(here, "silver", seconds=2)
    wait_for(lambda: len(listed(there)) == 2 or is_blocked(there, client="gold"), "both know them")
    redis.kill()
    for node in (here, there):
        wait_for(lambda node=node: len(listed(node)) == 1, "one is over")
        assert check(node, client="gold").status == 403
        response = wait_for(lambda node=node: refused(node), "Redis is away")
        assert response.status == 503
        assert len(listed(node)) == 1
    redis.start()  # empty: what it has forgotten is no more
    for node in (here, there):
        wait_for(lambda node=node: listed(node) == [], "all is read again")
    for node in (here, there):
        wait_for(lambda node=node: change(node, "block", client=str(node.port), seconds=60).status == 200, "it works")
    wait_for(lambda: len(listed(here)) == len(listed(there)) == 2, "both know both")


def test_after_a_lost_connection_all_is_read_again_whatever_the_version(serve, redis):
    """As after a restart with data of before: the version may be one that is known."""
    service = serve(redis.url, RULES, env=ENV, admin=LOCAL)
    end = int(redis.command("TIME")[0]) * 1000 + 600000
    text = json.dumps({"client": "gold", "treatment": "blocked"})
    redis.command("HSET", "rl:{overrides}", " =gold", f"{end} {text}", "version", "7")
    wait_for(lambda: listed(service), "it is read")
    redis.command("HDEL", "rl:{overrides}", " =gold")
    redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    wait_for(lambda: listed(service) == [], "it is read again")


def refused(node):
    response = change(node, "block", client="bronze", seconds=60)
    return response if response.status != 200 else None


def test_nothing_waits_for_a_redis_that_does_not_answer(serve, redis):
    here = serve(redis.url, RULES, env={**ENV, "REDIS_TIMEOUT_MS": "100"}, admin=LOCAL)
    redis.freeze()
    response = change(here, "block", client="gold", seconds=60)
    redis.thaw()
    assert response.status == 503


def test_a_change_goes_on_when_its_caller_is_gone(serve, redis):
    here = serve(redis.url, RULES, env=ENV, admin=LOCAL)
    change(here, "block", client="first", seconds=60)
    redis.freeze()
    body = json.dumps({"client": "gold", "for": "1m"}).encode()
    with Connection(here.admin_address) as connection:
        connection.send(request_bytes("POST", "/v1/clients/block", BEARER, body, "localhost"))
        assert here.admin("GET", "/health").status == 200  # that one is taken in, too
    redis.thaw()
    wait_for(lambda: is_blocked(here, client="gold"), "it is done all the same")


def test_a_replica_is_left_for_what_its_name_leads_to_by_then(serve, redis):
    here = serve(redis.url, RULES, env=ENV, admin=LOCAL)
    redis.command("REPLICAOF", "127.0.0.1", "1")
    assert change(here, "block", client="gold", seconds=60).status == 503
    here.says("it is a replica")
    redis.command("REPLICAOF", "NO", "ONE")
    wait_for(lambda: change(here, "block", client="gold", seconds=60).status == 200, "it is connected again")
    assert is_blocked(here, client="gold")


def test_what_others_wrote_is_skipped_and_bounded(serve, redis):
    here, there = pair(serve, redis)
    block(here, "gold")
    end = int(redis.command("TIME")[0]) * 1000 + 600000
    good = json.dumps({"client": "silver", "treatment": "blocked"})
    hostile = {"junk": "junk", " =x": f"{end} ", " =y": f"{end} {{\"client\": \"\x1b[31m\", \"treatment\": \"blocked\"}}",
               " =wrong-id": f"{end} {good}", " =long": f"{end} " + "x" * 100000, "x" * 100000: f"{end} {good}",
               " =bad": f"{end} {json.dumps({'client': 'bad', 'treatment': {'limit': 5}})}",
               "nix =old": f"5 {json.dumps({'client': 'old', 'rule': 'nix', 'treatment': 'blocked'})}",
               " =deep": f"{end} " + "[" * 3000, "api =worse": f"{end} " + json.dumps(
                   {"client": "worse", "rule": "api", "treatment": {"limit": -1}})}
    for identity, value in hostile.items():
        redis.command("HSET", "rl:{overrides}", identity, value)
    for i in range(12000):
        redis.command("HSET", "rl:{overrides}", f"junk{i}", "junk")
    redis.command("HSET", "rl:{overrides}", " =silver", f"{end} {good}", "version", "7")
    there.says("are skipped")
    wait_for(lambda: is_blocked(there, client="silver"), "what is good is in force")
    assert is_blocked(there, client="gold") and limit_of(there, "api", client="worse") == 5
    assert "\x1b" not in there.log() and "junk" not in there.log()
    response = change(here, "block", client="one-more", seconds=60)
    assert response.status == 409 and "10000" in response.json()["detail"]
    assert block(here, "gold", seconds=60), "one that is there may change"


def test_many_clients_are_read_in_pages(serve, redis):
    here, there = pair(serve, redis)
    end = int(redis.command("TIME")[0]) * 1000 + 600000
    for i in range(3000):
        text = json.dumps({"client": f"c{i}", "treatment": "blocked"})
        redis.command("HSET", "rl:{overrides}", f" =c{i}", f"{end} {text}")
    redis.command("HSET", "rl:{overrides}", "version", "7")
    for node in (here, there):
        wait_for(lambda node=node: is_blocked(node, client="c2999"), "they are read")
        assert all(is_blocked(node, client=f"c{i}") for i in range(0, 3000, 100))
    assert len(listed(here)) == 3000


def test_long_texts_are_read_in_pages_that_do_not_hold_redis(serve, redis):
    """A page is bounded in bytes too: 128 of the longest texts would hold Redis for 7 ms."""
    end, count = int(redis.command("TIME")[0]) * 1000 + 600000, 300
    for i in range(count):
        text = json.dumps({"client": f"c{i}", "treatment": "blocked"}).ljust(4096)
        redis.command("HSET", "rl:{overrides}", f" =c{i}", f"{end} {text}")
    redis.command("HSET", "rl:{overrides}", "version", "7")
    cursor, texts = "0", 0
    while not texts or cursor != "0":
        page = redis.command("EVAL", SCRIPT, 1, "rl:{overrides}", "read", "-", cursor, 4096)
        cursor = page.split(" ", 3)[2]
        texts += page.count('"client"')
        assert len(page) <= 32768 + 16 * 4200, "another scan after the last that fits"
    assert texts >= count
    service = serve(redis.url, RULES, env=ENV, admin=LOCAL)
    wait_for(lambda: all(is_blocked(service, client=f"c{i}") for i in range(0, count, 50)), "they are read")
    assert len(listed(service)) == count


def test_what_is_no_hash_is_reported_and_nothing_else_fails(serve, redis):
    redis.command("SET", "rl:{overrides}", "x")
    service = serve(redis.url, RULES, env=ENV, admin=LOCAL)
    service.says("WRONGTYPE")
    assert change(service, "block", client="gold", seconds=60).status == 503
    assert check(service, client="a").status == 200
    assert service.health()["status"] == "ok"
