"""The nodes of /v1/status: those that share a Redis see each other, and nothing that others write there hurts."""
import pytest

from rules import bucket, rules_of
from test_redis_acl import set_user, url
from test_status import status
from waiting import wait_for

LOCAL = "127.0.0.1:0"
KEY = "rl:{nodes}"
RULES = rules_of(bucket(3))
GOOD = "1 0.1.0 1000 2500 500 ready web-1"


def others(service):
    return {node["id"]: node for node in status(service)["nodes"][1:]}


def own_id(service):
    return status(service)["node"]["id"]


def redis_ms(redis):
    seconds, micro = redis.command("TIME")
    return int(seconds) * 1000 + int(micro) // 1000


def write(redis, identity, text=GOOD, age_ms=0):
    redis.command("HSET", KEY, identity, f"{redis_ms(redis) - age_ms} {text}")


def test_two_nodes_see_each_other_and_what_they_do(serve, redis):
    one, two = (serve(redis.url, RULES, admin=LOCAL) for _ in range(2))
    assert two.statuses(5, "/") == [200, 200, 200, 429, 429]
    wait_for(lambda: others(one).get(own_id(two), {}).get("requests", 0) > 0, "what the other did")
    shown = status(one)
    assert shown["nodes"][0]["id"] == shown["node"]["id"], "this one is the first"
    other = others(one)[own_id(two)]
    assert other["refused"] * 5 == pytest.approx(other["requests"] * 2, abs=0.01)
    there = status(two)
    assert (other["host"], other["version"], other["store"]) == (there["node"]["host"], there["version"], "ready")
    assert abs(other["since"] - there["node"]["since"]) <= 1.5 and 0 <= other["seen_s_ago"] < 10
    assert list(others(two)) == [own_id(one)]
    assert 0 < redis.command("PTTL", KEY) <= 60000, "after the last node it goes by itself"


def test_a_node_that_was_killed_fades_and_goes(serve, redis):
    one, two = (serve(redis.url, RULES, admin=LOCAL) for _ in range(2))
    gone = wait_for(lambda: list(others(one)), "they see each other")[0]
    two.process.kill()
    wait_for(lambda: others(one)[gone]["seen_s_ago"] > 3, "it is not seen any more")
    write(redis, gone, age_ms=58_500)  # as if it had been silent for longer
    wait_for(lambda: others(one)[gone]["seen_s_ago"] > 58, "its age is by Redis' clock")
    wait_for(lambda: gone not in others(one) and redis.command("HEXISTS", KEY, gone) == 0, "it is gone, here and in Redis")


def test_without_a_redis_there_is_one_node(serve):
    service = serve(rules=RULES, admin=LOCAL)
    wait_for(lambda: status(service)["rates"]["over_s"] > 1, "two samples")
    assert others(service) == {}


def test_redis_away_disturbs_nothing_and_nodes_are_seen_again(serve, redis):
    one, two = (serve(redis.url, rules_of(bucket(99, on_store_failure="open")), admin=LOCAL) for _ in range(2))
    wait_for(lambda: others(one), "they see each other")
    redis.kill()
    wait_for(lambda: status(one)["store"]["state"] != "ready", "it knows")
    wait_for(lambda: others(one)[own_id(two)]["seen_s_ago"] > 2, "nobody is seen")
    assert one.statuses(3, "/") == [200] * 3
    redis.start()
    wait_for(lambda: others(one) and others(one)[own_id(two)]["seen_s_ago"] < 1.5, "they see each other again")
    assert "nodes" not in one.log(), "nothing to say about that"


HOSTILE = {
    "0" * 16: "junk", "1" * 16: "", "2" * 16: "99999999999999999999 x", "3" * 16: "-1 x",
    "not an id": "{now} " + GOOD, "A" * 16: "{now} " + GOOD, "4" * 15: "{now} " + GOOD, "5" * 17: "{now} " + GOOD,
    "": "{now} " + GOOD, "6" * 16: "{now} 1 0.1.0 1000 0 0 ready <script>alert(1)</script>",
    "7" * 16: "{now} 1 0.1.0 1000 0 0 ready a\"b", "8" * 16: "{now} " + "x" * 100_000,
    "9" * 16: "{now} 1 0.1.0 1000 0 0 ready a\nb 0123456789abcdef " + GOOD, "a" * 16: "{now} 1 0.1.0 1000 0 0 ready \x1b[2J",
    "b" * 16: "{future} " + GOOD, "c" * 16: "{now}  " + GOOD, "d" * 16: "{now} 1 0.1.0 1e9 0 0 ready web", "\0" * 16: "\0",
    "e" * 16: b"\xff\xfe"}


def test_foreign_entries_are_not_shown_and_most_are_removed(serve, redis):
    service = serve(redis.url, RULES, admin=LOCAL)
    now = redis_ms(redis)
    for identity, value in HOSTILE.items():
        if isinstance(value, str):
            value = value.replace("{now}", str(now)).replace("{future}", str(now + 3_600_000))
        redis.command("HSET", KEY, identity, value)
    write(redis, "f" * 16)
    wait_for(lambda: others(service), "the good one")
    assert list(others(service)) == ["f" * 16]
    node = others(service)["f" * 16]
    assert (node["host"], node["requests"], node["refused"]) == ("web-1", 2.5, 0.5)
    left = {name for name in redis.command("HKEYS", KEY)}
    assert left <= {own_id(service), "f" * 16, "6" * 16, "7" * 16, "d" * 16}, "what looks like a node's goes in a minute"


LINE = b"5 ffffffffffffffff " + GOOD.encode() + b"\n"


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text)


REPLIES = {  # and how many nodes are in each
    "nothing": (b"", 0), "no line": (b"0", 0), "a cursor": (b"0\n", 0), "no cursor": (b"x\n" + LINE, 1),
    "a long cursor": (b"9" * 1000 + b"\n" + LINE, 1), "a line": (b"0\n" + LINE, 1), "a line without an end": (b"0\n" + LINE[:-1], 0),
    "a negative age": (b"0\n-" + LINE, 0), "an old line": (b"0\n60001 ffffffffffffffff " + GOOD.encode() + b"\n", 0),
    "no id": (b"0\n5 " + GOOD.encode() + b"\n", 0), "a bad id": (b"0\n" + LINE.replace(b"f", b"F"), 0),
    "a zero byte": (b"0\n\0" + LINE, 0), "a long line": (b"0\n" + LINE[:-1] + b"x" * 10_000 + b"\n", 0),
    "blanks": (b"0\n     \n", 0), "a hostile name": (b"0\n5 ffffffffffffffff 1 0.1.0 1 0 0 ready <b>\n", 0),
    "ten thousand": (b"0\n" + b"".join(b"5 %016x %s\n" % (i, GOOD.encode()) for i in range(10_000)), 127)}


@pytest.mark.parametrize("reply, count", REPLIES.values(), ids=REPLIES.keys())
def test_a_reply_that_the_script_never_gives_is_not_shown(serve, start_fake_redis, reply, count):
    fake = start_fake_redis()
    fake.nodes_reply = bulk(reply)
    service = serve(fake.url, RULES, admin=LOCAL, workers=1)
    wait_for(lambda: len(fake.node_commands) >= 3, "it goes on")
    assert len(status(service)["nodes"]) - 1 == count
    assert all(command[-1].isdigit() and len(command[-1]) <= 20 for command in fake.node_commands), "the cursor"


def test_a_hash_that_others_filled_is_emptied_gradually(serve, redis):
    redis.command("HSET", KEY, *(word for i in range(1000) for word in (f"junk{i}", "junk")))
    service = serve(redis.url, RULES, admin=LOCAL)
    wait_for(lambda: redis.command("HLEN", KEY) <= 1000 - 128, "a page a second is removed")
    redis.command("DEL", KEY)
    write(redis, "f" * 16)
    wait_for(lambda: list(others(service)) == ["f" * 16], "it goes on")


def test_nodes_beyond_the_bound_are_not_kept(serve, redis):
    for first in range(0, 1000, 100):
        words = (word for i in range(first, first + 100) for word in (f"{i:016x}", f"{redis_ms(redis)} {GOOD}"))
        redis.command("HSET", KEY, *words)
    service = serve(redis.url, RULES, admin=LOCAL)
    wait_for(lambda: len(others(service)) == 127, "as many as may be")
    response = service.admin("GET", "/v1/status")
    assert len(response.body) < 40_000


def test_another_value_there_is_logged_once_and_does_no_harm(serve, redis):
    redis.command("SET", KEY, "x")
    service = serve(redis.url, RULES, admin=LOCAL)
    service.says("the nodes that share it")
    wait_for(lambda: status(service)["rates"]["over_s"] > 3, "some samples")
    assert service.statuses(3, "/") == [200] * 3
    assert service.log().count("the nodes that share it") == 1
    redis.command("DEL", KEY)
    wait_for(lambda: redis.command("EXISTS", KEY) == 1, "without a restart")


def test_the_documented_acl_is_enough_and_without_it_only_the_nodes_are_missing(serve, redis):
    set_user(redis)
    one, two = (serve(url(redis), RULES, admin=LOCAL) for _ in range(2))
    wait_for(lambda: others(one) and others(two), "they see each other")
    set_user(redis, without="+hscan")
    one.says("the nodes that share it")
    assert one.statuses(3, "/") == [200] * 3


def test_a_clock_of_redis_that_went_back_does_not_matter(serve, redis):
    service = serve(redis.url, RULES, admin=LOCAL)
    write(redis, "f" * 16, age_ms=-30_000)
    wait_for(lambda: others(service), "it is shown")
    assert others(service)["f" * 16]["seen_s_ago"] < 10


def test_nodes_without_an_admin_listener_report_too(serve, redis):
    serve(redis.url, RULES, admin="off")
    wait_for(lambda: redis.command("HLEN", KEY) == 1, "the others see it")
