"""A Redis that sends what no Redis does. Never a crash, never a wrong answer, and no restart when it is good again."""
import socket

import pytest

from http_client import request_bytes
from rules import bucket, rules_of
from waiting import wait_for

GOOD = b"1 1 9 0 360000000"  # one request, allowed, 9 remaining


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text)


def sends(data, close=False):
    def behave(connection):
        connection.sendall(data)
        if close:
            connection.shutdown(socket.SHUT_RDWR)
    return behave


def floods(connection):
    """Announces 512 MB and sends them, as far as they are taken."""
    connection.sendall(b"$536870912\r\n")
    for _ in range(8192):
        connection.sendall(b"x" * 65536)


def resets(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


BEHAVIOURS = {
    "silence": lambda connection: None,
    "an end": sends(b"", close=True),
    "a reset": resets,
    "no protocol": sends(b"HTTP/1.1 200 OK\r\n\r\n"),
    "zero bytes": sends(b"\x00" * 1000),
    "a line without an end": sends(b"+" + b"x" * 100000),
    "a status": sends(b"+OK\r\n"),
    "an integer": sends(b":1\r\n"),
    "an integer that is none": sends(b":x\r\n"),
    "nil": sends(b"$-1\r\n"),
    "a nil array": sends(b"*-1\r\n"),
    "an empty array": sends(b"*0\r\n"),
    "an array": sends(b"*2\r\n" + bulk(GOOD) + bulk(GOOD)),
    "an array in an array, a hundred deep": sends(b"*1\r\n" * 100 + b":1\r\n"),
    "an array of 2^31": sends(b"*2147483648\r\n"),
    "an array of 100 million": sends(b"*100000000\r\n"),
    "a length of -5": sends(b"$-5\r\n"),
    "a length of 2^63": sends(b"$9223372036854775808\r\n"),
    "a length of letters": sends(b"$abc\r\n"),
    "half a reply": sends(b"$17\r\n1 1 9"),
    "half a reply and an end": sends(b"$17\r\n1 1 9", close=True),
    "half a length": sends(b"$1"),
    "512 MB": floods,
    "an empty text": sends(bulk(b"")),
    "words": sends(bulk(b"hello")),
    "too few numbers": sends(bulk(b"1 1 9")),
    "too many numbers": sends(bulk(GOOD + b" 1 1 9 0 0")),
    "blanks around": sends(bulk(b" " + GOOD + b" ")),
    "two blanks": sends(bulk(b"1  1 9 0 0")),
    "a fraction": sends(bulk(b"1 1 9.5 0 0")),
    "an exponent": sends(bulk(b"1 1 9e0 0 0")),
    "not a number": sends(bulk(b"1 1 nan 0 0")),
    "a negative rest": sends(bulk(b"1 1 -1 0 0")),
    "a rest above the limit": sends(bulk(b"1 1 11 0 0")),
    "neither yes nor no": sends(bulk(b"1 2 9 0 0")),
    "a wait of -2": sends(bulk(b"1 0 0 -2 0")),
    "a reset of -1": sends(bulk(b"1 0 0 0 -1")),
    "a number of 30 digits": sends(bulk(b"1 0 0 " + b"9" * 30 + b" 0")),
    "a number above 2^53": sends(bulk(b"1 0 0 9999999999999999 0")),
    "more requests than were asked": sends(bulk(b"2 1 9 0 0")),
    "a zero byte": sends(bulk(b"1 1 9\x000 0")),
    "an error": sends(b"-ERR something\r\n"),
    "an error without text": sends(b"-\r\n"),
    "an error of 100 kB": sends(b"-ERR " + b"x" * 100000 + b"\r\n"),
    "an error that would forge a line of the log": sends(b'-ERR "}\x1b[2J\n{"level":"info","forged-7f3a": 1}\r\n'),
    "NOSCRIPT for ever": sends(b"-NOSCRIPT No matching script\r\n"),
    "MOVED": sends(b"-MOVED 1234 127.0.0.1:1\r\n"),
    "two replies": sends(bulk(GOOD) + bulk(GOOD)),
    "a reply and an unasked status": sends(bulk(GOOD) + b"+OK\r\n"),
    "a reply and an unasked error": sends(bulk(GOOD) + b"-ERR unasked\r\n"),
    "a reply and an unasked message": sends(bulk(GOOD) + b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n"),
    "a RESP3 push": sends(b">2\r\n+invalidate\r\n*0\r\n" + bulk(GOOD)),
    "a RESP3 map": sends(b"%1\r\n+a\r\n:1\r\n"),
    "RESP3 null, true, a double": sends(b"_\r\n#t\r\n,1.5\r\n"),
    "a good reply in single bytes": lambda connection: [connection.sendall(bytes([byte])) for byte in bulk(GOOD)],
}
RULES = rules_of(bucket(10, "10/1h", identify_by=["header:user_id"]))
SHORT = {"REDIS_TIMEOUT_MS": "100"}  # for what never becomes a reply


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
def test_whatever_redis_sends_the_service_lives(serve, start_fake_redis, behaviour):
    fake = start_fake_redis(behaviour)
    service = serve(fake.url, RULES, workers=1, env=SHORT)
    for i in range(3):
        response = service.get("/", {"user_id": f"u{i}"})
        assert response.status in (200, 503)
        if response.status == 200:
            assert response["X-RateLimit-Remaining"] == "9", "what the good part of the reply says"
        assert service.get("/health").status == 200
    assert len(service.messages()) < 40, "it does not fill the log"


def test_a_reply_without_an_end_is_not_gathered(serve, start_fake_redis):
    service = serve(start_fake_redis(floods).url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "60000"})
    assert service.get("/", {"user_id": "u"}).status == 503
    service.says("oversized reply from Redis")


@pytest.mark.parametrize("name", ["silence", "an end", "no protocol", "a status", "half a reply", "words",
                                  "two replies", "an error", "MOVED"])
def test_whatever_redis_sent_it_is_used_again_when_it_is_good(serve, start_fake_redis, name):
    fake = start_fake_redis(BEHAVIOURS[name])
    service = serve(fake.url, RULES, workers=1, env=SHORT)
    assert service.get("/", {"user_id": "u"}).status in (200, 503)
    fake.behaviour = sends(bulk(GOOD))
    wait_for(lambda: service.get("/", {"user_id": "v"}).status == 200, "it is used again")


@pytest.mark.parametrize("unasked", [b"+OK\r\n", b":1\r\n", b"-ERR max number of clients reached\r\n", bulk(GOOD),
                                     b"garbage\r\n", b"*1\r\n+x\r\n", b"$5\r\nhal"],
                         ids=["status", "integer", "error", "reply", "garbage", "array", "half"])
def test_what_nobody_asked_for_does_not_end_the_service(serve, start_fake_redis, unasked):
    fake = start_fake_redis(sends(bulk(GOOD)))
    service = serve(fake.url, RULES, workers=1)
    assert service.get("/", {"user_id": "u"}).status == 200
    fake.send_to_all(unasked)
    wait_for(lambda: service.get("/", {"user_id": "v"}).status == 200, "it is used again")
    assert service.get("/health").status == 200


@pytest.mark.parametrize("greeting", [b"-ERR max number of clients reached\r\n", b"-LOADING Redis is loading\r\n",
                                      b"+OK\r\n", b"garbage\r\n", b"", b"-NOAUTH Authentication required.\r\n"],
                         ids=["full", "loading", "status", "garbage", "nothing", "password"])
def test_whoever_greets_badly_is_tried_again(serve, start_fake_redis, greeting):
    fake = start_fake_redis(sends(bulk(GOOD)), greeting=greeting)
    service = serve(fake.url, RULES, workers=1)
    assert service.get("/", {"user_id": "u"}).status in (200, 503)
    assert service.get("/health").status == 200
    fake.greeting = None
    wait_for(lambda: service.get("/", {"user_id": "v"}).status == 200, "it is used")


def array_without_end(connection):
    connection.sendall(b"*64\r\n*64\r\n")
    for _ in range(1000):
        connection.sendall(b"$1000000\r\n" + b"x" * 1000000 + b"\r\n")


def test_the_parts_of_an_array_are_not_gathered(serve, start_fake_redis):
    service = serve(start_fake_redis(array_without_end).url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "60000"})
    assert service.get("/", {"user_id": "u"}).status == 503
    service.says("unexpected array from Redis")


def test_a_server_of_another_protocol_is_no_redis(serve):
    web = serve()
    service = serve(f"redis://127.0.0.1:{web.port}", workers=1)
    assert service.get("/").status == 503
    assert service.get("/health").status == 200


def test_a_redis_that_falls_silent_in_the_middle_of_many_is_left(serve, start_fake_redis):
    fake = start_fake_redis(sends(b"$17\r\n1 1 9"))
    service = serve(fake.url, RULES, workers=1, env=SHORT)
    connections = [service.connect() for _ in range(100)]
    for i, connection in enumerate(connections):
        connection.send(request_bytes("GET", "/", {"user_id": f"u{i}"}))
    assert {connection.read_response().status for connection in connections} == {503}


def test_another_redis_on_the_same_port_takes_over(serve, start_fake_redis, start_redis):
    fake = start_fake_redis(sends(b"+OK\r\n"))
    service = serve(fake.url, RULES, workers=1)
    assert service.get("/", {"user_id": "u"}).status == 503
    fake.finish()
    redis = start_redis(start=False)
    redis.port = fake.port
    redis.start()
    wait_for(lambda: service.get("/", {"user_id": "u"}).status == 200, "the true one is used")
