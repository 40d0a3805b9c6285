"""The log on standard error: whatever becomes of its reader, the service goes on."""
import fcntl
import json
import os
import signal
import socket
import tempfile

import pytest

import http_client
import processes
import service
from ports import free_port
from rules import bucket, rules_of
from waiting import wait_for


def fill(pipe):
    """Until a writer would wait."""
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    try:
        while True:
            os.write(pipe, b"x" * 4096)
    except BlockingIOError:
        fcntl.fcntl(pipe, fcntl.F_SETFL, flags)


class Unheard:
    """A ratelimitd whose standard error nobody reads."""

    def __init__(self, stderr, wrapper=()):
        self.directory = tempfile.TemporaryDirectory(prefix="ratelimitd-")
        self.port, self.admin_port = free_port(), free_port()
        self.write_rules(2)
        self.process = processes.start(
            [*wrapper, service.BINARY, "--store", "memory", "--listen", f"127.0.0.1:{self.port}", "--admin-listen",
             f"127.0.0.1:{self.admin_port}", "--workers", "2"], stderr,
            service.environment({"ADMIN_TOKEN": "a-token-of-the-admin", "LOG_REFUSALS": "all"}), self.directory.name)
        wait_for(self._accepts, "it listens")

    def write_rules(self, capacity):
        with open(os.path.join(self.directory.name, "rate_limits.json"), "w", encoding="ascii") as file:
            json.dump(rules_of(bucket(capacity)), file)

    def _accepts(self):
        try:
            http_client.Connection(("127.0.0.1", self.admin_port)).close()
            return True
        except OSError:
            return False

    def ask(self, method, path, body=None, admin=False):
        port = self.admin_port if admin else self.port
        with http_client.Connection(("127.0.0.1", port)) as connection:
            return connection.request(method, path, {"Authorization": "Bearer a-token-of-the-admin"}, body, "localhost")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(service.STOP_S)

    def kill(self):
        processes.kill(self.process)
        self.directory.cleanup()


@pytest.fixture
def start_unheard():
    """start_unheard(stderr, wrapper=()): see Unheard."""
    started = []

    def start(*arguments):
        started.append(Unheard(*arguments))
        return started[-1]
    yield start
    for unheard in started:
        unheard.kill()


def goes_on(unheard):
    """What logs a line in the main thread and in the admin listener's, and what the workers do."""
    assert unheard.ask("GET", "/").status == 200
    unheard.write_rules(5)
    unheard.process.send_signal(signal.SIGHUP)
    wait_for(lambda: unheard.ask("GET", "/")["X-RateLimit-Limit"] == "5", "the rules are reloaded")
    wait_for(lambda: unheard.ask("GET", "/").status == 429, "the bucket is empty")
    assert {unheard.ask("GET", "/").status for _ in range(20)} == {429}, "each has a line in the log of refusals"
    body = b'{"client": "127.0.0.1", "for": "1h"}'
    for _ in range(3):
        assert unheard.ask("POST", "/v1/clients/block", body, admin=True).status == 200
    assert unheard.ask("GET", "/").status == 403
    assert unheard.stop() == 0


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_reader_that_has_stopped_reading_holds_nobody(start_unheard, kind):
    if kind == "pipe":
        reading, writing = os.pipe()
    else:
        ours, theirs = socket.socketpair()
        reading, writing = ours.detach(), theirs.detach()
    fill(writing)
    unheard = start_unheard(writing)
    os.close(writing)
    try:
        goes_on(unheard)
    finally:
        os.close(reading)


def test_a_reader_that_has_gone_holds_nobody(start_unheard):
    reading, writing = os.pipe()
    unheard = start_unheard(writing)
    os.close(writing)
    os.close(reading)
    goes_on(unheard)


def test_without_a_standard_error_no_socket_takes_its_place(start_unheard):
    """Nor is the log sent to a client."""
    with open(os.devnull, "wb") as null:
        unheard = start_unheard(null, ["sh", "-c", 'exec "$@" 2>&-', "sh"])
    names = {os.readlink(f"/proc/{unheard.process.pid}/fd/{number}") for number in range(3)}
    assert not any(name.startswith("socket:") or "eventpoll" in name for name in names), names
    goes_on(unheard)


def test_a_log_file_that_may_not_grow_further_does_not_end_the_service(serve):
    service = serve(rules=rules_of(bucket(1)), env={"LOG_REFUSALS": "all"}, wrapper=["prlimit", "--fsize=4000"])
    service.statuses(100, "/")
    wait_for(lambda: len(service.log_bytes()) == 4000, "the log is full")
    assert service.statuses(3, "/") == [429] * 3
