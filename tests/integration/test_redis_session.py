"""What the service sends to Redis, and the keys that it leaves there."""
import pytest

from rules import bucket, rules_of, window
from service import run
from waiting import wait_for

PASSWORD = "p@ss/w:rd %41?#"
ENCODED = "p%40ss%2Fw%3Ard%20%2541%3F%23"


def is_used(service):
    wait_for(lambda: service.get("/").status == 200, "Redis is used")


def test_a_password_in_the_url(serve, start_redis):
    redis = start_redis({"requirepass": PASSWORD})
    service = serve(f"redis://:{ENCODED}@127.0.0.1:{redis.port}", rules_of(bucket(1000)))
    is_used(service)
    assert "ss/w:rd" not in service.log() and "ss%2Fw" not in service.log()


@pytest.mark.parametrize("source", ["environment", "file"])
def test_a_password_in_parts(serve, start_redis, tmp_path, source):
    redis = start_redis({"requirepass": PASSWORD})
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    secret = {"REDIS_PASSWORD": PASSWORD} if source == "environment" else {"REDIS_PASSWORD_FILE": f"{tmp_path}/secret"}
    env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis.port), **secret}
    is_used(serve(None, rules_of(bucket(1000)), env=env))


def test_a_wrong_password_is_logged_and_leads_to_503(serve, start_redis):
    redis = start_redis({"requirepass": PASSWORD})
    service = serve(f"redis://:wrong-7f3a@127.0.0.1:{redis.port}", workers=1)
    assert service.get("/").status == 503
    service.says("WRONGPASS")
    assert "7f3a" not in service.log()
    assert service.health()["status"] == "degraded"


def test_a_missing_password_is_logged_and_leads_to_503(serve, start_redis):
    service = serve(start_redis({"requirepass": PASSWORD}).url, workers=1)
    assert service.get("/").status == 503
    service.says("NOAUTH")


def test_a_password_that_becomes_valid_is_accepted(serve, start_redis):
    redis = start_redis({"requirepass": "old"})
    redis.command("AUTH", "old")
    service = serve(f"redis://:new@127.0.0.1:{redis.port}", rules_of(bucket(1000)), workers=1)
    assert service.get("/").status == 503
    redis.command("CONFIG", "SET", "requirepass", "new")
    is_used(service)


def test_a_user_that_may_not_run_the_script_is_logged(serve, redis):
    redis.command("ACL", "SETUSER", "limiter", "on", ">secret", "~other:*", "+@all")
    service = serve(f"redis://limiter:secret@127.0.0.1:{redis.port}", workers=1)
    wait_for(lambda: service.get("/").status == 503, "it is refused")
    service.says("NOPERM")


def test_keys_are_in_the_database_that_the_url_names(serve, redis):
    for url in (f"{redis.url}/3", f"{redis.unix_url}?db=3"):
        is_used(serve(url, rules_of(bucket(1000))))
    assert redis.keys() == []
    redis.command("SELECT", "3")
    assert redis.keys() == ["rl:{ip=127.0.0.1}:default:0:b1h"]


def test_a_missing_database_is_logged(serve, redis):
    service = serve(f"{redis.url}/9999", workers=1)
    assert service.get("/").status == 503
    service.says("DB index is out of range")


def test_each_worker_names_its_connection(serve, redis):
    serve(redis.url, workers=3)
    names = {f"name=ratelimitd-{i} " for i in range(4)}  # with that of the admin listener, which is off
    wait_for(lambda: all(name in redis.command("CLIENT", "LIST") for name in names), "four connections")
    assert redis.command("CLIENT", "LIST").count("name=ratelimitd-") == 4


def test_a_client_has_a_key_for_each_rule(serve, redis):
    rules = rules_of(bucket(5, identify_by=["header:user_id"]),
                     data={"match": {"path": "/api/data"}, "identify_by": ["header:user_id"],
                           "limits": [bucket(5), window("sliding_window", 5)]})
    service = serve(redis.url, rules)
    service.get("/", {"user_id": "u"})
    service.get("/api/data", {"user_id": "u"})
    assert redis.keys() == ["rl:{header:user_id=u}:data:0:b1h", "rl:{header:user_id=u}:data:1:w30d",
                            "rl:{header:user_id=u}:default:0:b1h"]


LIVES = {"token_bucket": (bucket(10, 1), 1000), "sliding_window": (window("sliding_window", 10, "20s"), 20000),
         "sliding_window_counter": (window("sliding_window_counter", 10, "20s"), 40000),
         "fixed_window": (window("fixed_window", 10, "20s"), 20000)}
STATES = {"token_bucket": "b1s", "sliding_window": "w20s", "sliding_window_counter": "c20s", "fixed_window": "f20s"}


@pytest.mark.parametrize("algorithm", LIVES)
def test_a_key_expires_when_its_quota_is_full(serve, redis, algorithm):
    rule, most_ms = LIVES[algorithm]
    service = serve(redis.url, rules_of(rule))
    service.get("/")
    left_ms = redis.command("PTTL", f"rl:{{ip=127.0.0.1}}:default:0:{STATES[algorithm]}")
    assert left_ms == -2 or 0 <= left_ms <= most_ms + 1


def test_every_key_has_a_ttl(serve, redis):
    rule = bucket(5, 100, identify_by=["header:user_id"])
    service = serve(redis.url, rules_of(rule))
    for i in range(100):
        service.get("/", {"user_id": f"u{i}"})
    wait_for(lambda: redis.keys() == [], "all keys are gone")


@pytest.mark.parametrize("algorithm", LIVES)
@pytest.mark.parametrize("make", [("SET", "text"), ("HSET", "f", "v"), ("RPUSH", "element"), ("SADD", "member"),
                                  ("ZADD", "1", "member"), ("SET", ""), ("SET", "1 2 3"),
                                  ("HSET", "level", "nan", "updated", "x")],
                         ids=["string", "hash", "list", "set", "sorted set", "empty string", "numbers", "fields"])
def test_a_foreign_key_affects_only_its_own_client(serve, redis, algorithm, make):
    service = serve(redis.url, rules_of({**LIVES[algorithm][0], "identify_by": ["header:user_id"]}), workers=1)
    redis.command(make[0], f"rl:{{header:user_id=victim}}:default:0:{STATES[algorithm]}", *make[1:])
    for user in ("a", "victim", "b", "victim", "c"):
        response = service.get("/", {"user_id": user})
        if user == "victim":
            assert response.status in (200, 429, 503)
        else:
            assert (response.status, response["X-RateLimit-Remaining"]) == (200, "9"), user
    assert service.health()["status"] == "ok"


def test_a_client_recovers_when_its_foreign_key_is_deleted(serve, redis):
    service = serve(redis.url, rules_of(bucket(10)), workers=1)
    redis.command("SADD", "rl:{ip=127.0.0.1}:default:0:b1h", "member")
    assert service.get("/").status == 503
    service.says("WRONGTYPE")
    redis.command("DEL", "rl:{ip=127.0.0.1}:default:0:b1h")
    assert service.get("/").status == 200


def test_a_client_deleted_in_redis_starts_anew(serve, redis):
    service = serve(redis.url, rules_of(bucket(2)), workers=1)
    assert service.statuses(3, "/") == [200, 200, 429]
    redis.command("FLUSHALL")
    wait_for(lambda: service.get("/").status == 200, "the refusal is forgotten too")


def test_script_flush_causes_no_error(serve, redis):
    service = serve(redis.url, rules_of(bucket(1000)), workers=1, env={"REDIS_TIMEOUT_MS": "20000"})
    for _ in range(20):
        assert service.get("/").status == 200
        redis.command("SCRIPT", "FLUSH")
    assert service.get("/")["X-RateLimit-Remaining"] == "979", "none of them counted twice"


def test_rediss_never_falls_back_to_plain_text(start_fake_redis, serve, tmp_path):
    fake = start_fake_redis()
    url = fake.url.replace("redis://", "rediss://")
    (tmp_path / "rate_limits.json").write_text('{"default": {"capacity": 20, "refill_rate": 5}}')
    check = run("--check", "--store", url, directory=tmp_path)
    if check.returncode == 2:
        assert "rediss://" in check.stderr and "TLS" in check.stderr or "SSL" in check.stderr
        return
    serve(url)
    wait_for(lambda: fake.first_bytes, "it connects")
    assert fake.first_bytes[:1] == b"\x16", "a TLS handshake"


def test_equal_pending_requests_share_commands(serve, redis):
    service = serve(redis.url, rules_of(bucket(5000)), workers=1, env={"REDIS_TIMEOUT_MS": "20000"})
    is_used(service)
    redis.freeze()
    connections = [service.connect() for _ in range(64)]
    for connection in connections:
        connection.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    service.catch_up()
    redis.thaw()
    remaining = sorted(int(connection.read_response()["X-RateLimit-Remaining"]) for connection in connections)
    assert remaining == list(range(remaining[0], remaining[0] + 64)), "each was given its own"
    calls = [line for line in redis.command("INFO", "commandstats").splitlines() if line.startswith("cmdstat_evalsha:")]
    assert int(calls[0].split("calls=")[1].split(",")[0]) < 64
