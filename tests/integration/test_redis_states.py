"""
Whatever the key of one client holds, whoever wrote it: the other requests of the same command are decided correctly,
and the service goes on.
"""
import itertools
import json
import random
import struct
import time

import pytest

from rules import bucket, rules_of, window
from waiting import wait_for

LIMIT = 10
RULES = {"token_bucket": (bucket(LIMIT, "10/1h"), "b6m"), "sliding_window": (window("sliding_window", LIMIT, "1h"), "w1h"),
         "sliding_window_counter": (window("sliding_window_counter", LIMIT, "1h"), "c1h"),
         "fixed_window": (window("fixed_window", LIMIT, "1h"), "f1h")}
COSTS = (0, 1, 2, LIMIT, LIMIT + 1, 2 ** 53 - 1)
NOW_US = int(time.time() * 1e6)
NUMBERS = [0.0, -0.0, 1.0, 9.0, 10.0, 11.0, -1.0, 0.5, 1e-300, 2.0 ** 53 - 1, 2.0 ** 53, -2.0 ** 53, 1e300, float("inf"),
           float("-inf"), float("nan"), NOW_US, NOW_US + 3.6e9, NOW_US - 3.6e9, NOW_US // 3.6e9, NOW_US // 3.6e9 + 1]
WORDS = ["0", "1", "9", "10", "11", "-1", "0.5", "1e3", "nan", "inf", "0x10", "", " ", "x", str(2 ** 53 - 1), str(2 ** 53),
         "9" * 400, str(NOW_US), str(NOW_US - 10 ** 6), str(NOW_US + 10 ** 6), str(NOW_US + 10 ** 12)]


def texts():
    """Strings: any letter before any numbers, of the right length, and others."""
    for letter in b"bcfw":
        for numbers in itertools.product(NUMBERS, repeat=2):
            yield "SET", struct.pack("<Bdd", letter, *numbers)
    for numbers in itertools.product(NUMBERS[::2], repeat=3):
        yield "SET", struct.pack("<Bddd", ord("c"), *numbers)
    for size in (0, 1, 16, 17, 18, 24, 25, 26, 1000):
        yield "SET", b"f" * size


def lists(count):
    """Lists with wrong sums, out of order, too short, too long; as many as asked for, the same in every run."""
    some = random.Random(7)
    for _ in range(count):
        yield "RPUSH", *(some.choice(WORDS) for _ in range(some.choice((1, 2, 3, 3, 3, 4, 5, 5, 7, 9, 11, 15, 41))))
    for entries in (1, 4, 5, 200):  # in order, but with another sum
        times = [str(NOW_US - 1000 * i) for i in range(entries, 0, -1)]
        for used, each in itertools.product(("0", "1", str(entries), "11", str(2 ** 53 - 1)), ("0", "1", str(2 ** 53 - 1))):
            yield "RPUSH", used, *(word for at in times for word in (at, each))


STATES = {"strings": lambda: texts(), "lists": lambda: lists(600),
          "other types": lambda: [("SADD", "1"), ("HSET", "1", "2"), ("ZADD", "1", "2"), ("XADD", "*", "1", "2"),
                                  ("PFADD", "1")]}


@pytest.mark.parametrize("algorithm", RULES)
@pytest.mark.parametrize("kind", STATES)
def test_a_corrupt_key_affects_only_its_own_client(serve, redis, algorithm, kind):
    rule, state = RULES[algorithm]
    service = serve(redis.url, rules_of(rule), workers=1, env={"REDIS_TIMEOUT_MS": "20000"})
    wait_for(lambda: service.health()["status"] == "ok", "it is connected")
    connection = service.connect()
    for number, (command, *words) in enumerate(STATES[kind]()):
        key = f"rl:{{client=victim{number}}}:default:0:{state}"
        assert redis.command(command, key, *words) is not None
        victims = [(f"victim{number}", cost) for cost in COSTS]
        asked = [(f"before{number}", 1), *victims, (f"after{number}", 3)]
        checks = [{"rule": "default", "client": client, "cost": cost} for client, cost in asked]
        response = connection.request("POST", "/v1/check/batch", body=json.dumps({"checks": checks}).encode())
        first, *of_victim, last = response.json()["results"]
        said = f"{command} {words}: {response.body}"
        assert (first["status"], first.get("remaining")) == (200, LIMIT - 1), said
        assert (last["status"], last.get("remaining")) == (200, LIMIT - 3), said
        assert {result["status"] for result in of_victim} <= {200, 429, 503}, said
        assert all(0 <= result["remaining"] <= LIMIT for result in of_victim if result["status"] != 503), said
    assert service.health()["status"] == "ok"
    assert not any("unexpected reply" in message for message in service.messages())
