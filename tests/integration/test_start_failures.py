"""What cannot be had at the start ends the start: with a message, before the service says that it is ready."""
import socket

import pytest

from rules import ROOMY, rules_of
from waiting import wait_for

WORKERS = 4


@pytest.fixture
def manager(tmp_path):
    """The socket of a service manager; it reads what it is told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def told(listening):
    try:
        return listening.recv(4096).decode()
    except BlockingIOError:
        return ""


def test_a_start_without_enough_descriptors_fails_before_it_is_ready(serve, manager):
    """Whichever descriptor is the first that cannot be opened; the sweep ends where there are enough."""
    env = {"NOTIFY_SOCKET": manager.getsockname(), "ASAN_OPTIONS": "detect_leaks=0"}
    failed, files = 0, 12
    while True:
        try:
            serve("memory", rules_of(ROOMY), workers=WORKERS, wrapper=["prlimit", f"--nofile={files}"], env=env)
            break
        except AssertionError as error:
            message = str(error)
        assert "it did not start" in message
        assert "open files" in message, "it says why"
        assert "Sanitizer" not in message and "Assertion" not in message
        assert told(manager) == "", "it never said that it is ready"
        failed += 1
        files += 1
    assert failed > 2 * WORKERS
    serve("memory", rules_of(ROOMY), workers=WORKERS, env=env)
    wait_for(lambda: "READY=1" in told(manager), "it says so where it is")
