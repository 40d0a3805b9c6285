"""Requests that could be read in two ways, or in none. What may not end where it seems to ends the connection."""
import pytest

import http_client
from http_client import chunked, request_bytes
from rules import ROOMY, bucket, rules_of

HOST = b"Host: test\r\n"
SMUGGLED = b"GET /api/data HTTP/1.1\r\nHost: test\r\n\r\n"


def post(*lines, body=b""):
    return b"POST /api/submit HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def get(*lines, start=b"GET / HTTP/1.1"):
    return start + b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


BAD_REQUESTS = {
    "both lengths": post(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=chunked(b"body") + SMUGGLED),
    "both lengths, the other way": post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=chunked(b"body")),
    "two different lengths": post(b"Content-Length: 4", b"Content-Length: 40", body=b"body" + SMUGGLED),
    "two equal lengths": post(b"Content-Length: 4", b"Content-Length: 4", body=b"body"),
    "a list of lengths": post(b"Content-Length: 4, 4", body=b"body"),
    "a length with a sign": post(b"Content-Length: +4", body=b"body"),
    "a negative length": post(b"Content-Length: -4", body=b"body"),
    "a hexadecimal length": post(b"Content-Length: 0x4", body=b"body"),
    "an empty length": post(b"Content-Length:", body=b"body"),
    "an encoding that is not chunked": post(b"Transfer-Encoding: xchunked", body=chunked(b"body")),
    "an encoding in a list": post(b"Transfer-Encoding: identity, chunked", body=chunked(b"body")),
    "chunked twice": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=chunked(b"body")),
    "chunked, then identity": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity",
                                   body=chunked(b"body")),
    "gzip": post(b"Transfer-Encoding: gzip", body=b"body"),
    "an encoding with a tab": post(b"Transfer-Encoding: \tchunked\x0b", body=chunked(b"body")),
    "two Hosts": get(HOST.strip(), b"Host: other"),
    "two equal Hosts": get(HOST.strip(), HOST.strip()),
    "no Host": get(b"X: y"),
    "a name with a blank in it": get(HOST.strip(), b"X Y: z"),
    "a name with a blank after it": get(HOST.strip(), b"X : y"),
    "a length with a blank after its name": post(b"Content-Length : 4", body=b"body"),
    "an encoding with a blank after its name": post(b"Transfer-Encoding : chunked", body=chunked(b"body")),
    "a name with a control byte": get(HOST.strip(), b"X\x01Y: z"),
    "a name with a byte beyond ASCII": get(HOST.strip(), b"X\xe9: z"),
    "a name with a comma": get(HOST.strip(), b"X,Y: z"),
    "a name in brackets": get(HOST.strip(), b"[X]: z"),
}


@pytest.mark.parametrize("request_", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_what_has_two_meanings_is_refused_and_ends_the_connection(serve, request_):
    service = serve(rules=rules_of(bucket(1)))
    connection = service.connect()
    connection.send(request_)
    response = connection.read_response()
    assert response.status == 400
    assert response.closes
    assert connection.ends(), "nothing after it is read as a request"
    assert service.get("/").status == 200, "and nothing was counted"


def test_of_two_requests_behind_one_bad_one_none_is_served(serve, redis):
    service = serve(redis.url, rules_of(ROOMY))
    connection = service.connect()
    connection.send(BAD_REQUESTS["both lengths"] + SMUGGLED * 3)
    assert connection.read_response().status == 400
    assert connection.ends()
    assert redis.keys() == []


# What is malformed in a way that leaves no doubt may be answered in several ways, but must be survived, and
# the next client must be served.
ODD_REQUESTS = {
    "nothing": b"",
    "empty lines": b"\r\n\r\n\r\n\r\n",
    "one byte": b"\x00",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0": get(HOST.strip(), start=b"GET / HTTP/2.0"),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.9": get(HOST.strip(), start=b"GET / HTTP/1.9"),
    "no version": get(HOST.strip(), start=b"GET /"),
    "a version of letters": get(HOST.strip(), start=b"GET / HTTP/x.y"),
    "a TLS client": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 200,
    "bare line feeds": b"GET / HTTP/1.1\nHost: test\n\n",
    "a folded header": get(HOST.strip(), b"X: y", b" folded"),
    "a folded length": post(b"Content-Length:", b" 4", body=b"body"),
    "an empty name": get(HOST.strip(), b": value"),
    "a header without a colon": get(HOST.strip(), b"X"),
    "a zero byte in a name": get(HOST.strip(), b"X\x00Y: z"),
    "a zero byte in Host": get(b"Host: te\x00st"),
    "a zero byte in the target": get(HOST.strip(), start=b"GET /\x00 HTTP/1.1"),
    "a carriage return in a value": get(HOST.strip(), b"X: y\rZ: z"),
    "a length of 30 digits": post(b"Content-Length: " + b"9" * 30, body=b"body"),
    "a length of 2^64": post(b"Content-Length: 18446744073709551616", body=b"body"),
    "a chunk of 2^64 bytes": post(b"Transfer-Encoding: chunked", body=b"10000000000000000\r\nbody"),
    "a chunk of -1 bytes": post(b"Transfer-Encoding: chunked", body=b"-1\r\nbody\r\n0\r\n\r\n"),
    "a chunk of x bytes": post(b"Transfer-Encoding: chunked", body=b"x\r\nbody\r\n0\r\n\r\n"),
    "a chunk extension": post(b"Transfer-Encoding: chunked", body=b'4;x="y"\r\nbody\r\n0\r\n\r\n'),
    "trailers": post(b"Transfer-Encoding: chunked", body=b"4\r\nbody\r\n0\r\nuser_id: t\r\nContent-Length: 9\r\n\r\n"),
    "CONNECT": get(b"Host: test:443", start=b"CONNECT test:443 HTTP/1.1"),
    "a target without a slash": get(HOST.strip(), start=b"GET health HTTP/1.1"),
    "a target that is a URL without a path": get(HOST.strip(), start=b"GET http://test HTTP/1.1"),
    "a target of another scheme": get(HOST.strip(), start=b"GET ftp://test/ HTTP/1.1"),
    "a target beyond ASCII": get(HOST.strip(), start=b"GET /\xff\xfe HTTP/1.1"),
    "a blank in the target": get(HOST.strip(), start=b"GET /a b HTTP/1.1"),
    "a method of 8000 bytes": get(HOST.strip(), start=b"A" * 8000 + b" / HTTP/1.1"),
    "a method of brackets": get(HOST.strip(), start=b"[{\"] / HTTP/1.1"),
    "100 kB of target": get(HOST.strip(), start=b"GET /" + b"x" * 100000 + b" HTTP/1.1"),
    "100 kB of one header": get(HOST.strip(), b"X: " + b"y" * 100000),
    "5000 headers": get(HOST.strip(), *[b"X: y"] * 5000),
    "a header line that never ends": b"GET / HTTP/1.1\r\nX: " + b"y" * 300000,
    "Upgrade": get(HOST.strip(), b"Connection: Upgrade", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"),
    "Expect that is not known": get(HOST.strip(), b"Expect: 200-maybe"),
}


@pytest.mark.parametrize("request_", ODD_REQUESTS.values(), ids=ODD_REQUESTS.keys())
def test_what_is_odd_is_survived(serve, request_):
    service = serve(rules=rules_of(ROOMY), workers=1, env={"HEADER_TIMEOUT_MS": "200"})
    connection = service.connect()
    connection.send(request_)
    try:
        response = connection.read_response()
        assert response.status in (200, 400, 404, 405, 411, 413, 414, 417, 431, 500, 501, 505)
    except http_client.ConnectionEnded:
        pass  # cut off, which is an answer too
    connection.close()
    assert service.get("/health").status == 200, "the only worker serves the next one"


TARGETS = [b"http://test/api/data", b"https://other.example/api/data", b"http://u:p@test:80/api/data?x"]


def test_a_target_with_an_authority_is_its_path(serve):
    service = serve(rules=rules_of(bucket(3)))
    connection = service.connect()
    for target in TARGETS:
        connection.send(get(HOST.strip(), start=b"GET " + target + b" HTTP/1.1"))
        assert connection.read_response().status == 200, target
    assert connection.get("/").status == 429, "each was counted"


def test_connect_opens_nothing(serve):
    service = serve(rules=rules_of(ROOMY))
    connection = service.connect()
    connection.send(ODD_REQUESTS["CONNECT"])
    assert 400 <= connection.read_response().status < 600


def test_more_body_than_is_drained_ends_the_connection(serve):
    service = serve(rules=rules_of(ROOMY), workers=1)
    connection = service.connect(timeout_s=60)
    connection.send(request_bytes("POST", "/api/submit", {"Transfer-Encoding": "chunked"}))
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent = 0
    while sent < 1000 and connection.send(piece):
        sent += 1
    assert sent < 1000, "64 MB were taken"
    assert service.get("/health").status == 200
