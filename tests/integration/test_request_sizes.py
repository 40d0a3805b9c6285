"""Every request that libmicrohttpd accepts gets exactly one complete answer, whatever it is that makes it large.

Sizes go from nothing to 64 KiB: each of them where something changes, some of them elsewhere. RATELIMITD_SIZES_STEP=1
takes every single one, which takes a while; with a build for release it is minutes."""
import os
import threading

import pytest

import http_client
from request_shapes import SHAPES
from rules import ROOMY, rules_of

LARGEST = 64 * 1024
STEP = int(os.environ.get("RATELIMITD_SIZES_STEP", 509))
# Where a bound is, by whichever library: the target's 8 KiB, the headers' 12, all of it 16, the memory's 25
# with or without what libmicrohttpd puts beside each line. The old windows, by cookies (1 KiB) and arguments
# (0.5 KiB).
WINDOWS = [(0, 32), (460, 540), (1040, 1120), (8150, 8230), (12230, 12310), (15900, 16500), (25200, 25700)]
# Of many headers each takes 48 bytes or more beside itself.
WINDOWS_OF_LINES = [(560, 660), (2700, 2900)]

FINE, REFUSED = (200, 404, 405), (400, 413, 414, 431, 501)


def sizes(shape):
    chosen = set(range(0, LARGEST + 1, STEP))
    if STEP > 1:
        for first, last in WINDOWS + (WINDOWS_OF_LINES if "headers" in shape else []):
            chosen.update(range(first, last))
    return sorted(chosen)


class Sweep:
    """Sends one request after the other, on one connection as long as that is kept."""

    def __init__(self, service, shape, version):
        self.service, self.shape, self.version = service, shape, version
        self.failures, self.statuses = [], {}

    def ask(self, size):
        if self.connection is None:
            self.connection = http_client.Connection(self.service.address)
        self.connection.send(SHAPES[self.shape](size)(self.version))
        try:
            response = self.connection.read_response()
        except http_client.ConnectionEnded:
            # libmicrohttpd 1.0 takes a line that fills its memory before a target comes for no request.
            if self.shape != "method" or size < 25000 or self.connection.received:
                raise
            self.connection = None
            return
        assert response.status in FINE + REFUSED, response
        self.statuses[response.status] = self.statuses.get(response.status, 0) + 1
        if response.closes:
            assert self.connection.rest() == b"", "more than one answer"
            self.connection.close()
            self.connection = None
        else:
            # More than the answer would be taken for the next one's.
            assert response.status in FINE and self.connection.received == b""

    def run(self):
        self.connection = None
        for size in sizes(self.shape):
            try:
                self.ask(size)
            except (AssertionError, OSError, ValueError, http_client.ConnectionEnded) as error:
                self.failures.append((self.shape, size, f"{error!r:.200}"))
                self.connection = None
        if self.connection is not None:
            self.connection.close()


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"], ids=["1.1", "1.0"])
@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_every_size_gets_one_answer(serve, tmp_path, version, unix):
    service = serve(rules=rules_of(ROOMY), listen=f"unix:{tmp_path}/socket" if unix else "127.0.0.1:0")
    sweeps = [Sweep(service, shape, version) for shape in SHAPES]
    threads = [threading.Thread(target=sweep.run) for sweep in sweeps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print({sweep.shape: sweep.statuses for sweep in sweeps})
    assert [failure for sweep in sweeps for failure in sweep.failures] == []


def test_what_browsers_send_is_served(serve):
    """Cookies of a browser: up to 8 KiB of them, or hundreds of small ones."""
    service = serve(rules=rules_of(ROOMY))
    for cookies in ("; ".join(f"cookie{i}=" + "v" * 33 for i in range(180)), "a=b; " * 215, "a=" + "b" * 8192,
                    "a=b; " * 1600):
        with service.connect() as connection:
            assert connection.get("/", {"Cookie": cookies}).status == 200, len(cookies)
            assert connection.get("/", {"Cookie": cookies}).status == 200, "the connection is kept"


def test_the_query_is_not_read_but_may_be_long(serve):
    service = serve(rules=rules_of(ROOMY))
    for query in ("a=1&" * 2000, "a&" * 4000, "?" * 8000, "&=" * 4000, "%00&" * 2000, "a=b?c&" * 1300):
        with service.connect() as connection:
            assert connection.get("/?" + query).status == 200, query[:10]
            assert connection.get("/?" + query).status == 200, query[:10]


BOUNDS = {
    "target": (lambda size: b"GET /" + b"x" * (size - 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n", 8192, 404, 414),
    "target with its query": (lambda size: b"GET /?" + b"x" * (size - 2) + b" HTTP/1.1\r\nHost: a\r\n\r\n", 8192, 200, 414),
    "method": (lambda size: b"A" * size + b" / HTTP/1.1\r\nHost: a\r\n\r\n", 64, 405, 501),
    "request": (lambda size: b"GET /" + b"x" * 7000 + b" HTTP/1.1\r\nHost: a\r\nX: "
                + b"x" * (size - 7000 - len(b"GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n")) + b"\r\n\r\n", 12288, 404, 431),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_is_where_the_documentation_has_it(serve, name):
    make, bound, within, beyond = BOUNDS[name]
    service = serve(rules=rules_of(ROOMY))
    for size, status in ((bound, within), (bound + 1, beyond)):
        with service.connect() as connection:
            connection.send(make(size))
            response = connection.read_response()
            assert response.status == status, response
            assert response.closes == (status == beyond)
            assert response["Content-Type"].startswith("application/")
            if status == beyond:
                assert response.json()["status"] == status and "Date" in response
                assert connection.rest() == b""


def test_a_refused_head_request_gets_no_body(serve):
    service = serve(rules=rules_of(ROOMY))
    connection = service.connect()
    connection.send(b"HEAD /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    response = connection.read_response(head=True)
    assert response.status == 414 and int(response["Content-Length"]) > 0
    assert connection.rest() == b""


def test_trailers_that_take_all_memory_get_an_answer_that_is_no_yes(serve):
    service = serve(rules=rules_of(ROOMY))
    for size in list(range(0, 26000, 400)) + list(range(23000, 25600, 8)):
        with service.connect() as connection:
            connection.send(b"POST /api/submit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
                            + b"x" * size + b"\r\n\r\n")
            response = connection.read_response()
            assert response.status in (200, 431), (size, response)
            assert not response.closes or connection.rest() == b"", size
