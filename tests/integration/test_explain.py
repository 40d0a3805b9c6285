"""What ratelimitd tells about its rules: --check, a line for each rule; --explain, what one request meets."""
import json
import re

import pytest

from ports import free_port
from rules import at, rules_of, window
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
    ({"shadow": True}, "reached by name only; client: ip; LIMIT; a shadow: it refuses nothing"),
    ({"candidate": {"capacity": 7}},
     "reached by name only; client: ip; LIMIT; candidate: bursts of 7, refilled 5 a second"),
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


# --explain

RULES = {
    "login": BUCKET | {"match": {"path": "/login", "methods": ["POST", "PUT"]}},
    "gold": BUCKET | {"match": {"headers": {"X-Plan": "gold"}, "path": "/api/**"}},
    "bot": BUCKET | {"match": {"headers": {"User-Agent": {"prefix": "bot/"}}}},
    "inside": BUCKET | {"match": {"headers": {"X-In": {"present": True}}}},
    "host": BUCKET | {"match": {"host": ["a.example.com", "*.b.example.com"]}},
    "outside": BUCKET | {"match": {"path": "/out", "headers": {"X-In": {"present": False}}}},
    "keyed": BUCKET | {"match": {"path": "/api/data"}, "identify_by": ["header:X-API-Key", "cookie:sid"]},
    "named": BUCKET,
    "api": BUCKET | {"match": {"path": "/api/*"}},
    "default": BUCKET,
    "after": BUCKET | {"match": {"path": "/after"}},
}
LIMIT = "bursts of 20, refilled 5 a second"


def test_it_tells_the_rule_the_client_the_limits_and_why_not_the_rules_above(tell):
    assert tell(RULES, "--explain", "GET /api/data X-API-Key=k from 203.0.113.9") == [
        f"rule: keyed: /api/data; client: header:x-api-key, else cookie:sid; {LIMIT}",
        "client: header:x-api-key=k",
        f"limits: {LIMIT}",
        "not login: path /login does not match",
        "not gold: header x-plan is not sent",
        "not bot: header user-agent is not sent",
        "not inside: header x-in is not sent",
        "not host: host a.example.com or *.b.example.com only, and no host is asked for",
        "not outside: path /out does not match",
        "not api: matches too, but comes after keyed"]


def test_it_tells_it_of_the_default(tell):
    assert tell(RULES, "--explain", 'GET /login X-Plan=silver host=c.example.com User-Agent="curl/8 x" from ::1') == [
        f"rule: default: what no other rule matches; client: ip; {LIMIT}",
        "client: ip=::/64",
        f"limits: {LIMIT}",
        "not login: method POST, PUT only",
        "not gold: path /api/** does not match",
        'not bot: header user-agent does not begin with "bot/"',
        "not inside: header x-in is not sent",
        "not host: host a.example.com or *.b.example.com only",
        "not outside: path /out does not match",
        "not keyed: path /api/data does not match",
        "not named: reached by name only",
        "not api: path /api/* does not match",
        "not after: path /after does not match"]


def test_it_tells_that_no_rule_decides(tell):
    assert tell({"a": BUCKET | {"match": {"path": "/a", "headers": {"X-A": "v\u009b"}}}, "b": BUCKET},
                "--explain", "/a X-A=w") == [
        'rule: none matches, and none is named "default": not limited',
        'not a: header x-a is not "v\\xc2\\x9b"', "not b: reached by name only"]


REQUESTS = [
    # the request, the rule and the client
    ("/", "default", None),
    ("GET /api/other from 203.0.113.9", "api", "ip=203.0.113.9"),
    ("GET /api/%6fther from [2001:db8::1]:443", "api", "ip=2001:db8::/64"),
    ("POST /login from 127.0.0.1 X-Forwarded-For=192.0.2.7", "login", "ip=192.0.2.7"),
    ("POST /login from 203.0.113.9 X-Forwarded-For=192.0.2.7", "login", "ip=203.0.113.9"),
    ("POST /login from unix X-Forwarded-For=192.0.2.7", "login", "ip=192.0.2.7"),
    ("POST /login from UNIX", None, None),
    ("POST /login from unix", "login", "ip=unix"),
    ("post-it /login", None, None),
    ("PROPFIND /login from 203.0.113.9", "default", "ip=203.0.113.9"),
    ("  GET\t/login?a=b   from  203.0.113.9  ", "default", "ip=203.0.113.9"),
    ("GET /api/data header:x-api-key=k", "keyed", "header:x-api-key=k"),
    ("GET /api/data X-API-Key= X-API-Key=\"a b\"", "keyed", "header:x-api-key=a%20b"),
    ("GET /api/data X-API-Key=a=\"b", "keyed", None),
    ("GET /api/data X-API-Key=a X-API-Key=b", "keyed", "header:x-api-key=a"),
    ("GET /api/data X-API-Key=\x1b[2J", "keyed", None),
    ("GET /api/data cookie:sid=s%61", "keyed", "cookie:sid=sa"),
    ('GET /api/data Cookie="a=b; sid=t"', "keyed", "cookie:sid=t"),
    ("GET /api/data X-Plan=gold from 203.0.113.9", "gold", "ip=203.0.113.9"),
    ("GET /api/data User-Agent=bot/1 from 203.0.113.9", "bot", "ip=203.0.113.9"),
    ("GET /x host=A.Example.com:80 from 203.0.113.9", "host", "ip=203.0.113.9"),
    ("GET https://x.b.example.com/x?y from 203.0.113.9", "host", "ip=203.0.113.9"),
    ("GET /out", "outside", None),
    ("GET /out X-In=1", "inside", None),
]


@pytest.mark.parametrize("request_, rule, client", REQUESTS, ids=[repr(row[0]) for row in REQUESTS])
def test_a_request_is_told_as_the_service_decides_it(tmp_path, request_, rule, client):
    (tmp_path / "r.json").write_text(json.dumps(RULES))
    done = run("--rules", "r.json", "--explain", request_, directory=tmp_path)
    told = dict(line.split(": ")[:2] for line in done.stdout.splitlines() if not line.startswith("not "))
    assert "\x1b" not in done.stdout + done.stderr
    if client is None:
        assert not told or told["rule"] == rule and told["client"].startswith(("unknown", "none"))
    else:
        assert (told["rule"], told["client"]) == (rule, client)


CLIENTS = [
    # what the rule says, the request, what is told of the client and below
    ({"identify_by": ["header:X-A", "cookie:c"]}, "/",
     ["client: none, so the answer is 400: The request names no client: looked for header:x-a, cookie:c"]),
    ({}, "/", ["client: unknown without its address; add: from ADDRESS"]),
    ({"identify_by": [["header:X-A", "ip"], "global"]}, "/", ["client: global", f"limits: {LIMIT}"]),
    ({"identify_by": ["header:X-A"]}, "/ X-A=a\x07b",
     ["client: none, so the answer is 400: a control character is in what names it"]),
    ({"identify_by": ["path:1"]}, "/a%2Fb",
     ["client: none, so the answer is 400: an encoded slash (%2F) makes it unclear which segment of the path names it"]),
    ({"cost": 5}, "/ from 192.0.2.1", ["client: ip=192.0.2.1", "cost: 5", f"limits: {LIMIT}"]),
    ({"cost": "header:X-C"}, "/ X-C=7 from 127.0.0.1", ["client: ip=127.0.0.1", "cost: 7", f"limits: {LIMIT}"]),
    ({"cost": "header:X-C"}, "/ X-C=7 from unix", ["client: ip=unix", "cost: 7", f"limits: {LIMIT}"]),
    ({"cost": "header:X-C"}, "/ X-C=7 from 192.0.2.1",
     ["client: ip=192.0.2.1", "cost: 1: only peers in TRUSTED_PROXIES may say another", f"limits: {LIMIT}"]),
    ({"cost": "header:X-C"}, "/ X-C=x from 127.0.0.1",
     ["client: ip=127.0.0.1",
      "cost: none, so the answer is 400: header x-c is no whole number from 0 to 9007199254740991"]),
    ({"clients": {"192.0.2.0/24": {"capacity": 40}}}, "/ from 192.0.2.1",
     ["client: ip=192.0.2.1", "limits: bursts of 40, refilled 5 a second, of this client"]),
    ({"clients": {"192.0.2.0/24": "blocked"}}, "/ from 192.0.2.1",
     ["client: ip=192.0.2.1", "limits: none: the client is blocked, so the answer is 403"]),
    ({"clients": {"192.0.2.0/24": "blocked"}, "shadow": True}, "/ from 192.0.2.1",
     ["client: ip=192.0.2.1", "limits: none: the client is blocked, but the rule is a shadow: it refuses nothing"]),
    ({"shadow": True}, "/ from 192.0.2.1",
     ["client: ip=192.0.2.1", "limits: bursts of 20, refilled 5 a second; the rule is a shadow: it refuses nothing"]),
    ({"clients": {"192.0.2.0/24": "unlimited"}}, "/ from 192.0.2.1",
     ["client: ip=192.0.2.1", "limits: none: the client is unlimited"]),
]


@pytest.mark.parametrize("keys, request_, lines", CLIENTS, ids=[str(number) for number in range(len(CLIENTS))])
def test_it_tells_what_applies_to_the_client(tell, keys, request_, lines):
    assert tell({"default": BUCKET | keys}, "--explain", request_)[1:] == lines


MISTAKES = [
    ("", '"": the path is missing'),
    ("GET", '"": the path is missing'),
    ("get /", '"get": is not a path'),
    ("GET x", '"x": is not a path'),
    ("GET /a%00", '"/a%00": is not a path that a rule can match'),
    ("GET /" + 9000 * "a", ": the path is too long"),
    ("GET / a", '"a": is neither NAME=VALUE nor from ADDRESS'),
    ("GET / =a", '"=a": is neither NAME=VALUE nor from ADDRESS'),
    ("GET / a b=1", '"a": is neither NAME=VALUE nor from ADDRESS'),
    ("GET / \x1b[2J=1", '"\\x1b[2J=1": is neither NAME=VALUE nor from ADDRESS'),
    ('GET / a="b', '"a="b": its quotes are not closed'),
    ("GET / host=", '"host=": its host is not a name or an address'),
    ("GET http:///x", '"http:///x": its host is not a name or an address'),
    ("GET / host=a/b", '"host=a/b": its host is not a name or an address'),
    ("GET https://a..b/", '"https://a..b/": its host is not a name or an address'),
    ("GET / from", '"from": needs an address, or unix'),
    ("GET / from example.com", '"from": needs an address, or unix'),
    ("GET / from ::1 from ::1", '"from": given twice'),
]


@pytest.mark.parametrize("request_, mistake", MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_a_request_that_is_not_understood_is_named_with_what_is_accepted(tmp_path, request_, mistake):
    (tmp_path / "r.json").write_text(json.dumps({"default": BUCKET | {"identify_by": ["host", "global"]}}))
    done = run("--rules", "r.json", "--explain", request_, directory=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    errors = [line for line in done.stderr.splitlines() if "warning" not in line]
    assert mistake in errors[0] and errors[0].startswith("ratelimitd: --explain: ")
    assert errors[0].endswith('; accepted: [METHOD] PATH [NAME=VALUE]... [from ADDRESS], such as '
                              '"GET /api/data X-API-Key=k from 203.0.113.9"')


def test_what_no_rule_looks_at_gets_a_warning(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps({"default": BUCKET | {"identify_by": ["header:X-A", "global"]}}))
    done = run("--rules", "r.json", "--explain", "/ X-B=1 cookie:c=1 host=a X-A=1", directory=tmp_path)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [f'ratelimitd: warning: --explain: "{name}": no rule looks at this {what}'
                                        for name, what in (("X-B", "header"), ("c", "cookie"), ("host", "header"))]


def test_with_a_store_it_tells_what_remains_and_counts_nothing(serve, redis, tell):
    rules = rules_of(BUCKET | {"capacity": 50, "refill_rate": "1/1h"}, keyed=at("/keyed", {
        "identify_by": ["header:X-A"], "limits": [window("fixed_window", 2), window("sliding_window", 9)],
        "penalty": {"after": 1, "within": "1h", "for": "1h"}}))
    service = serve(redis.url, rules)
    ask = "--store", redis.url, "--explain", "/keyed X-A=a"
    assert tell(rules, *ask)[3] == "remaining: 2 of 2 and 9 of 9"
    service.get("/check/keyed", {"X-A": "a"})
    for _ in range(2):
        assert re.fullmatch(r"remaining: 1 of 2, all of it in \d+[smhd] and 8 of 9, all of it in \d+[hd]",
                            tell(rules, *ask)[3])
    for _ in range(3):
        service.get("/check/keyed", {"X-A": "a"})
    assert re.search(r"; penalised for another (1h|60m)$", tell(rules, *ask)[3])
    assert tell(rules, "--store", redis.url, "--explain", "/keyed")[1].startswith("client: none")


def test_with_a_store_it_tells_what_was_set_for_the_client_at_run_time(serve, redis, tell):
    rules = rules_of(BUCKET | {"capacity": 50})
    service = serve(redis.url, rules, env={"ADMIN_TOKEN": "the-token-of-the-operator"}, admin="127.0.0.1:0")

    def said(what, **body):
        response = service.admin("POST", f"/v1/clients/{what}", {"Authorization": "Bearer the-token-of-the-operator"},
                                 json.dumps({"client": "192.0.2.0/24", **body}).encode())
        assert response.status == 200, response
        return tell(rules, "--store", redis.url, "--explain", "/ from 192.0.2.1")[2:]
    assert said("block", **{"for": "10m"}) == [
        "limits: none: the client is blocked, so the answer is 403; set at run time, for another 10m"]
    assert said("limit", rule="default", limits=[{"capacity": 7, "refill_rate": 5}], **{"for": "3d"}) == [
        "limits: bursts of 7, refilled 5 a second, of this client; set at run time, for another 3d", "remaining: 7 of 7"]
    assert said("restore") == ["limits: bursts of 50, refilled 5 a second", "remaining: 50 of 50"]


def test_what_others_wrote_about_clients_is_ignored(redis, tell):
    redis.client.command("HSET", "rl:{overrides}", "192.0.2.1", "99999999999999 {", " 192.0.2.1", "\x1b[2J")
    told = tell({"default": BUCKET}, "--store", redis.url, "--explain", "/ from 192.0.2.1")
    assert told[2:] == [f"limits: {LIMIT}", "remaining: 20 of 20"]


def test_only_the_flag_asks_the_store(tell):
    told = tell({"default": BUCKET}, "--explain", "/ from ::1", env={"REDIS_URL": "redis://127.0.0.1:1"})
    assert [line.split(":")[0] for line in told] == ["rule", "client", "limits"]


def test_memory_is_the_service_s_own(tell):
    assert tell({"default": BUCKET}, "--store", "memory", "--explain", "/ from ::1")[3] == (
        "remaining: only the service knows, as its store is memory; ask its admin listener for /v1/clients/CLIENT")


def explain_away(tmp_path, url):
    (tmp_path / "r.json").write_text(json.dumps({"default": BUCKET}))
    return run("--rules", "r.json", "--store", url, "--explain", "/ from ::1", directory=tmp_path)


def test_redis_that_is_away_is_told(tmp_path):
    port = free_port()
    done = explain_away(tmp_path, f"redis://:s3cr3t-7f3a@127.0.0.1:{port}")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[2:] == [
        f"limits: {LIMIT}", "remaining: unknown, as is what was set for the client at run time: "
        f"redis://127.0.0.1:{port}/0: Connection refused"]


def test_redis_that_does_not_answer_is_told(tmp_path, start_fake_redis):
    done = explain_away(tmp_path, start_fake_redis().url)
    assert done.returncode == 1
    assert done.stdout.splitlines()[3].startswith("remaining: unknown, ")
