"""What is served is what was sent: libmicrohttpd 0.9.75 shows some requests otherwise, and a strict proxy in front would
have refused them, or passed them on with another meaning."""
import socket
import threading

import pytest

import http_client
from rules import ROOMY, at, bucket, rules_of

# Each identity is a client of its own: its first request has 8 of 9 left, which tells who it was taken for.
RULES = rules_of(bucket(9, identify_by=["header:user_id", "ip"]))
SECOND = b"GET /limited-resource HTTP/1.1\r\nHost: test\r\nuser_id: smuggled\r\nConnection: close\r\n\r\n"


def get(*lines, start=b"GET / HTTP/1.1"):
    return start + b"\r\nHost: test\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


REFUSED = {
    "a folded name of a header": get(b"X: 6.6.6.6", b" -Forwarded-For"),
    "a folded name of an identity": get(b"user: evil", b"\t_id"),
    "a folded identity": get(b"user_id: alice", b" bob"),
    "a folded identity that is empty": get(b"user_id: alice", b" "),
    "a folded header before the others": b"GET / HTTP/1.1\r\n folded\r\nHost: test\r\n\r\n",
    "a folded length, and a body that is a request": get(b"Content-Length: %d" % len(SECOND), b" ",
                                                         start=b"POST / HTTP/1.1") + SECOND,
    "a folded encoding": get(b"Transfer-Encoding: chunked", b" ", start=b"POST / HTTP/1.1") + SECOND,
    "a value after a NUL": get(b"X-Forwarded-For: 1.2.3.4\x00, 9.9.9.9"),
    "an identity with a NUL": get(b"user_id: alice\x00bob"),
    "a length with a NUL": get(b"Content-Length: 0\x00%d" % len(SECOND), start=b"POST / HTTP/1.1") + SECOND,
    "a line that begins with a NUL": get(b"\x00", b"Content-Length: %d" % len(SECOND)) + SECOND,
    "an empty name": get(b": x", b"user_id: bob") + SECOND,
    "an empty name, last": get(b"user_id: bob", b": x") + SECOND,
    "a carriage return in a value": get(b"X: y\ruser_id: bob"),
    "a bare line feed": get(b"X: y\nuser_id: bob"),
    "a bare line feed at the end": b"GET / HTTP/1.1\r\nHost: test\r\nX: y\n\r\n",
    "a bare line feed after the first line": b"GET / HTTP/1.1\nHost: test\r\n\r\n",
    "a NUL in the target": get(start=b"GET /\x00?x HTTP/1.1"),
    "a NUL in the target, and another version": get(start=b"GET /\x00HTTP/1.1\x00\x00x HTTP/1.1"),
    "a blank in the target": get(start=b"GET /limited-resource x HTTP/1.1"),
    "two blanks before the target": get(start=b"GET  / HTTP/1.1"),
    "two blanks before the version": get(start=b"GET /  HTTP/1.1"),
    "a control byte in the target": get(start=b"GET /\x01 HTTP/1.1"),
    "a method that is no token": get(start=b"G(T / HTTP/1.1"),
    "an encoding in HTTP/1.0": get(b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.0") + b"0\r\n\r\n" + SECOND,
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED.keys())
def test_what_was_not_sent_as_it_seems_is_refused_and_ends_the_connection(serve, request_):
    service = serve(rules=RULES)
    connection = service.connect()
    connection.send(request_)
    try:
        response = connection.read_response()
        assert response.status == 400, response
        assert response.closes
    except http_client.ConnectionEnded:
        assert b"GET /\x00" in request_  # libmicrohttpd 1.0 takes that for no request
    assert connection.rest() == b"", "nothing after it is read as a request"
    for client in ({}, {"user_id": "smuggled"}, {"user_id": "alice"}, {"user_id": "bob"}):
        assert service.get("/", client)["X-RateLimit-Remaining"] == "8", "and nothing was counted"


CHUNKED = b"POST /api/submit HTTP/1.1\r\nHost: test\r\nuser_id: honest\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = {
    "a trailer": b"0\r\nuser_id: evil\r\n\r\n",
    "a trailer that is a length": b"0\r\nContent-Length: 9\r\n\r\n",
    "a folded trailer": b"0\r\nuser: evil\r\n _id\r\n\r\n",
    "a trailer that begins with a NUL": b"0\r\n\x00: x\r\n",
    "a second trailer that begins with a NUL": b"0\r\nX: y\r\n\x00\r\n",
    "a trailer with an empty name": b"0\r\n: x\r\n",
    "a bare line feed after a size": b"0\n\r\n",
    "bare line feeds": b"4\nbody\n0\n\n",
    "an extension": b'0;a="b"\r\n\r\n',
    "an extension with a line feed": b'4;a="\nbody\r\n0\r\n\r\n',
    "an extension with a carriage return": b'4;a=\rb\r\nbody\r\n0\r\n\r\n',
    "an extension with a NUL": b"4;\x00\r\nbody\r\n0\r\n\r\n",
    "a size with leading zeros": b"0000000000000004\r\nbody\r\n0\r\n\r\n",
    "no end of a chunk": b"4\r\nbody0\r\n\r\n",
    "a size with a blank": b"4 \r\nbody\r\n0\r\n\r\n",
    "a size in hexadecimal notation": b"0x4\r\nbody\r\n0\r\n\r\n",
    "a size with a sign": b"+4\r\nbody\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS.keys())
def test_no_second_request_comes_out_of_malformed_chunks(serve, body):
    service = serve(rules=RULES, env={"HEADER_TIMEOUT_MS": "300"})
    connection = service.connect()
    connection.send(CHUNKED + body + SECOND)
    first = connection.read_response()
    assert first.status in (200, 400, 413), first
    if first.status == 200:
        assert first["X-RateLimit-Remaining"] == "8"
    strict = body.endswith(b"\r\n\r\n") and b"\n" not in body.replace(b"\r\n", b"") and b"\x00" not in body
    if first.closes or not strict:
        assert connection.rest() == b"", "what follows is no request"
        assert service.get("/", {"user_id": "smuggled"})["X-RateLimit-Remaining"] == "8"
    assert service.get("/", {"user_id": "evil"})["X-RateLimit-Remaining"] == "8"


# Every place of a request, every byte and sequence that means something to a parser.
INSERTED = [b"\x00", b"\r", b"\n", b"\t", b" ", b"\r\n", b"\r\n ", b"\r\n\t", b"\n ", b"\r\n\r\n", b":", b"\x00\r\n",
            b"\r\n\x00", b"\r\n:"]
TOKEN = set(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
LIMIT = 9


def sample(case):
    """A request of a client that no other case has."""
    return (b"POST /api/submit?q=1 HTTP/1.1\r\nHost: test\r\nuser_id: c%05d\r\nContent-Length: 4\r\nX: y\r\n\r\nbody"
            % case)


class Refused(Exception):
    pass


def require(condition):
    if not condition:
        raise Refused


def parse_strictly(data):
    """RFC 9112 to the letter. Returns the client of a request, None for no request, and what is left after it."""
    head, end, rest = data.partition(b"\r\n\r\n")
    require(end)
    start, *lines = head.split(b"\r\n")
    parts = start.split(b" ")
    require(len(parts) == 3 and parts[2] in (b"HTTP/1.0", b"HTTP/1.1"))
    method, target, _ = parts
    require(method and set(method) <= TOKEN and target and all(0x20 < byte != 0x7f for byte in target))
    fields = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        require(colon and name and set(name) <= TOKEN and not set(value) & set(b"\0\r\n"))
        fields.setdefault(name.lower(), []).append(value.strip(b" \t"))
    require(len(fields.get(b"host", [])) == 1)
    lengths = fields.get(b"content-length", [b"0"])
    require(len(lengths) == 1 and lengths[0].isdigit() and len(rest) >= int(lengths[0]))
    return next((value for value in fields.get(b"user_id", []) if value), None), rest[int(lengths[0]):]


def clients(data):
    """Of all requests that a strict server finds, up to the first that is none. Before a request it passes over empty
    lines (RFC 9112, section 2.2); libmicrohttpd 0.9.75 takes more for one than CRLF, which changes nothing."""
    found = []
    while data:
        data = data.lstrip(b"\r\n\0")
        try:
            client, data = parse_strictly(data)
        except Refused:
            break
        found.append(client)
    return found


def replies(service, data):
    """All answers on one connection, on which nothing more is sent."""
    with http_client.Connection(service.address) as connection:
        connection.send(data)
        connection.socket.shutdown(socket.SHUT_WR)
        connection.rest()
        answers = []
        while connection.received:
            answers.append(connection.read_response())
        return answers


class Cases:
    def __init__(self, service, cases):
        self.service, self.cases, self.wrong = service, cases, []

    def check(self, data):
        expected = clients(data)
        answers = replies(self.service, data)
        refusals = [i for i, answer in enumerate(answers) if answer.status in (400, 413, 414, 431, 501, 505)]
        assert not refusals or refusals == [len(answers) - 1], "something was answered after a refusal"
        served = answers[:len(answers) - len(refusals)]
        assert len(served) <= len(expected), f"{len(served)} requests were served, and {len(expected)} sent"
        if expected and served and served[0].status == 200 and expected[0]:
            again = self.connection.get("/", [("user_id", expected[0])])
            assert again["X-RateLimit-Remaining"] == str(LIMIT - 2), f"{again}: it was served for another client"

    def run(self):
        with self.service.connect() as self.connection:
            for data in self.cases:
                try:
                    self.check(data)
                except (AssertionError, OSError, ValueError, http_client.ConnectionEnded) as error:
                    self.wrong.append((data, repr(error)))


def test_a_byte_more_at_any_place_changes_neither_whom_nor_how_many_are_served(serve):
    service = serve(rules=rules_of(bucket(LIMIT, identify_by=["header:user_id", "global"]),
                                   unlimited=at("/limited-resource", ROOMY)))
    cases = []
    for at_byte in range(len(sample(0)) + 1):
        for inserted in INSERTED:
            whole = sample(len(cases))
            cases.append(whole[:at_byte] + inserted + whole[at_byte:] + SECOND)
    parts = [Cases(service, cases[i::4]) for i in range(4)]
    threads = [threading.Thread(target=part.run) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrong = [error for part in parts for error in part.wrong]
    assert wrong[:5] == [], f"{len(wrong)} of {len(cases)}"
