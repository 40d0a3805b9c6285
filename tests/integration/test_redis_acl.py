"""The ACL in docs/redis.md is the smallest that works: it is enough, and every word of it is needed."""
import json
import pathlib
import re

import pytest

from crowd import Crowd
from rules import at, bucket, each_algorithm, rules_of, window
from waiting import wait_for

DOCS = (pathlib.Path(__file__).resolve().parents[2] / "docs/redis.md").read_text()
[LINE] = re.findall(r"^(ACL SETUSER ratelimitd .*)$", DOCS, re.M)
RULES = rules_of(window("sliding_window", 3, "300ms"), bucket=at("/api/data", bucket(2, 20)),
                 counter=at("/limited-resource", window("sliding_window_counter", 3, "300ms")),
                 log=window("sliding_window", 12, "1h"), ticks=window("sliding_window", 2000, "366d"),
                 fixed=at("/api/resource", window("fixed_window", 3, "300ms"), methods=["GET", "POST"]))
TOKEN = "correct-horse-battery"
PATHS = ("/", "/api/data", "/limited-resource")


def set_user(redis, without=None):
    words = [word for word in LINE.split() if word != without]
    assert redis.command(*words[:2], "ratelimitd", "reset", *words[3:]) == "OK"


def url(redis):
    [password] = re.findall(r"ACL SETUSER ratelimitd .*>(\S+)", LINE)
    return f"redis://ratelimitd:{password}@127.0.0.1:{redis.port}"


def check_two(service):
    """The statuses of two clients of one rule, sent in one command."""
    checks = [{"rule": "default", "client": client} for client in ("a", "b")]
    response = service.post("/v1/check/batch", body=json.dumps({"checks": checks}).encode())
    return [result["status"] for result in response.json()["results"]]


def spend(service, rule, costs):
    bodies = [json.dumps({"rule": rule, "client": "a", "cost": cost}).encode() for cost in costs]
    return [service.post("/v1/check", body=body).status for body in bodies]


def called(redis):
    """The names of all commands that Redis has run."""
    stats = redis.command("INFO", "commandstats").splitlines()
    return {line[len("cmdstat_"):line.index(":")] for line in stats if line.startswith("cmdstat_") and ":calls=0," not in line}


def test_all_algorithms_work_with_the_documented_acl_and_need_all_of_it(serve, redis):
    set_user(redis)
    commands = {word[1:] for word in LINE.split() if word.startswith("+")}
    service = serve(url(redis), RULES, env={"REDIS_TIMEOUT_MS": "20000"})
    assert service.post("/api/resource").status == 200
    other = serve(url(redis), rules_of(bucket(5)), workers=1, env={"REDIS_TIMEOUT_MS": "20000", "ADMIN_TOKEN": TOKEN})
    assert check_two(other) == [200, 200]
    reset = other.post("/v1/reset", {"Authorization": f"Bearer {TOKEN}"}, b'{"rule": "default", "client": "a"}')
    assert reset.status == 200
    there = serve(url(redis), rules_of(bucket(5)), workers=1, env={"ADMIN_TOKEN": TOKEN}, admin="127.0.0.1:0")
    for change, body in (("block", b'{"client": "x", "for": "1m"}'), ("restore", b'{"client": "x"}')):
        assert there.admin("POST", f"/v1/clients/{change}", {"Authorization": f"Bearer {TOKEN}"}, body).status == 200
    # A log that is longer than is read at once, and a cost that waits for most of it; one whose entries are
    # shared.
    assert spend(service, "log", [1] * 12 + [11]) == [200] * 12 + [429]
    assert spend(service, "ticks", [1] * 3) == [200] * 3
    with Crowd(service, 6, PATHS) as crowd:
        wait_for(lambda: redis.command("SCRIPT", "FLUSH") and commands <= called(redis), f"all of {commands} are used")
    assert {answer.status for answer in crowd.history} == {200, 429}
    assert service.statuses(2, "/api/resource", method="POST") == [200, 200]
    # Only the names of connections were denied, which are not needed.
    log = redis.command("ACL", "LOG")
    denied = {entry[entry.index("object") + 1] for entry in log}
    assert denied <= {"client|setname", "client|setinfo"}


@pytest.mark.parametrize("algorithm", each_algorithm(1))
def test_each_algorithm_enforces_its_limit_with_the_documented_acl(serve, redis, algorithm):
    set_user(redis)
    service = serve(url(redis), rules_of(each_algorithm(5)[algorithm]), workers=1)
    wait_for(lambda: service.health()["status"] == "ok", "it is connected")
    assert service.statuses(7, "/") == [200] * 5 + [429] * 2


@pytest.mark.parametrize("word", ["+evalsha", "+time", "+get", "+psetex", "~rl:*"])
def test_a_command_that_the_acl_denies_is_logged(serve, redis, word):
    set_user(redis, without=word)
    service = serve(url(redis), rules_of(bucket(5)), workers=1, env={"REDIS_TIMEOUT_MS": "5000"})
    wait_for(lambda: redis.command("SCRIPT", "FLUSH") and service.get("/").status == 503, "it is forbidden")
    service.says("docs/redis.md has the smallest ACL that works")
    assert "WRONGTYPE" not in service.log()
    set_user(redis)
    wait_for(lambda: service.get("/").status == 200, "it is allowed, without a restart")


def test_a_command_that_the_acl_denies_to_a_batch_is_logged(serve, redis):
    set_user(redis, without="+mget")
    service = serve(url(redis), rules_of(bucket(5)), workers=1, env={"REDIS_TIMEOUT_MS": "5000"})
    wait_for(lambda: service.get("/").status == 200, "one can be asked about")
    assert check_two(service) == [503, 503]
    service.says("docs/redis.md has the smallest ACL that works")
    set_user(redis)
    wait_for(lambda: check_two(service) == [200, 200], "it is allowed, without a restart")


@pytest.mark.parametrize("word", ["+script|load", "+eval"])
def test_an_emptied_script_cache_is_not_noticed_while_one_way_to_fill_it_is_allowed(serve, redis, word):
    set_user(redis, without=word)
    service = serve(url(redis), rules_of(bucket(5)), workers=1)
    wait_for(lambda: service.health()["status"] == "ok", "it is connected")
    for _ in range(2):
        redis.command("SCRIPT", "FLUSH")
        assert service.statuses(2, "/") == [200, 200]


def test_a_user_with_nopass_needs_no_password(serve, redis):
    redis.command("ACL", "SETUSER", "open", "on", "nopass", "allcommands", "~rl:*")
    redis.command("ACL", "SETUSER", "default", "off")
    service = serve(f"redis://open@127.0.0.1:{redis.port}", rules_of(bucket(5)), workers=1)
    wait_for(lambda: service.get("/").status == 200, "it is let in")


def test_after_a_password_rotation_redis_is_used_again(serve, redis):
    set_user(redis)
    service = serve(url(redis), rules_of(window("fixed_window", 1000)), workers=1)
    wait_for(lambda: service.get("/").status == 200, "it is let in")
    redis.command("ACL", "SETUSER", "ratelimitd", "resetpass", ">another")
    redis.command("CLIENT", "KILL", "TYPE", "normal")
    wait_for(lambda: service.get("/").status == 503, "it is not let in any more")
    service.says("check those in REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD")
    set_user(redis)
    wait_for(lambda: service.get("/").status == 200, "it is let in again")
    for line in service.log().splitlines():
        assert "another" not in json.loads(line)["message"]
