"""Redis is stopped, frozen, back again, or was never there: how requests are answered meanwhile, and the recovery."""
import pytest

from fault_proxy import forward, start_proxy  # noqa: F401
from http_client import request_bytes
from rules import NEVER, at, bucket, rules_of
from waiting import Stopwatch, wait_for

MODES = rules_of(bucket(2), open=at("/api/data", bucket(2, on_store_failure="open")),
                 local=at("/limited-resource", bucket(2, on_store_failure="local")),
                 closed=at("/api/submit", bucket(2, on_store_failure="closed")))


@pytest.fixture(params=["tcp", "unix"])
def redis_url(request, redis):
    return redis.unix_url if request.param == "unix" else redis.url


def is_ok(service, path="/"):
    return service.get(path).status == 200


def test_requests_get_503_while_redis_is_stopped_and_200_after(serve, redis, redis_url):
    service = serve(redis_url, rules_of(bucket(1000)), workers=1)
    for _ in range(3):
        wait_for(lambda: is_ok(service), "Redis is used")
        redis.kill()
        for path in ("/", "/limited-resource", "/api/data"):
            response = service.get(path)
            assert (response.status, int(response["Retry-After"]) >= 1) == (503, True), path
        health = service.get("/health")
        assert health.status == 200
        assert health.json()["status"] == "degraded"
        assert health.json()["store"]["state"] == "lost"
        assert service.get("/ready").status == 503
        redis.start()
    wait_for(lambda: is_ok(service), "Redis is back")
    assert service.health()["status"] == "ok"
    assert service.get("/ready").status == 200


def test_health_covers_all_workers(serve, redis, start_proxy):  # noqa: F811
    proxy, heard = start_proxy(redis.port), []

    def only_the_first(pipe, data):
        heard.append(pipe.connection)
        if pipe.connection is heard[0]:
            pipe.send(data)
    proxy.requests = only_the_first
    service = serve(proxy.url, rules_of(bucket(1000)), workers=2)

    def tells():
        """Answers on connections of their own, so from either worker."""
        told = set()
        for _ in range(16):
            with service.connect() as connection:
                told |= {connection.get("/health").json()["status"], connection.get("/ready").status}
        return told
    wait_for(lambda: heard, "one of them is let through")
    assert tells() == {"degraded", 503}
    proxy.requests = forward
    wait_for(lambda: tells() == {"ok", 200}, "both are")


def test_it_starts_without_redis_and_logs_that(serve, start_redis):
    redis = start_redis(start=False)
    service = serve(redis.url, workers=1)
    service.says("no connection to redis://127.0.0.1")
    assert service.get("/").status == 503
    assert service.health()["status"] == "degraded"
    assert service.get("/ready").status == 503
    redis.start()
    wait_for(lambda: is_ok(service), "Redis is used as soon as it is there")
    service.says("connected to redis://127.0.0.1")


WORKERS = 3


def lines_with(service, part):
    return [line for line in service.log().splitlines() if part in line]


def all_are_connected(service):
    for worker in range(WORKERS + 1):  # with the admin listener's
        service.says(f"ratelimitd-{worker}: Redis accepted the handshake")
    assert len(lines_with(service, "connected to redis://")) == 1


def all_are_refused(service):
    for worker in range(WORKERS + 1):
        service.says(f"ratelimitd-{worker}: attempt 2 failed: Connection refused; the next one in ")


def test_a_loss_that_all_workers_see_is_logged_once(serve, redis):
    service = serve(redis.url, workers=WORKERS, env={"LOG_LEVEL": "debug"})
    all_are_connected(service)
    redis.kill()
    all_are_refused(service)
    assert len(lines_with(service, "no connection to redis://")) == 1


def test_a_loss_that_workers_see_in_different_words_is_logged_once(serve, start_fake_redis):
    fake = start_fake_redis()
    service = serve(fake.url, workers=WORKERS, env={"LOG_LEVEL": "debug"})
    all_are_connected(service)
    fake.lose()
    all_are_refused(service)
    for words in ("Connection reset by peer", "Server closed the connection"):
        assert lines_with(service, f": attempt 1 failed: {words}"), "some see it so"
    assert len(lines_with(service, "no connection to redis://")) == 1


def test_an_unknown_host_counts_as_unavailable(serve):
    service = serve("redis://no-such-host.invalid:6379", workers=1)
    service.says("no connection to redis://no-such-host.invalid")
    assert service.get("/").status == 503
    assert service.get("/health").status == 200


def test_a_host_name_is_resolved(serve, redis):
    service = serve(f"redis://localhost:{redis.port}", workers=1)
    wait_for(lambda: is_ok(service), "it is resolved")


def test_each_rule_uses_its_own_failure_mode(serve, redis):
    service = serve(redis.url, MODES, workers=1)
    redis.kill()
    for _ in range(4):
        response = service.get("/api/data")
        assert (response.status, response["X-RateLimit-Degraded"]) == (200, "open")
        assert "X-RateLimit-Remaining" not in response
    responses = [service.get("/limited-resource") for _ in range(4)]
    assert [response.status for response in responses] == [200, 200, 429, 429]
    assert {response["X-RateLimit-Degraded"] for response in responses} == {"local"}
    assert [int(response["X-RateLimit-Remaining"]) for response in responses] == [1, 0, 0, 0]
    assert service.post("/api/submit").status == 503
    assert service.get("/").status == 503
    assert service.health()["degraded"] == {"closed": 2, "open": 4, "local": 4}


@pytest.mark.parametrize("mode, statuses, ready", [("closed", [503, 503, 503], 503), ("open", [200, 200, 200], 200),
                                                   ("local", [200, 200, 429], 200)])
def test_failure_mode_applies_to_rules_that_name_none(serve, redis, mode, statuses, ready):
    service = serve(redis.url, rules_of(bucket(2)), env={"FAILURE_MODE": mode}, workers=1)
    redis.kill()
    assert service.statuses(3, "/") == statuses
    assert service.get("/ready").status == ready
    assert service.get("/health").status == 200


CLOSED, OPEN, LOCAL = (bucket(1000, on_store_failure=mode) for mode in ("closed", "open", "local"))


@pytest.mark.parametrize("rules, status, unavailable", [
    ({"default": CLOSED, "a": CLOSED}, 503, ["default", "a"]),
    ({"default": CLOSED, "a": at("/api/data", OPEN)}, 200, ["default"]),
    ({"default": CLOSED, "named": LOCAL, "b": CLOSED}, 200, ["default", "b"]),
    ({"default": OPEN}, 200, []),
    ({"a": at("/api/data", CLOSED)}, 200, ["a"]),  # what no rule matches is not limited
    ({}, 200, []),
], ids=["all closed", "one open", "one local", "all open", "no default", "no rules"])
def test_ready_is_503_only_if_no_rule_can_be_answered(serve, redis, rules, status, unavailable):
    service = serve(redis.url, rules, workers=1)
    wait_for(lambda: service.health()["status"] == "ok", "Redis is used")
    assert service.get("/ready").json() == {"ready": True, "reason": "", "unavailable": []}
    redis.kill()
    wait_for(lambda: service.health()["store"]["state"] == "lost", "it is missed")
    response = service.get("/ready")
    assert response.status == status
    assert response.json() == {"ready": status == 200, "reason": "" if status == 200 else "the store is away",
                               "unavailable": unavailable}
    redis.start()
    wait_for(lambda: service.get("/ready").json() == {"ready": True, "reason": "", "unavailable": []}, "it is back")


def test_ready_is_503_until_redis_was_reached_once(serve, start_redis):
    """A deployment with a wrong REDIS_URL must not replace the one that works."""
    redis = start_redis(start=False)
    mixed = serve(redis.url, {"default": CLOSED, "a": at("/api/data", OPEN)}, workers=1)
    unlimited = serve(redis.url, {"a": at("/api/data", CLOSED)}, workers=1)
    for service, unavailable in ((mixed, ["default"]), (unlimited, ["a"])):
        service.says("no connection to redis://127.0.0.1")
        response = service.get("/ready")
        assert response.status == 503
        assert response.json() == {"ready": False, "reason": "the store has not been reached yet",
                                   "unavailable": unavailable}
    assert serve(redis.url, {"default": OPEN}, workers=1).get("/ready").status == 200, "it needs no store"
    redis.start()
    wait_for(lambda: mixed.get("/ready").status == 200, "it was reached")
    redis.kill()
    wait_for(lambda: mixed.health()["store"]["state"] == "lost", "it is missed")
    assert mixed.get("/ready").status == 200


def test_counts_in_redis_survive_a_lost_connection(serve, redis):
    """A connection that is lost, not a Redis: its counters are still there."""
    service = serve(redis.url, rules_of(bucket(2, on_store_failure="local")), workers=1)
    assert service.statuses(2, "/") == [200, 200]
    redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    wait_for(lambda: "X-RateLimit-Degraded" not in service.get("/"), "it is connected again")
    assert service.get("/").status == 429


def test_only_the_first_request_waits_for_a_frozen_redis(serve, redis):
    service = serve(redis.url, rules_of(bucket(1000)), env={"REDIS_TIMEOUT_MS": "1000"}, workers=1)
    assert is_ok(service)
    redis.freeze()
    clock = Stopwatch()
    assert service.get("/").status == 503
    assert clock.elapsed_s() >= 0.99
    clock = Stopwatch()
    assert service.statuses(20, "/") == [503] * 20
    assert clock.elapsed_s() < 20 * 1, "twenty deadlines"
    assert service.health()["status"] == "degraded"
    redis.thaw()
    wait_for(lambda: is_ok(service), "it is used again")


def test_all_pending_requests_are_answered_at_the_deadline(serve, redis):
    service = serve(redis.url, rules_of(bucket(1000)), env={"REDIS_TIMEOUT_MS": "300"}, workers=1)
    connections = [service.connect() for _ in range(100)]
    redis.freeze()
    for connection in connections:
        connection.send(request_bytes("GET", "/"))
    assert [connection.read_response().status for connection in connections] == [503] * 100
    redis.thaw()
    wait_for(lambda: is_ok(service), "it is used again")


def test_a_pause_shorter_than_the_deadline_is_waited_for(serve, redis):
    service = serve(redis.url, rules_of(bucket(1000)), env={"REDIS_TIMEOUT_MS": "20000"}, workers=1)
    assert is_ok(service)
    redis.freeze()
    connection = service.connect()
    connection.send(request_bytes("GET", "/"))
    assert service.get("/health").status == 200, "nothing waits for Redis but who needs it"
    redis.thaw()
    assert connection.read_response().status == 200


def test_a_late_reply_allows_no_request(serve, redis):
    service = serve(redis.url, rules_of(bucket(5, NEVER)), env={"REDIS_TIMEOUT_MS": "200"}, workers=1)
    allowed = service.statuses(1, "/").count(200)
    for _ in range(3):
        redis.freeze()
        allowed += service.statuses(2, "/").count(200)
        redis.thaw()
        wait_for(lambda: service.health()["status"] == "ok", "it is back")
    allowed += service.statuses(10, "/").count(200)
    assert allowed <= 5
    assert service.get("/").status == 429


def test_a_redis_busy_with_a_script_counts_as_unavailable(serve, redis):
    service = serve(redis.url, rules_of(bucket(1000)), workers=1)
    assert is_ok(service)
    redis.command("CONFIG", "SET", "busy-reply-threshold", "50")
    redis.client.socket.sendall(b"*3\r\n$4\r\nEVAL\r\n$21\r\nwhile true do end    \r\n$1\r\n0\r\n")
    wait_for(lambda: service.get("/").status == 503, "it is busy")
    killer = type(redis.client)(redis.socket_path)
    wait_for(lambda: _kills_script(killer), "the script is killed")
    killer.close()
    wait_for(lambda: is_ok(service), "it is used again")


def _kills_script(client):
    try:
        return client.command("SCRIPT", "KILL") == "OK"
    except Exception as error:  # pylint: disable=broad-except
        assert "NOTBUSY" in str(error)
        return True


def test_a_redis_out_of_memory_counts_as_unavailable(serve, redis):
    service = serve(redis.url, rules_of(bucket(1000, identify_by=["header:user_id"])), workers=1)
    redis.command("CONFIG", "SET", "maxmemory", "1")
    wait_for(lambda: service.get("/", {"user_id": "new"}).status == 503, "it takes no more")
    service.says("OOM")
    redis.command("CONFIG", "SET", "maxmemory", "0")
    wait_for(lambda: service.get("/", {"user_id": "new"}).status == 200, "it does again")


def test_a_replica_counts_as_unavailable_until_it_is_promoted(serve, redis, start_redis):
    other = start_redis()
    service = serve(redis.url, rules_of(bucket(1000)), workers=1)
    assert is_ok(service)
    redis.command("REPLICAOF", "127.0.0.1", other.port)
    wait_for(lambda: service.get("/").status == 503, "it is a replica")
    redis.command("REPLICAOF", "NO", "ONE")
    wait_for(lambda: is_ok(service), "it is the primary again")
