"""What the service manager is told, by the protocol of sd_notify(3): the manager is played by a socket."""
import contextlib
import os
import signal
import socket
import time

import pytest

from rules import NEVER, bucket, rules_of

PATIENCE_S = 15


@contextlib.contextmanager
def manager(address):
    """A socket that hears what is sent to $NOTIFY_SOCKET; `address` is a path or @name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(PATIENCE_S)
        listening.bind("\0" + address[1:] if address.startswith("@") else address)
        yield listening


def said(listening):
    """The next datagram as a dictionary."""
    return dict(line.split("=", 1) for line in listening.recv(4096).decode().splitlines())


def hears_nothing(listening):
    listening.setblocking(False)
    with pytest.raises(BlockingIOError):
        listening.recv(4096)
    return True


@pytest.mark.parametrize("kind", ["path", "abstract"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_manager_hears_ready_and_stopping_once_each(serve, tmp_path, kind, number):
    address = str(tmp_path / "notify") if kind == "path" else f"@ratelimitd-test-{os.getpid()}"
    with manager(address) as listening:
        service = serve(env={"NOTIFY_SOCKET": address})
        ready = said(listening)
        assert ready["READY"] == "1"
        assert ready["STATUS"] == f"serves on {service.display}, store memory"
        assert service.get("/health").status == 200, "what was said is true"
        service.signal(number)
        stopping = said(listening)
        assert (stopping["STOPPING"], stopping["STATUS"], "READY" in stopping) == ("1", "draining", False)
        assert service.wait() == 0
        assert hears_nothing(listening)


def test_ready_is_not_said_of_a_start_that_failed(serve, tmp_path):
    address = str(tmp_path / "notify")
    with manager(address) as listening, socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(AssertionError, match="did not start"):
            serve(listen=f"127.0.0.1:{taken.getsockname()[1]}", env={"NOTIFY_SOCKET": address})
        assert hears_nothing(listening)


def test_the_password_of_redis_is_not_in_the_status(serve, redis, tmp_path):
    address = str(tmp_path / "notify")
    with manager(address) as listening:
        serve(redis.url.replace("redis://", "redis://:hunter2@"), env={"NOTIFY_SOCKET": address})
        status = said(listening)["STATUS"]
        assert "store redis://" in status
        assert "hunter2" not in status


@pytest.mark.parametrize("address", ["/no/such/socket", "relative", "@", "/" + "x" * 200])
def test_a_manager_that_cannot_be_reached_costs_a_line_and_nothing_else(serve, address):
    service = serve(rules=rules_of(bucket(3, NEVER)), env={"NOTIFY_SOCKET": address})
    service.says(f"NOTIFY_SOCKET={address}: ")
    assert service.get("/").status == 200
    assert service.stop() == 0


def test_a_manager_that_never_reads_does_not_keep_the_service_from_ending(serve, tmp_path):
    address = str(tmp_path / "notify")
    with manager(address) as listening, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filling:
        filling.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                filling.sendto(b"STATUS=noise", address)
        service = serve(env={"NOTIFY_SOCKET": listening.getsockname()})
        assert service.get("/").status == 200
        assert service.stop() == 0


def test_the_manager_hears_of_a_reload_and_of_its_end(serve, tmp_path):
    address = str(tmp_path / "notify")
    with manager(address) as listening:
        service = serve(rules=rules_of(bucket(3)), env={"NOTIFY_SOCKET": address})
        said(listening)
        for rules in (rules_of(bucket(4)), "{"):  # the manager cannot tell that it failed: the log does
            service.write_rules(rules)
            before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            service.signal(signal.SIGHUP)
            reloading = said(listening)
            assert reloading["RELOADING"] == "1"
            assert before_us <= int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            assert said(listening) == {"READY": "1"}
        assert service.get("/health").json()["rules"]["status"] == "stale"
