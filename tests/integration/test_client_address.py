"""Which client a request behind proxies is of. Redis' keys tell which one the service found."""
import socket

import pytest

from rules import ROOMY, rules_of


def has_ipv6():
    """A container may have none."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


TRUSTED = "127.0.0.1,10.0.0.0/8,2001:db8:ffff::/48"

FORWARDED = [
    # what, lines of X-Forwarded-For, the client
    ("none", [], "127.0.0.1"),
    ("one", ["203.0.113.7"], "203.0.113.7"),
    ("the right-most", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
    ("a forged one before the true one", ["1.1.1.1,2.2.2.2,203.0.113.7"], "203.0.113.7"),
    ("trusted proxies are skipped", ["203.0.113.7, 10.1.2.3, 10.255.0.1"], "203.0.113.7"),
    ("what is left of an untrusted one is not", ["10.1.1.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
    ("all trusted: the left-most", ["10.0.0.9, 10.0.0.1"], "10.0.0.9"),
    ("several lines are one list", ["198.51.100.1", "203.0.113.7", "10.0.0.1"], "203.0.113.7"),
    ("several lists on several lines", ["1.1.1.1, 203.0.113.7", "10.0.0.1 ,\t10.0.0.2"], "203.0.113.7"),
    ("blanks", ["   203.0.113.7\t "], "203.0.113.7"),
    ("a port", ["203.0.113.7:4711"], "203.0.113.7"),
    ("IPv6 is its /64", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
    ("IPv6 in brackets", ["[2001:db8:1:2::5]"], "2001:db8:1:2::/64"),
    ("IPv6 with a port", ["[2001:db8:1:2::5]:443"], "2001:db8:1:2::/64"),
    ("IPv6 in capitals", ["2001:DB8:1:2::A"], "2001:db8:1:2::/64"),
    ("IPv6 of a trusted network", ["2001:db8:1:2::5, 2001:db8:ffff:1::9"], "2001:db8:1:2::/64"),
    ("IPv4 mapped to IPv6 is IPv4", ["::ffff:203.0.113.7"], "203.0.113.7"),
    ("mapped, by bits and not by spelling", ["::ffff:cb00:7107"], "203.0.113.7"),
    ("mapped and trusted", ["203.0.113.7, ::ffff:10.0.0.1"], "203.0.113.7"),
    ("IPv4 within IPv6 that is not mapped", ["2001:db8::1.2.3.4"], "2001:db8::/64"),
    ("garbage", ["unknown"], "127.0.0.1"),
    ("garbage stops the walk", ["203.0.113.7, garbage, 10.0.0.1"], "10.0.0.1"),
    ("garbage left of the client", ["garbage, 203.0.113.7"], "203.0.113.7"),
    ("an empty member", ["203.0.113.7, , 10.0.0.1"], "10.0.0.1"),
    ("an empty line", [""], "127.0.0.1"),
    ("octal", ["0203.0.113.7"], "127.0.0.1"),
    ("three parts", ["203.0.113"], "127.0.0.1"),
    ("a number", ["3405803783"], "127.0.0.1"),
    ("a port that is none", ["203.0.113.7:99999"], "127.0.0.1"),
    ("text after an address", ["203.0.113.7 x"], "127.0.0.1"),
    ("an obfuscated name", ["_hidden"], "127.0.0.1"),
    ("quotes", ['"203.0.113.7"'], "127.0.0.1"),
    ("5000 bytes of it", ["9" * 5000], "127.0.0.1"),
    ("a hundred addresses", [", ".join(f"198.51.100.{i}" for i in range(100))], "198.51.100.99"),
]


@pytest.fixture
def client_of(serve, redis):
    """client_of(headers, source) tells for whom a request is counted."""
    service = serve(redis.url, rules_of(ROOMY), env={"TRUSTED_PROXIES": TRUSTED})

    def ask(headers, source="127.0.0.1"):
        redis.command("FLUSHALL")
        with service.connect(source) as connection:
            assert connection.get("/", headers).status == 200
        [key] = redis.keys()
        assert key.startswith("rl:{ip=") and key.endswith("}:default:0:b3600ms")
        return key[len("rl:{ip="):-len("}:default:0:b3600ms")]
    return ask


def test_forwarded_for_is_walked_from_the_right(client_of):
    for what, lines, client in FORWARDED:
        assert client_of([("X-Forwarded-For", line) for line in lines]) == client, what


def test_forwarded_for_of_an_untrusted_peer_is_ignored(client_of):
    assert client_of({"X-Forwarded-For": "203.0.113.7"}, source="127.0.0.2") == "127.0.0.2"
    assert client_of({"X-Forwarded-For": "10.0.0.1"}, source="127.0.0.2") == "127.0.0.2"


def test_no_other_header_names_a_client(client_of):
    headers = {"X-Real-IP": "203.0.113.7", "Forwarded": "for=203.0.113.7", "X-Client-IP": "203.0.113.7",
               "True-Client-IP": "203.0.113.7", "CF-Connecting-IP": "203.0.113.7"}
    assert client_of(headers) == "127.0.0.1"


def test_the_name_of_the_header_has_no_case(client_of):
    assert client_of({"x-FORWARDED-for": "203.0.113.7"}) == "203.0.113.7"


def test_of_very_many_lines_the_last_ones_count(client_of):
    lines = [("X-Forwarded-For", f"198.51.100.{i}") for i in range(90)]
    assert client_of(lines) == "198.51.100.89"


PROXIES = [("private", "192.168.1.1", True), ("private", "100.64.0.1", True), ("private", "172.32.0.1", False),
           ("127.0.0.1 10.0.0.0/8", "10.9.9.9", True)]


@pytest.mark.parametrize("setting, hop, trusted", PROXIES)
def test_trusted_proxies_are_networks_or_a_name_for_them(serve, redis, setting, hop, trusted):
    service = serve(redis.url, rules_of(ROOMY), env={"TRUSTED_PROXIES": setting})
    service.get("/", {"X-Forwarded-For": f"203.0.113.7, {hop}"})
    assert redis.keys() == ["rl:{ip=%s}:default:0:b3600ms" % ("203.0.113.7" if trusted else hop)]


def test_trusting_nobody_makes_every_peer_the_client(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), env={"TRUSTED_PROXIES": "none"})
    service.get("/", {"X-Forwarded-For": "203.0.113.7"})
    assert redis.keys() == ["rl:{ip=127.0.0.1}:default:0:b3600ms"]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_a_client_over_ipv6_is_counted_as_its_network(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), listen="[::1]:0", env={"TRUSTED_PROXIES": "none"})
    service.address = ("::1", service.port)
    assert service.get("/").status == 200
    assert redis.keys() == ["rl:{ip=::/64}:default:0:b3600ms"]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_an_ipv4_client_of_a_dual_socket_is_ipv4(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), listen="[::]:0", env={"TRUSTED_PROXIES": "none"})
    assert service.get("/").status == 200
    assert redis.keys() == ["rl:{ip=127.0.0.1}:default:0:b3600ms"]


def test_a_peer_on_a_unix_socket_is_trusted(serve, redis, tmp_path):
    service = serve(redis.url, rules_of(ROOMY), listen=f"unix:{tmp_path}/s", env={"TRUSTED_PROXIES": "none"})
    assert service.get("/").status == 200
    assert service.get("/", {"X-Forwarded-For": "203.0.113.7"}).status == 200
    assert redis.keys() == ["rl:{ip=203.0.113.7}:default:0:b3600ms", "rl:{ip=unix}:default:0:b3600ms"]
