"""Mistakes in a rules file: all of them in one run, each with file, place, value and what is accepted."""
import pytest

from service import run

MISTAKES = [
    # the file, what one line must have in it
    ("", ["line 1"]),
    ("{", ["line 1"]),
    ("[]", ["$", "object"]),
    ("null", ["$", "object"]),
    ('{"default": {"capacity": 20, "refill_rate": 5}} x', ["line 1, column"]),
    ('{"default": {"capacity": 20, "refill_rate": 5},}', ["line 1, column"]),
    ('{"default": {"capacity": 20, "refill_rate": 5}}\x00', ["line 1"]),
    ("{'default': {}}", ["line 1, column"]),
    ('{"default": {"capacity": 020, "refill_rate": 5}}', ["line 1, column"]),
    ('{"default": {"capacity": NaN, "refill_rate": 5}}', ["line 1, column"]),
    ("{\n  // a comment\n}", ["line 2"]),
    ('{"default": 5}', ["$.default", "5", "object"]),
    ('{"default": {}}', ["$.default", "capacity"]),
    ('{"default": {"capacity": 0, "refill_rate": 5}}', ["$.default.capacity", "0", "1 to"]),
    ('{"default": {"capacity": -3, "refill_rate": 5}}', ["$.default.capacity", "-3"]),
    ('{"default": {"capacity": 1.5, "refill_rate": 5}}', ["$.default.capacity", "1.5"]),
    ('{"default": {"capacity": 1e999, "refill_rate": 5}}', ["$.default.capacity"]),
    ('{"default": {"capacity": "20", "refill_rate": 5}}', ["$.default.capacity", '"20"']),
    ('{"default": {"capacity": 9007199254740993, "refill_rate": 5}}', ["$.default"]),
    ('{"default": {"capacity": 20, "refill_rate": 0}}', ["$.default.refill_rate", "0"]),
    ('{"default": {"capacity": 20, "refill_rate": "10"}}', ["$.default.refill_rate", '"10"', "N/DURATION"]),
    ('{"default": {"capacity": 20, "refill_rate": "10/1w"}}', ["$.default.refill_rate", '"10/1w"']),
    ('{"default": {"capacity": 20}}', ["$.default", "refill_rate"]),
    ('{"default": {"capacity": 20, "refil_rate": 5}}', ["$.default.refil_rate", "did you mean", "refill_rate"]),
    ('{"default": {"capacity": 20, "capacity": 20, "refill_rate": 5}}', ["$.default.capacity", "duplicate key"]),
    ('{"default": {"capacity": 2, "refill_rate": 5}, "default": {"capacity": 2, "refill_rate": 5}}',
     ["$.default", "duplicate key"]),
    ('{"default": {"algorithm": "tokenbucket", "capacity": 2, "refill_rate": 5}}',
     ["$.default.algorithm", '"tokenbucket"', "token_bucket"]),
    ('{"default": {"algorithm": "fixed_window", "limit": 0}}', ["$.default.limit", "0"]),
    ('{"default": {"algorithm": "fixed_window", "window": "1 hour"}}', ["$.default.window", '"1 hour"', '"1h"']),
    ('{"default": {"algorithm": "fixed_window", "window": "367d"}}', ["$.default.window", '"367d"']),
    ('{"default": {"algorithm": "fixed_window", "window": 0.5}}', ["$.default.window", "0.5"]),
    ('{"default": {"algorithm": "fixed_window", "window": 60}}', ["$.default.window", "60", '"60s"', '"60ms"']),
    ('{"default": {"algorithm": "fixed_window", "capacity": 5}}', ["$.default.capacity"]),
    ('{"default": {"limit": 5}}', ["$.default", "algorithm"]),
    ('{"default": {"limits": []}}', ["$.default.limits"]),
    ('{"default": {"limits": [{"capacity": 1, "refill_rate": 1}], "capacity": 2}}', ["$.default.capacity", "limits"]),
    ('{"default": {"limits": [{"capacity": 1, "refill_rate": 1}, {"capacity": 0, "refill_rate": 1}]}}',
     ["$.default.limits[1].capacity"]),
    ('{"default": {"match": {"path": "/"}, "capacity": 20, "refill_rate": 5}}', ["$.default.match"]),
    ('{"default": {"capacity": 20, "refill_rate": 5, "identify_by": []}}', ["$.default.identify_by"]),
    ('{"default": {"capacity": 20, "refill_rate": 5, "identify_by": ["query:x"]}}',
     ["$.default.identify_by[0]", "query:x"]),
    ('{"default": {"capacity": 20, "refill_rate": 5, "identify_by": ["header:a b"]}}', ["$.default.identify_by[0]"]),
    ('{"default": {"capacity": 20, "refill_rate": 5, "identify_by": ["ip", "header:a"]}}',
     ["$.default.identify_by[0]", "last"]),
    ('{"default": {"capacity": 20, "refill_rate": 5, "on_store_failure": "maybe"}}',
     ["$.default.on_store_failure", '"maybe"']),
    ('{"default": {"capacity": 20, "refill_rate": 5}, "a": {"match": {"path": "x"}, "capacity": 1, "refill_rate": 1}}',
     ["$.a.match.path", '"x"']),
    ('{"default": {"capacity": 20, "refill_rate": 5}, "a": {"match": {"path": "/x", "methods": ["get"]}, '
     '"capacity": 1, "refill_rate": 1}}', ["$.a.match.methods[0]", '"get"', "GET"]),
    ('{"default": {"capacity": 20, "refill_rate": 5}, "a b": {"capacity": 1, "refill_rate": 1}}', ['$["a b"]']),
    ('{"default": {"capacity": 20, "refill_rate": 5}, "a": {"match": {"path": "/**"}, "capacity": 1, '
     '"refill_rate": 1}, "b": {"match": {"path": "/x"}, "capacity": 1, "refill_rate": 1}}', ["$.b", "never reached", '"a"']),
    ('{"default": {"algorithm": "sliding_window_counter", "limit": 9007199254740991, "window": "1h"}}', ["$.default"]),
    ("[" * 100000, ["line 1"]),
    ('{"default": {"capacity": "\\u001b[2J\\u0007", "refill_rate": 5}}', ["$.default.capacity"]),
]


def check(tmp_path, text):
    (tmp_path / "r.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("--check", "--rules", "r.json", directory=tmp_path)


@pytest.mark.parametrize("text, parts", MISTAKES, ids=[row[0][:50] for row in MISTAKES])
def test_an_error_is_reported_with_its_place_and_what_is_accepted(tmp_path, text, parts):
    done = check(tmp_path, text)
    assert done.returncode == 2, done
    lines = done.stderr.splitlines()
    assert all(line.startswith("ratelimitd: r.json: ") for line in lines), done.stderr
    assert any(all(part in line for part in parts) for line in lines), done.stderr
    assert all(" " <= character for line in lines for character in line), "nothing that a terminal would obey"


def test_all_errors_in_a_file_are_reported_in_one_run(tmp_path):
    done = check(tmp_path, """{
        "default": {"capacity": 0, "refill_rate": "x"},
        "a": {"match": {"path": "no slash"}, "algorithm": "leaky", "limit": 5},
        "b": {"match": {"path": "/b"}, "capacity": 5, "refill_rate": 1, "on_store_failure": 1, "colour": "red"},
        "c": {"limits": [{"capacity": 1}]}
    }""")
    assert done.returncode == 2
    for place in ("$.default.capacity", "$.default.refill_rate", "$.a.match.path", "$.a.algorithm",
                  "$.b.on_store_failure", "$.b.colour", "$.c.limits[0]"):
        assert place in done.stderr, place


def test_invalid_utf8_is_an_error(tmp_path):
    assert check(tmp_path, b'{"default": {"capacity": 20, "refill_rate": 5}, "\xff": {}}').returncode == 2


def test_a_file_that_is_too_large_is_refused(tmp_path):
    done = check(tmp_path, " " * (8 * 1024 * 1024) + "{}")
    assert (done.returncode, "larger than 1048576 bytes" in done.stderr) == (2, True)


def test_a_file_without_default_is_valid_and_check_says_so(tmp_path):
    one = '"api": {"match": {"path": "/api"}, "capacity": 20, "refill_rate": 5}'
    for text, end in (("{%s}" % one, "good: 1 rule; what no rule matches is not limited"),
                      ('{%s, "default": {"capacity": 20, "refill_rate": 5}}' % one,
                       'good: 2 rules; what no other rule matches is limited by "default"')):
        done = check(tmp_path, text)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == f"ratelimitd: the settings and r.json are {end}"


@pytest.mark.parametrize("text, what", [("{}", "no rules, so no request is limited"),
                                        ('{"defualt": {"capacity": 20, "refill_rate": 5}}', 'did you mean "default"?')])
def test_probably_unintended_rules_get_a_warning_and_are_served(tmp_path, serve, text, what):
    done = check(tmp_path, text)
    assert done.returncode == 0
    assert done.stderr.startswith("ratelimitd: warning: r.json: ") and what in done.stderr
    service = serve("memory", text, workers=1)
    assert service.get("/").status == 200
    assert any(what in message for message in service.messages()), "it is in the log, as JSON like the rest"


def test_common_spellings_are_accepted(tmp_path):
    for text in ('{"default": {"capacity": 20, "refill_rate": 5}, "special_path": {"capacity": 50, "refill_rate": 10}}',
                 b'\xef\xbb\xbf{"default": {"capacity": 1, "refill_rate": 0.5}}',
                 '\r\n\t {"default":{"capacity":1e3,"refill_rate":1E1}}\r\n',
                 '{"default": {"algorithm": "fixed_window"}}',
                 '{"default": {"algorithm": "sliding_window", "limit": 100000000, "window": "1h"}}',
                 '{"default": {"capacity": 5, "refill_rate": "5/1500ms"}}'):
        done = check(tmp_path, text)
        assert done.returncode == 0, done.stderr
