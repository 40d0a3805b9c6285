"""
Every error reply of every version of Redis has a documented effect: the failure mode answers, one log line tells the
operator what to do, the connection is kept or closed, and Redis is used again without a restart.
"""
import pathlib
import re

import pytest

from fake_redis import FakeRedis
from http_client import request_bytes
from ports import free_port
from rules import bucket, rules_of, window
from waiting import Stopwatch, wait_for

DOCS = (pathlib.Path(__file__).resolve().parents[2] / "docs/redis.md").read_text()
SHA = "b0fd2e3a8d1c4e6f7a9b0c1d2e3f4a5b6c7d8e9f"
RULES = rules_of(bucket(10, "10/1h"))
GOOD = b"$17\r\n1 1 9 0 360000000\r\n"

KEEPS, LEAVES, PAUSES = "keeps the connection", "makes a new one", "makes a new one after a pause"


def plain(text):
    return text


def in_script(text):
    """As Redis 7 and 8, and Valkey, report an error within a script."""
    return f"{text} script: {SHA}, on @user_script:52."


def in_old_script(text):
    """As Redis 6 and older report it."""
    return f"ERR Error running script (call to f_{SHA}): @user_script:52: @user_script: 52: -{text} "


ALL = (plain, in_script, in_old_script)

# (text, the forms that it comes in, what becomes of the connection, words of the advice)
ERRORS = [
    ("LOADING Redis is loading the dataset in memory", (plain,), KEEPS, "wait until it has"),
    ("READONLY You can't write against a read only replica.", ALL, LEAVES, "point REDIS_URL at the primary"),
    ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", ALL, LEAVES,
     "a replica whose primary is away"),
    ("OOM command not allowed when used memory > 'maxmemory'.", ALL, KEEPS, "raise maxmemory"),
    ("NOREPLICAS Not enough good replicas to write.", ALL, KEEPS, "min-replicas-to-write"),
    ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that "
     "may modify the data set are disabled, because this instance is configured to report errors during writes if RDB "
     "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
     "error.", ALL, KEEPS, "it cannot save to disk"),
    ("MISCONF Errors writing to the AOF file: No space left on device", ALL, KEEPS, "it cannot save to disk"),
    ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", (plain,), KEEPS,
     "SCRIPT KILL"),
    ("BUSY Valkey is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", (plain,), KEEPS,
     "SCRIPT KILL"),
    ("NOAUTH Authentication required.", (plain,), PAUSES, "set REDIS_PASSWORD"),
    ("WRONGPASS invalid username-password pair or user is disabled.", (plain,), PAUSES, "check those in REDIS_URL, or REDIS_USERNAME"),
    ("NOPERM this user has no permissions to run the 'evalsha' command", (plain, in_old_script), KEEPS, "smallest ACL"),
    ("NOPERM this user has no permissions to access one of the keys used as arguments", (plain, in_old_script), KEEPS,
     "smallest ACL"),
    ("NOPERM No permissions to access a key", (plain,), KEEPS, "smallest ACL"),
    ("ERR The user executing the script can't run this command or subcommand", (plain, in_script), KEEPS,
     "denies this user a command of the script"),
    (f"ERR Error running script (call to f_{SHA}): @user_script:52: @user_script: 52: The user executing the script "
     "can't run this command or subcommand ", (plain,), KEEPS, "denies this user a command of the script"),
    ("ERR ACL failure in script: User rl has no permissions to run the 'get' command", (plain, in_script), KEEPS,
     "denies this user a command of the script"),
    ("WRONGTYPE Operation against a key holding the wrong kind of value", ALL, KEEPS, "another database"),
    ("CLUSTERDOWN The cluster is down", ALL, KEEPS, "without cluster mode"),
    ("CLUSTERDOWN Hash slot not served", ALL, KEEPS, "without cluster mode"),
    ("MOVED 3999 127.0.0.1:6381", (plain,), KEEPS, "without cluster mode"),
    ("CROSSSLOT Keys in request don't hash to the same slot", ALL, KEEPS, "without cluster mode"),
    ("ERR max number of clients reached", (plain,), LEAVES, "maxclients"),
    ("DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the "
     "default user.", (plain,), PAUSES, "protected mode"),
    ("ERR unknown command 'EVALSHA', with args beginning with: '0' ", (plain,), KEEPS, "is it a Sentinel"),
    ("ERR unknown command `EVALSHA`, with args beginning with: `0`, ", (plain,), KEEPS, "is it a Sentinel"),
    ("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is "
     "correct?", (plain,), PAUSES, "it has no password for this user"),
    ("ERR Client sent AUTH, but no password is set", (plain,), PAUSES, "it has no password for this user"),
    ("ERR DB index is out of range", (plain,), KEEPS, "no database of that number"),
    ("ERR value is not an integer or out of range", ALL, KEEPS, "does not know"),
    ("NOTAWORDOFOURS what a later Redis may say", ALL, KEEPS, "does not know"),
]
CASES = [pytest.param(form(text), becomes, advice, id=f"{text[:40]} {form.__name__}")
         for text, forms, becomes, advice in ERRORS for form in forms]


def answers(data):
    return lambda connection: connection.sendall(data)


def shown(text):
    """What of an error may be shown: its code, or words that are the service's own."""
    own = re.search("The user executing the script can't run this command|ACL failure in script|max number of clients "
                    "reached|unknown command|without any password configured|but no password is set|DB index is out of range", text)
    wrapped = re.search("@user_script: 52: -([A-Z]+) ", text)
    code = wrapped[1] if wrapped else text.split()[0]
    return own[0] if own else "ERR" if wrapped and code == "NOTAWORDOFOURS" else code


def lines_with(service, advice):
    return [message for message in service.messages() if advice in message]


def entries(fake):
    """The number of handshakes."""
    return sum(1 for words in fake.commands if words[0] == b"SCRIPT")


@pytest.mark.parametrize("text, becomes, advice", CASES)
def test_each_error_reply_has_its_documented_effect(serve, start_fake_redis, text, becomes, advice):
    fake = start_fake_redis(answers(b"-" + text.encode() + b"\r\n"))
    service = serve(fake.url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "5000"})
    response = service.get("/")
    assert (response.status, int(response["Retry-After"]) >= 1) == (503, True)
    assert service.statuses(20, "/") == [503] * 20
    said = lines_with(service, ' replies "')
    assert [advice in line for line in said] == [True], "one line, whatever the number of replies"
    code, advice_said = said[0].split(' replies "')[1].split("; on_store_failure")[0].split('": ')
    assert code == shown(text)
    assert advice_said in DOCS, "and the manual has it"
    if becomes == KEEPS:
        assert service.health()["store"]["state"] == "ready"
        wait_for(lambda: entries(fake) == 2, "the worker's, and that of the admin listener, which is off")
    fake.behaviour = answers(GOOD)
    wait_for(lambda: service.get("/").status == 200, "it is used again")
    assert entries(fake) == 2 or becomes != KEEPS


@pytest.mark.parametrize("text, advice", [pytest.param(text, advice, id=text[:40]) for text, _, _, advice in ERRORS])
def test_an_error_in_the_handshake_is_logged_and_retried(serve, start_fake_redis, monkeypatch, text, advice):
    replies = {b"SCRIPT": b"-" + text.encode() + b"\r\n"}

    def answer(self, connection, words):
        if words[0] in replies:
            connection.sendall(replies[words[0]])
        else:
            polite(self, connection, words)
    polite = FakeRedis._answer
    monkeypatch.setattr(FakeRedis, "_answer", answer)
    fake = start_fake_redis(answers(GOOD))
    service = serve(fake.url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "5000"})
    if text.startswith("NOPERM"):  # may not load scripts: the first EVALSHA brings the script
        assert service.get("/").status == 200
        return
    assert service.get("/").status == 503
    assert service.health()["status"] == "degraded"
    [line] = lines_with(service, "no connection to")
    assert advice in line and f": {shown(text)} (" in line
    replies.clear()
    wait_for(lambda: service.get("/").status == 200, "it is used")


NOSCRIPT = b"-NOSCRIPT No matching script. Please use EVAL.\r\n"


def names(commands):
    return [words[0] for words in commands]


def serve_with(serve, fake):
    """One worker, whose connection and the admin listener's are made; fake.commands has what comes after that."""
    service = serve(fake.url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "20000"})
    wait_for(lambda: names(fake.commands).count(b"SCRIPT") == 2, "both handshakes have ended")
    fake.commands.clear()
    return service


def test_after_noscript_the_script_is_loaded_by_a_command_of_its_own(serve, start_fake_redis):
    """To compile it holds Redis as long as a large batch does; together they would hold it twice as long."""
    fake = start_fake_redis(lambda connection: connection.sendall(
        GOOD if b"SCRIPT" in names(fake.commands) else NOSCRIPT))
    service = serve_with(serve, fake)
    assert service.get("/").status == 200
    assert names(fake.commands) == [b"EVALSHA", b"SCRIPT", b"EVALSHA"]
    assert fake.commands[1][1] == b"LOAD"
    assert fake.commands[2] == fake.commands[0], "the same keys and arguments"


def test_commands_that_miss_the_script_together_load_it_once(serve, start_fake_redis):
    def behave(connection):
        asked = names(fake.commands).count(b"EVALSHA")
        connection.sendall([b"", 2 * NOSCRIPT, GOOD, GOOD][asked - 1])
    fake = start_fake_redis(behave)
    service = serve_with(serve, fake)
    with service.connect() as first, service.connect() as second:
        for connection in (first, second):
            connection.send(request_bytes("GET", "/"))
            wait_for(lambda: b"EVALSHA" in names(fake.commands), "it was sent")
        assert [connection.read_response().status for connection in (first, second)] == [200, 200]
    assert names(fake.commands) == [b"EVALSHA", b"EVALSHA", b"SCRIPT", b"EVALSHA", b"EVALSHA"]


def test_where_the_script_cannot_be_loaded_it_is_sent_with_the_command(serve, start_fake_redis, monkeypatch):
    def answer(self, connection, words):
        if words[0] == b"SCRIPT":
            connection.sendall(b"-NOPERM this user has no permissions to run the 'script|load' command\r\n")
        else:
            polite(self, connection, words)
    polite = FakeRedis._answer
    monkeypatch.setattr(FakeRedis, "_answer", answer)
    fake = start_fake_redis(lambda connection: connection.sendall(
        GOOD if b"EVAL" in names(fake.commands) else NOSCRIPT))
    service = serve_with(serve, fake)
    assert service.get("/").status == 200
    assert names(fake.commands) == [b"EVALSHA", b"SCRIPT", b"EVALSHA", b"EVAL"]
    assert fake.commands[3][2:] == fake.commands[0][2:], "the same keys and arguments"


def test_a_script_that_is_never_there_leads_to_the_failure_mode(serve, start_fake_redis):
    fake = start_fake_redis(answers(NOSCRIPT))
    service = serve_with(serve, fake)
    assert service.statuses(3, "/") == [503] * 3
    assert names(fake.commands) == [b"EVALSHA", b"SCRIPT", b"EVALSHA", b"EVAL"] * 3, "not for ever"


def connections_received(redis):
    return int(redis.command("INFO", "stats").split("total_connections_received:")[1].split()[0])


def test_a_wrong_password_is_retried_slowly(serve, start_redis):
    redis = start_redis({"requirepass": "right"})
    redis.command("AUTH", "right")
    service = serve(f"redis://:wrong@127.0.0.1:{redis.port}", workers=2)
    service.says("WRONGPASS")
    before, clock = connections_received(redis), Stopwatch()
    wait_for(lambda: connections_received(redis) >= before + 5, "five more attempts")
    assert clock.elapsed_s() > 2.5, "a worker waits 1.5 s at least"
    assert len(lines_with(service, "WRONGPASS")) == 1, "a line for both workers"


def test_max_clients_is_logged_with_advice_and_recovers(serve, start_redis):
    redis = start_redis({"maxclients": "1"})
    service = serve(redis.url, rules_of(bucket(1000)), workers=1)
    assert service.get("/").status == 503
    service.says("raise its maxclients")
    redis.command("CONFIG", "SET", "maxclients", "100")
    wait_for(lambda: service.get("/").status == 200, "it is let in")


def test_a_redis_that_loads_its_data_counts_as_unavailable(serve, start_redis):
    redis = start_redis({"key-load-delay": "1000", "loading-process-events-interval-bytes": "1024", "rdbcompression": "no"})
    service = serve(redis.url, rules_of(bucket(1000)), workers=1)
    redis.command("EVAL", "for i = 1, 2000 do redis.call('SET', 'other:' .. i, ('x'):rep(1000)) end", "0")
    redis.command("SAVE")
    redis.kill()
    assert service.get("/").status == 503
    redis.start()
    wait_for(lambda: service.get("/").status == 200, "it has loaded")
    service.says("connected to")


def test_a_cluster_node_is_reported_as_one(serve, start_redis):
    redis = start_redis({"cluster-enabled": "yes", "cluster-port": free_port()})
    service = serve(redis.url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "5000"})
    assert service.get("/").status == 503
    service.says("the service needs a Redis without cluster mode")


@pytest.mark.parametrize("mode", ["closed", "open", "local"])
def test_on_an_error_each_rule_uses_its_failure_mode_and_counts_it(serve, redis, mode):
    rule = window("fixed_window", 2, on_store_failure=mode)
    service = serve(redis.url, rules_of(rule), workers=1, env={"REDIS_TIMEOUT_MS": "5000"})
    redis.command("CONFIG", "SET", "maxmemory", "1")
    responses = service.connect().pipeline([request_bytes("GET", "/")] * 4)
    expected = {"closed": [503] * 4, "open": [200] * 4, "local": [200, 200, 429, 429]}[mode]
    assert [response.status for response in responses] == expected
    assert {response.get("X-RateLimit-Degraded") for response in responses} == {None if mode == "closed" else mode}
    assert service.health()["degraded"] == {"closed": 0, "open": 0, "local": 0, mode: 4}


# Redis echoes what it was sent, which is not shown.

SECRET = "Tr0ub4dor-and-3"


def everything_told(service):
    return service.log() + service.get("/health").body.decode()


@pytest.mark.parametrize("user", ["", "operator"])
def test_the_password_is_not_logged_if_redis_has_no_auth(serve, start_redis, user):
    redis = start_redis({"rename-command": ["AUTH", ""]})
    assert SECRET in str(pytest.raises(Exception, redis.command, "AUTH", "operator", SECRET).value), "it does echo"
    service = serve(f"redis://{user}:{SECRET}@127.0.0.1:{redis.port}", RULES, workers=1)
    assert service.get("/").status == 503
    service.says("were commands renamed?")
    assert SECRET not in everything_told(service) and (not user or user not in everything_told(service))


ECHOES = [b"-ERR unknown command 'AUTH', with args beginning with: '%s' \r\n", b"-ERR %s\r\n", b"-%s\r\n", b"-ERR\t%s\r\n",
          b"-NOAUTH %s\r\n", b"-BUSY-%s\r\n", b"-WRONGPASS:%s\r\n", b"-%s WRONGPASS\r\n"]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("command", [b"AUTH", b"SELECT", b"CLIENT", b"SCRIPT", b"EVALSHA"])
def test_text_that_redis_echoes_is_not_shown(serve, start_fake_redis, monkeypatch, command, echo):
    def answer(self, connection, words):
        if words[0] == command:
            connection.sendall(echo % SECRET.encode())
        else:
            polite(self, connection, words)
    polite = FakeRedis._answer
    monkeypatch.setattr(FakeRedis, "_answer", answer)
    fake = start_fake_redis(answers(GOOD))
    service = serve(f"redis://:{SECRET}@127.0.0.1:{fake.port}/3", RULES, workers=1, env={"REDIS_TIMEOUT_MS": "5000"})
    assert service.get("/").status in (200, 503)
    assert SECRET not in everything_told(service)


@pytest.mark.parametrize("echo", ECHOES)
def test_unrequested_replies_are_not_shown(serve, start_fake_redis, echo):
    fake = start_fake_redis(answers(GOOD))
    service = serve(fake.url, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "5000"})
    assert service.get("/").status == 200
    fake.send_to_all(echo % SECRET.encode())
    service.says("no connection to")
    assert SECRET not in everything_told(service)
