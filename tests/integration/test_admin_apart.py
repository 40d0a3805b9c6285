"""The admin listener is a listener of its own: whatever befalls the public one, and the other way round."""
import signal

import pytest

import http_client
import threads
from http_client import request_bytes
from ports import free_port
from rules import ROOMY, rules_of
from service import run
from waiting import wait_for

LOCAL = "127.0.0.1:0"
RULES = rules_of(ROOMY)


def serve_on_a_known_port(serve, store="memory", **more):
    """Whom a health check, which is another process, can find."""
    return serve(store, RULES, admin=f"127.0.0.1:{free_port()}", **more)


def healthcheck(service):
    return run("healthcheck", env={"ADMIN_LISTEN": "127.0.0.1:%d" % service.admin_address[1], "PORT": "1"},
               directory=service.path)


def assert_answers(service):
    assert [service.admin("GET", path).status for path in ("/health", "/ready", "/v1/rules")] == [200] * 3
    assert healthcheck(service).returncode == 0


def test_it_answers_while_the_workers_stand_still(serve, store):
    service = serve_on_a_known_port(serve, store)
    wait_for(lambda: service.get("/ready").status == 200, "every worker has its store")
    asked = service.connect()
    with threads.held(service.process.pid, "worker"):
        asked.send(request_bytes("GET", "/"))
        assert_answers(service)
    assert asked.read_response().status == 200


def test_a_worker_whose_loop_stands_still_for_seconds_is_told(serve, store):
    """A restart helps, so /health says so too, and whoever probes it need not know of workers."""
    service = serve_on_a_known_port(serve, store, workers=2)
    wait_for(lambda: service.get("/ready").status == 200, "every worker has its store")
    with threads.held(service.process.pid, "worker"):
        wait_for(lambda: health(service)[1:] == ("stuck", {"stuck": 2}), "they are missed")
        assert health(service)[0] == 503
        ready = service.admin("GET", "/ready")
        assert (ready.status, ready.json()["reason"]) == (503, "a worker is stuck")
        assert healthcheck(service).returncode == 1
    wait_for(lambda: health(service) == (200, "ok", None), "they go on")
    assert_answers(service)


def health(service):
    response = service.admin("GET", "/health")
    return response.status, response.json()["status"], response.json().get("workers")


def test_it_answers_while_every_connection_is_in_use(serve, redis):
    """All wait for Redis, so none can make room."""
    service = serve_on_a_known_port(serve, redis.url, workers=1, env={"MAX_CONNECTIONS": "3"})
    wait_for(lambda: service.get("/ready").status == 200, "every worker has its store")
    service.close_kept()
    redis.freeze()
    for _ in range(3):
        service.connect().send(request_bytes("GET", "/"))
        service.catch_up_bytes()
    assert service.connect().read_response().status == 503
    assert_answers(service)
    redis.thaw()


def test_its_connections_take_no_place_of_the_others(serve):
    service = serve(rules=RULES, admin=LOCAL, workers=1, env={"MAX_CONNECTIONS": "1"})
    assert service.get("/").status == 200
    kept = [http_client.Connection(service.admin_address) for _ in range(8)]
    assert [connection.request("GET", "/health", host="localhost").status for connection in kept] == [200] * 8
    assert service.get("/").status == 200, "on the same connection"
    for connection in kept:
        connection.close()


def test_it_has_a_bound_of_its_own(serve):
    service = serve(rules=RULES, admin=LOCAL)
    kept = []
    for _ in range(100):
        kept.append(http_client.Connection(service.admin_address))
        assert kept[-1].request("GET", "/health", host="localhost").status == 200
    assert kept[0].ends(), "the one that has been idle for longest made room"
    for connection in kept:
        connection.close()


def test_it_is_the_last_to_go(serve):
    service = serve(rules=RULES, admin=LOCAL, workers=1)
    begun = service.connect()
    request = request_bytes("POST", "/api/submit", body=b"x" * 1000)
    begun.send(request[:-500])
    service.catch_up()
    service.close_kept()
    service.signal(signal.SIGTERM)
    wait_for(service.lets_nobody_in, "it drains")
    response = service.admin("GET", "/ready")
    assert (response.status, response.json()["reason"]) == (503, "draining")
    assert service.admin("GET", "/health").status == 200
    begun.send(request[-500:])
    assert begun.read_response().status == 200
    assert service.wait() == 0


def test_an_idle_connection_of_it_does_not_hold_up_the_end(serve):
    service = serve(rules=RULES, admin=LOCAL)
    with http_client.Connection(service.admin_address) as connection:
        assert connection.request("GET", "/health", host="localhost").status == 200
        assert service.stop() == 0
        assert connection.ends()
    assert "cut off" not in service.log()


@pytest.mark.parametrize("workers", [1, 4])
def test_it_is_none_of_the_workers(serve, workers):
    service = serve(rules=RULES, admin=LOCAL, workers=workers)
    assert f"{workers} worker" in service.messages()[-1]
    assert len(threads.named(service.process.pid, "worker")) == workers
    assert len(threads.named(service.process.pid, "admin")) == 1


# Where it cannot listen.

def test_two_services_on_one_machine_need_two_addresses(serve, tmp_path):
    service = serve_on_a_known_port(serve)
    port = service.admin_address[1]
    for flags, env, place in ((["--admin-listen", str(port)], {}, "--admin-listen"),
                              ([], {"ADMIN_LISTEN": f"localhost:{port}"}, "ADMIN_LISTEN")):
        done = run("--store", "memory", "--listen", LOCAL, *flags, env=env, directory=service.path)
        assert done.returncode == 2
        assert f"ratelimitd: {place}: port {port} of " in done.stderr
        assert "is in use; choose another address, such as 127.0.0.1:8003, or off" in done.stderr


def test_both_listeners_are_reported_in_one_run(serve):
    service = serve_on_a_known_port(serve)
    done = run("--store", "memory", "--listen", f"127.0.0.1:{service.port}", "--admin-listen",
               str(service.admin_address[1]), directory=service.path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2)
    assert "--listen: port" in done.stderr and "--admin-listen: port" in done.stderr


def test_the_public_listener_on_its_port_is_told_whose_port_it_is(tmp_path):
    (tmp_path / "rate_limits.json").write_text('{"default": {"capacity": 20, "refill_rate": 5}}')
    port = free_port()
    done = run("--store", "memory", "--port", str(port), "--admin-listen", str(port), directory=tmp_path)
    assert done.returncode == 2
    assert f"--port: port {port} of 0.0.0.0 is in use; choose another port, or another ADMIN_LISTEN" in done.stderr


def test_a_check_needs_no_free_port(serve):
    service = serve_on_a_known_port(serve)
    done = run("--check", "--admin-listen", str(service.admin_address[1]), directory=service.path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_address_is_part_of_the_printed_settings(tmp_path):
    done = run("--print-config", "--admin-listen", "9001", env={"ADMIN_HOSTS": "a, b"}, directory=tmp_path)
    lines = {line.split("=")[0]: line for line in done.stdout.splitlines() if "=" in line}
    assert lines["ADMIN_LISTEN"].startswith("ADMIN_LISTEN=9001 ")
    assert "a, b" in lines["ADMIN_HOSTS"]


@pytest.mark.parametrize("admin, env, warned", [
    ("0.0.0.0:0", {}, True), ("0.0.0.0:0", {"ADMIN_TOKEN": "the-token-of-the-operator"}, False),
    ("127.0.0.1:0", {}, False), ("[::1]:0", {}, False), ("localhost:0", {}, False)])
def test_an_open_one_without_a_token_is_warned_of(serve, admin, env, warned):
    service = serve(rules=RULES, admin=admin, env=env)
    assert any("other machines reach" in message for message in service.messages()) == warned


# Who asks for its health.

def test_a_health_check_asks_it_and_not_the_public_one(serve):
    service = serve_on_a_known_port(serve)
    assert healthcheck(service).returncode == 0, "though nothing listens on PORT"
    closed = free_port()
    done = run("healthcheck", env={"ADMIN_LISTEN": f"127.0.0.1:{closed}", "PORT": str(service.port)},
               directory=service.path)
    assert (done.returncode, f"cannot connect to 127.0.0.1, port {closed}: " in done.stderr) == (1, True)


def test_a_health_check_over_a_unix_socket(serve, tmp_path):
    service = serve(rules=RULES, admin=f"unix:{tmp_path}/admin.sock")
    done = run("healthcheck", env={"ADMIN_LISTEN": f"unix:{tmp_path}/admin.sock", "PORT": "1"}, directory=service.path)
    assert done.returncode == 0


def test_a_health_check_of_a_port_that_nobody_knows_asks_the_public_one(serve):
    service = serve(rules=RULES, admin=LOCAL)
    done = run("healthcheck", env={"ADMIN_LISTEN": LOCAL, "PORT": str(service.port)}, directory=service.path)
    assert done.returncode == 0
