"""Names that clients give themselves: no two share a quota, and none gets out raw."""
import pytest

from http_client import request_bytes
from rules import ROOMY, at, bucket, rules_of

HOSTILE = [
    b"plain", b"Plain", b"PLAIN", b"a b", b"a  b", b"a%20b", b"a+b", b"{a}", b"a", b"{}", b"}{",
    b"a}:default:0", b"a}:default:1", b"rl:{a}:default:0", b'"', b'\\"', b"'", b'"a"', b"\\", b"\\\\", b"<script>",
    b"%", b"%%", b"%25", b"%00", b"%0d%0aX: y", b"%7b", b"%7B", b"\\r\\n", b"$(id)", b"`id`", b"a;b", b"a,b", b"a=b",
    b"=", b"a|b", b"*", b"?", b"[a]", b"ip=127.0.0.1", b"header:user_id=a", b"global", b"sha256=" + b"0" * 64,
    "\u00e9".encode(), "\u00e9".encode("latin-1"), "e\u0301".encode(), "\U0001f600".encode(), b"\xff", b"\xff\xfe",
    b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xc3", b"\xc3\x28", b"%c3%a9", b"x" * 127, b"x" * 128, b"x" * 129,
    b"x" * 10000, b"x" * 9999 + b"y", b"y" + b"x" * 9999, b"{" * 5000, b"{" * 4999 + b"}", b"-1", b"0", b"null", b"undefined",
    b"1e309",
]


@pytest.fixture
def one_each(serve, store):
    """A service that lets each client pass once."""
    rules = rules_of(bucket(1, identify_by=["header:user_id", "ip"]), data=at("/api/data", ROOMY))
    return serve(store, rules, env={"LOG_LEVEL": "debug"})


def test_two_different_names_never_share_a_quota_and_equal_ones_always_do(one_each):
    assert len(set(HOSTILE)) == len(HOSTILE)
    for name in HOSTILE:
        assert one_each.get("/", {"user_id": name}).status == 200, name[:40]
    for name in HOSTILE:
        assert one_each.get("/", {"user_id": name}).status == 429, name[:40]
    assert one_each.get("/").status == 200, "nor does the address share with any of them"


def test_no_name_comes_back_in_an_answer_or_in_the_log(one_each):
    connection = one_each.connect()
    for name in HOSTILE:
        # Long enough to be told from what an answer says anyway.
        marked = b"mark-7f3a-" + name
        for _ in range(2):
            raw = connection.get("/", {"user_id": marked}).raw()
            assert b"7f3a" not in raw, name[:40]
    assert b"7f3a" not in one_each.log_bytes()


def test_no_path_or_header_comes_back_in_an_answer_or_in_the_log(one_each):
    for request in (request_bytes("GET", "/mark-7f3a"), request_bytes("GET", "/?mark-7f3a"),
                    request_bytes("PUT", "/", {"mark-7f3a": "mark-7f3a"}), request_bytes("MARK-7f3a", "/"),
                    request_bytes("GET", "/%ff%22mark-7f3a"), request_bytes("GET", "/", host="mark-7f3a"),
                    request_bytes("POST", "/api/submit", body=b"mark-7f3a")):
        connection = one_each.connect()
        connection.send(request)
        assert b"7f3a" not in connection.read_response().raw(), request
    assert b"7f3a" not in one_each.log_bytes()


def test_blanks_around_a_name_are_not_part_of_it(one_each):
    assert one_each.get("/", {"user_id": "someone"}).status == 200
    assert one_each.get("/", {"user_id": "   someone \t"}).status == 429


@pytest.mark.parametrize("name", [b"a\x01b", b"\x7f", b"a\x1bb", b"a\x0bb", b"a\tb"])
def test_a_control_byte_in_a_name_is_refused(one_each, name):
    connection = one_each.connect()
    connection.send(request_bytes("GET", "/", {"user_id": name}))
    response = connection.read_response()
    assert (response.status, response.closes) == (400, True)
    assert connection.ends()
    assert one_each.get("/", {"user_id": "a"}).status == 200
    assert one_each.get("/").status == 200, "it was counted for nobody"


def test_a_zero_byte_hides_nobody(one_each):
    """libmicrohttpd ends a value at a zero byte, so what follows it must not make another client of it."""
    for name in (b"a\x00b", b"a\x00c", b"a\x00"):
        with one_each.connect() as connection:
            connection.send(request_bytes("GET", "/", {"user_id": name}))
            assert connection.read_response().status in (400, 200 if name == b"a\x00b" else 429), name
    with one_each.connect() as connection:
        connection.send(request_bytes("GET", "/", {"user_id": b"\x00hidden"}))
        assert connection.read_response().status in (200, 400), "as without a name, or not at all"
    assert one_each.get("/health").status == 200


def test_a_name_is_the_first_one_that_is_not_empty(serve, store):
    service = serve(store, rules_of(bucket(1, identify_by=["header:X-Tenant", "header:user_id", "ip"])))
    assert service.get("/", [("X-Tenant", "t"), ("user_id", "u")]).status == 200
    assert service.get("/", [("user_id", "u2"), ("X-Tenant", "t")]).status == 429, "the rule's order, not the request's"
    assert service.get("/", [("X-Tenant", ""), ("user_id", "u")]).status == 200
    assert service.get("/", [("X-Tenant", ""), ("X-Tenant", "t"), ("user_id", "u3")]).status == 429
    assert service.get("/", [("X-Tenant", " \t "), ("user_id", "u")]).status == 429
    assert service.get("/", [("X-Tenant", ""), ("user_id", "")]).status == 200, "the address"
    assert service.get("/").status == 429


def test_equal_values_of_different_headers_are_different_clients(serve, store):
    service = serve(store, rules_of(bucket(1, identify_by=["header:X-Tenant", "header:user_id"])))
    assert service.get("/", {"X-Tenant": "same"}).status == 200
    assert service.get("/", {"user_id": "same"}).status == 200


def test_a_long_name_is_a_digest_in_redis(serve, redis):
    service = serve(redis.url, rules_of(bucket(1, identify_by=["header:user_id"])))
    service.get("/", {"user_id": "x" * 10000})
    [key] = redis.keys()
    assert key.startswith("rl:{sha256=") and len(key) < 100


def test_names_are_escaped_in_redis(serve, redis):
    service = serve(redis.url, rules_of(bucket(1, identify_by=["header:user_id"])))
    service.get("/", {"user_id": b"{a b}%\xff"})
    assert redis.keys() == ["rl:{header:user_id=%7ba%20b%7d%25%ff}:default:0:b1h"]
