"""What ratelimitd tells about its rules: --check, a line for each rule."""
import json

import pytest

from service import run

BUCKET = {"capacity": 20, "refill_rate": 5}


@pytest.fixture
def tell(tmp_path):
    """Runs ratelimitd with these rules to its end; what it printed, without its errors, which there are none."""
    def told(rules, *arguments, env=None, files=None):
        for name, text in {"r.json": json.dumps(rules), **(files or {})}.items():
            (tmp_path / name).write_text(text)
        done = run("--rules", "r.json", *arguments, env=env, directory=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()
    return told


LINES = [
    # what a rule says beside a limit, what the line says instead of its limit's rest
    ({}, "reached by name only; client: ip; LIMIT"),
    ({"match": {"path": "/a/*/**"}}, "/a/*/**; client: ip; LIMIT"),
    ({"match": {"path": "/a", "methods": ["POST", "GET"]}}, "GET, HEAD, POST /a; client: ip; LIMIT"),
    ({"match": {"methods": ["DELETE"]}}, "DELETE /**; client: ip; LIMIT"),
    ({"match": {"host": ["example.com", "*.Example.com"]}}, "/**, host example.com or *.example.com; client: ip; LIMIT"),
    ({"match": {"headers": {"X-A": "gold", "X-B": {"prefix": "curl/"}, "X-C": {"present": True}, "X-D": {"present": False}}}},
     '/**, header x-a is "gold", header x-b begins with "curl/", header x-c is sent, header x-d is not sent; client: ip; LIMIT'),
    ({"match": {"headers": {"X-A": "a\u009bb"}}}, '/**, header x-a is "a\\xc2\\x9bb"; client: ip; LIMIT'),
    ({"identify_by": [["header:X-Tenant", "ip/24"], "cookie:sid", "global"]},
     "reached by name only; client: header:x-tenant + ip/24, else cookie:sid, else global; LIMIT"),
    ({"cost": 5}, "reached by name only; client: ip; LIMIT; a request costs 5"),
    ({"cost": "header:X-Cost"},
     "reached by name only; client: ip; LIMIT; a request costs what header x-cost of a trusted proxy says, else 1"),
    ({"on_store_failure": "closed"}, "reached by name only; client: ip; LIMIT"),
    ({"on_store_failure": "open"}, "reached by name only; client: ip; LIMIT; allowed when the store is unavailable"),
    ({"on_store_failure": "local"},
     "reached by name only; client: ip; LIMIT; counted in this process when the store is unavailable"),
    ({"clients": {"header:X-A=gold": "unlimited", "10.0.0.0/8": "blocked", "203.0.113.7": "blocked"},
      "identify_by": ["header:X-A", "ip"]},
     "reached by name only; client: header:x-a, else ip; LIMIT; clients that differ: 1 name, 2 addresses and networks"),
    ({"clients": "c.txt"}, "reached by name only; client: ip; LIMIT; clients that differ: 1 address or network, in c.txt"),
    ({"penalty": {"after": 1, "within": "1m", "for": "10m"}},
     "reached by name only; client: ip; LIMIT; penalty after 1 refusal in 1m: 10m"),
    ({"penalty": {"after": 20, "within": "1m", "for": "10m", "growth": 2, "up_to": "1d"}},
     "reached by name only; client: ip; LIMIT; penalty after 20 refusals in 1m: 10m, each further one 2 times as long, "
     "1d at most"),
]


@pytest.mark.parametrize("keys, line", LINES, ids=[str(number) for number in range(len(LINES))])
def test_check_tells_each_key_of_a_rule(tell, keys, line):
    lines = tell({"r": BUCKET | keys, "default": BUCKET}, "--check", files={"c.txt": "203.0.113.7 blocked\n"})
    assert lines[1:] == ["  r: " + line.replace("LIMIT", "bursts of 20, refilled 5 a second"),
                         "  default: what no other rule matches; client: ip; bursts of 20, refilled 5 a second"]


LIMITS = [
    ({"capacity": 10, "refill_rate": "10/1m"}, "bursts of 10, refilled 10 a minute"),
    ({"capacity": 1, "refill_rate": "1/90s"}, "bursts of 1, refilled 40 an hour"),
    ({"capacity": 10, "refill_rate": "3/7s"}, "bursts of 10, refilled 3 every 7s"),
    ({"capacity": 10, "refill_rate": "100/1d"}, "bursts of 10, refilled 100 a day"),
    ({"algorithm": "sliding_window", "limit": 100, "window": "1m"}, "100 requests in any 1m"),
    ({"algorithm": "sliding_window_counter", "limit": 100, "window": "1h"}, "about 100 requests in any 1h"),
    ({"algorithm": "fixed_window", "limit": 1, "window": "90s"}, "1 request in each 90s of the clock"),
    ({"limits": [{"algorithm": "fixed_window", "limit": 10, "window": "1s"}, {"capacity": 5, "refill_rate": 1}]},
     "10 requests in each 1s of the clock and bursts of 5, refilled 1 a second"),
]


@pytest.mark.parametrize("limit, words", LIMITS, ids=[row[1] for row in LIMITS])
def test_check_tells_a_limit_in_words(tell, limit, words):
    assert tell({"r": limit}, "--check")[1] == f"  r: reached by name only; client: ip; {words}"


def test_check_tells_a_failure_mode_that_is_not_the_setting_s(tell):
    rules = {"a": BUCKET, "b": BUCKET | {"on_store_failure": "closed"}}
    lines = tell(rules, "--check", env={"FAILURE_MODE": "open"})
    assert [line.rpartition("; ")[2] for line in lines[1:]] == ["bursts of 20, refilled 5 a second",
                                                                 "answered 503 when the store is unavailable"]
