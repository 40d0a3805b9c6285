"""ratelimitd top: what it shows in a real terminal, what its keys do, and what it leaves behind; and as text."""
import os
import re
import shutil
import signal

import pytest

from fake_admin import FakeAdmin
from ports import free_port
from rules import at, bucket, rules_of
from service import run
from terminal import Terminal
from waiting import wait_for

LOCAL = "127.0.0.1:0"
TOKEN = "the-token-of-the-operator"
EVIL = "\x1b]2;owned\x07\x1b[2J\x9b2J\r\n\u202e"

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def start():
    started = []

    def start_one(kind, *arguments, **named):
        started.append(kind(*arguments, **named))
        return started[-1]
    yield start_one
    for thing in reversed(started):
        thing.finish()


@pytest.fixture
def fake(start):
    return start(FakeAdmin)


def top(start, fake, columns=100, rows=30, env=None):
    """A terminal that shows it, and the state of that terminal before."""
    terminal = start(Terminal, columns, rows, env)
    before = terminal.state()
    terminal.type(f"ratelimitd top {fake.url}")
    terminal.says("REFUSED/s", "api")
    return terminal, before


def text_of(*arguments, env=None, directory):
    return run("top", *arguments, env={"ADMIN_LISTEN": "127.0.0.1:8001", **(env or {})}, directory=directory)


# In a terminal.

@needs_tmux
def test_it_shows_the_service_its_rules_and_its_clients(start, fake):
    terminal, _ = top(start, fake)
    text = terminal.says("9.8.7", "on web-1", fake.url, "refused 346", "p99 1.2ms", "redis  ready", "17 of 10000")
    assert "       300       9000         12          0          0          0 api\n" in text
    assert "      4500       5000       5000          3 api ip=203.0.113.9\n" in text
    assert text.count("\n") == 30


@needs_tmux
def test_it_follows_the_service(start, fake):
    terminal, _ = top(start, fake)
    fake.answers["/v1/rates"][1]["rules"][2]["refused"] = 98765
    text = terminal.says("     98765         20")
    assert text.index("search") < text.index("login")


@needs_tmux
def test_its_keys_do_what_its_help_says(start, fake):
    terminal, _ = top(start, fake)
    terminal.press("s")
    terminal.says(" ALLOWED/s  REFUSED/s")
    terminal.press("S", "S")
    terminal.says("RULE (sorted)")
    terminal.press("w")
    terminal.says("RULE CLIENT in the last hour")
    terminal.press("b")
    terminal.says("  REQUESTS   REFUSALS")
    wait_for(lambda: "/v1/analytics?window=hour&by=requests&limit=100" in [target for target, *_ in fake.asked], "it asks")
    terminal.press("/", "l", "o", "g", "Enter")
    terminal.says("rules with: log", "login header:user_id=alice")
    terminal.says_no_more("search")
    wait_for(lambda: fake.asked[-1][0].endswith("&rule=login"), "the clients of the one rule that is left")
    terminal.press("Escape")
    terminal.says("search")
    terminal.press("?")
    terminal.says("ratelimitd top: keys")
    terminal.press("x")
    terminal.says("REFUSED/s")


@needs_tmux
def test_a_pause_asks_and_changes_nothing(start, fake):
    terminal, _ = top(start, fake)
    terminal.press("p")
    terminal.says("paused")
    fake.answers["/v1/rates"][1]["rules"][0]["refused"] = 98765
    terminal.press("s")
    terminal.says(" ALLOWED/s  REFUSED/s")
    assert "98765" not in terminal.text()
    terminal.press("p")
    terminal.says("98765")
    terminal.says_no_more("paused")


@needs_tmux
def test_it_fits_into_a_terminal_of_any_size_and_a_changed_one(start, fake):
    terminal, _ = top(start, fake)
    for columns, rows in ((40, 12), (20, 5), (7, 2), (200, 60)):
        terminal.resize(columns, rows)
        text = wait_for(lambda: (text := terminal.text()).startswith("ratelimitd"[:columns]) and text, "it is drawn anew")
        assert text.count("\n") == rows
    terminal.says("DEGRADED/s RULE", "203.0.113.9")


@needs_tmux
@pytest.mark.parametrize("end", ["q", "C-c", "C-\\", signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT],
                         ids=str)
def test_it_leaves_the_terminal_as_it_was(start, fake, end):
    terminal, before = top(start, fake, env={"ASAN_OPTIONS": "handle_abort=0"})
    assert terminal.state() != before
    if isinstance(end, str):
        terminal.press(end)
    else:
        os.kill(terminal.children()[0], end)
    wait_for(lambda: not terminal.children(), "it has ended")
    wait_for(lambda: terminal.state() == before, "the terminal is as it was")
    terminal.type("echo status $?")
    number = {"q": 0, "C-c": 130, "C-\\": 131}.get(end) if isinstance(end, str) else 128 + end
    terminal.says(f"status {number}\n")
    assert "REFUSED" not in terminal.text()


@needs_tmux
def test_it_can_be_stopped_and_goes_on(start, fake):
    terminal, before = top(start, fake)
    terminal.press("C-z")
    wait_for(lambda: terminal.state() == before, "the terminal is as it was")
    terminal.type("echo the shell; fg")
    terminal.says("REFUSED/s", "203.0.113.9")
    terminal.press("s")
    terminal.says(" ALLOWED/s  REFUSED/s")
    terminal.press("q")
    wait_for(lambda: terminal.state() == before, "the terminal is as it was")
    terminal.says("the shell")


@needs_tmux
def test_a_service_that_goes_away_is_said_to_be_away_until_it_is_back(start):
    port = free_port()
    fake = start(FakeAdmin, port)
    terminal, _ = top(start, fake)
    fake.finish()
    text = terminal.says(f"{fake.url} gives no answer: Connection refused; trying again")
    assert "203.0.113.9" in text, "what was known is shown still"
    again = start(FakeAdmin, port)
    terminal.says_no_more("gives no answer")
    again.answers["/v1/status"] = (401, {"detail": "no"})
    terminal.says("needs a token: set ADMIN_TOKEN or ADMIN_TOKEN_FILE")


@needs_tmux
def test_it_waits_for_a_service_that_is_not_there_yet(start):
    port = free_port()
    terminal = start(Terminal)
    terminal.type(f"ratelimitd top http://localhost:{port}")
    terminal.says("gives no answer: Connection refused; trying again")
    start(FakeAdmin, port)
    terminal.says("REFUSED/s", "api")


@needs_tmux
def test_a_service_that_does_not_answer_holds_no_key_up(start, fake):
    terminal, _ = top(start, fake)
    fake.hang.set()
    fake.hangs.wait(20)
    terminal.press("s")
    terminal.says(" ALLOWED/s  REFUSED/s")
    terminal.press("q")
    wait_for(lambda: not terminal.children(), "it has ended")


@needs_tmux
def test_names_from_outside_give_no_orders_to_the_terminal(start, fake):
    fake.answers["/v1/rates"][1]["rules"][0]["rule"] = EVIL + "rule"
    fake.answers["/v1/analytics"][1]["clients"][0]["client"] = EVIL + "client"
    fake.answers["/v1/status"][1]["node"]["host"] = EVIL + "host"
    terminal = start(Terminal)
    before = terminal.state()
    terminal.type(f"ratelimitd top {fake.url}")
    terminal.says("?]2;owned??[2J", "rule\n", "client\n")
    terminal.press("q")
    wait_for(lambda: terminal.state() == before, "title and all are as they were")


@needs_tmux
@pytest.mark.parametrize("env, coloured", [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_left_out_where_they_are_not_wanted(start, fake, env, coloured):
    terminal, _ = top(start, fake, env=env)
    assert ("\x1b[32m" in terminal.styled()) == coloured
    assert "\x1b[7m" in terminal.styled(), "titles are in reverse"


@needs_tmux
def test_a_terminal_that_cannot_move_its_cursor_gets_text_once(start, fake):
    terminal = start(Terminal)
    terminal.type(f"TERM=dumb ratelimitd top {fake.url}; echo status $?")
    terminal.says("api ip=203.0.113.9", "status 0\n")
    assert "\x1b" not in terminal.styled().replace("\x1b[39m", "")


# As text.

def test_where_there_is_no_terminal_it_prints_once(fake, tmp_path):
    done = text_of(fake.url, directory=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].endswith(f"on web-1  {fake.url}")
    assert "       300       9000         12          0          0          0 api" in lines
    assert len(fake.asked) == 3
    assert not any(line != line.rstrip() for line in lines)


def test_a_real_service_is_shown(serve, store, tmp_path):
    service = serve(store, rules_of(bucket(3), api=at("/api/**", bucket(1000))), admin=f"unix:{tmp_path}/admin.sock")
    wait_for(lambda: service.health()["status"] == "ok", "every worker has its store")
    assert service.statuses(5, "/limited-resource") == [200, 200, 200, 429, 429]

    def counted():
        done = text_of(f"unix:{tmp_path}/admin.sock", directory=tmp_path)
        assert done.returncode == 0, done.stderr
        return "         2          5          3          0 default ip=127.0.0.1\n" in done.stdout and done.stdout
    shown = wait_for(counted, "the client is counted")
    assert f"\nstore       {'memory' if store == 'memory' else 'redis'}  ready" in shown
    assert "0 default\n" in shown and "0 api\n" in shown


def test_a_real_service_without_analytics_says_so(serve, tmp_path):
    service = serve(admin=LOCAL, env={"ANALYTICS": "off"})
    done = text_of(f"http://127.0.0.1:{service.admin_address[1]}", directory=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nno top clients: /v1/analytics answers 404: " in done.stdout


def test_what_happened_last_to_the_rules_and_to_redis_is_shown(serve, redis, tmp_path):
    service = serve(redis.url, rules_of(bucket(3)), admin=LOCAL)

    def says(*parts):
        wait_for(lambda: all(part in text_of(f"http://127.0.0.1:{service.admin_address[1]}", directory=tmp_path).stdout
                             for part in parts), str(parts))
    says("redis  ready", "rules       1  loaded ")
    service.write_rules(rules_of(bucket(4)))
    says("s ago: rules reloaded: 1 changed")
    service.write_rules("{")
    says("s ago: rules not reloaded: 1 mistake", "  rate_limits.json: line 1, column 2: ")
    redis.kill()
    says("redis  lost", "  lost ", "s ago: Server closed the connection")
    redis.start()
    says("redis  ready", "  ready ")


@needs_tmux
def test_a_real_service_is_followed_as_it_refuses(serve, start):
    service = serve(rules=rules_of(bucket(3), api=at("/api/**", bucket(1000))), admin=LOCAL)
    terminal = start(Terminal)
    terminal.type(f"ratelimitd top http://127.0.0.1:{service.admin_address[1]}")
    terminal.says("0 default\n")
    assert service.statuses(13, "/limited-resource").count(429) == 10
    terminal.says("        10         13          3          0 default ip=127.0.0.1\n")
    wait_for(lambda: re.search(r"\n +[1-9][\d.]* .* default\n", terminal.text()), "its rate")
    terminal.press("/", "a", "p", "i", "Enter")
    terminal.says_no_more("ip=127.0.0.1")


@pytest.mark.parametrize("listen", ["127.0.0.1:{port}", "0.0.0.0:{port}", "{port}"])
def test_without_a_url_it_asks_the_service_that_the_settings_describe(fake, tmp_path, listen):
    done = text_of(env={"ADMIN_LISTEN": listen.format(port=fake.port)}, directory=tmp_path)
    assert (done.returncode, f"http://127.0.0.1:{fake.port}\n" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("listen", ["off", "127.0.0.1:0"])
def test_without_a_url_there_must_be_an_admin_listener(tmp_path, listen):
    done = text_of(env={"ADMIN_LISTEN": listen}, directory=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "ratelimitd: ADMIN_LISTEN: has no address to ask; accepted by top: an address, or a URL after top\n"


@pytest.mark.parametrize("where", ["environment", ".env", "file"])
def test_the_token_comes_from_the_settings(fake, tmp_path, where):
    env = {"ADMIN_TOKEN": TOKEN} if where == "environment" else {}
    if where == ".env":
        (tmp_path / ".env").write_text(f"ADMIN_TOKEN={TOKEN}\n")
    if where == "file":
        (tmp_path / "token").write_text(TOKEN + "\n")
        env = {"ADMIN_TOKEN_FILE": str(tmp_path / "token")}
    assert text_of(fake.url, env=env, directory=tmp_path).returncode == 0
    assert [authorization for _, authorization, _ in fake.asked] == [f"Bearer {TOKEN}"] * 3


def test_the_token_is_no_argument_that_others_would_see(fake, tmp_path):
    done = text_of(fake.url, "--admin-token", TOKEN, directory=tmp_path)
    assert (done.returncode, fake.asked) == (2, [])
    assert "--admin-token: every user of the machine sees it" in done.stderr and TOKEN not in done.stderr


REFUSALS = [
    ("/v1/status", 401, "needs a token: set ADMIN_TOKEN or ADMIN_TOKEN_FILE"),
    ("/v1/status", 421, "does not answer to this name: ask by its address, or add the name to ADMIN_HOSTS of the service"),
    ("/v1/status", 404, "answers 404 to /v1/status: is this the admin listener (ADMIN_LISTEN) of a ratelimitd as new as this one?"),
    ("/v1/rates", 404, "answers 404 to /v1/rates: is this the admin listener (ADMIN_LISTEN) of a ratelimitd as new as this one?"),
    ("/v1/status", 302, "answers 302 to /v1/status: is this the admin listener (ADMIN_LISTEN) of a ratelimitd as new as this one?"),
    ("/v1/status", 503, "answers 503: it is busy, or something in between does not reach it"),
    ("/v1/status", 200, "is something else than the admin listener of a ratelimitd: give another URL"),
]


@pytest.mark.parametrize("path, status, sentence", REFUSALS)
def test_another_server_or_token_is_a_sentence(fake, tmp_path, path, status, sentence):
    for body in (b"", b"<html>", b"{}", b"[" * 100000, b'{"node": 1e', b"\xff"):
        fake.answers[path] = (status, body)
        done = text_of(fake.url, directory=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"ratelimitd: top: {fake.url} {sentence}\n")


def test_a_wrong_token_is_a_sentence(fake, tmp_path):
    fake.answers["/v1/status"] = (401, {"detail": "no"})
    done = text_of(fake.url, env={"ADMIN_TOKEN": TOKEN}, directory=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (f"ratelimitd: top: {fake.url} does not know this token: give the service's in ADMIN_TOKEN or "
                           "ADMIN_TOKEN_FILE\n")


def test_a_real_service_that_is_asked_wrongly_is_a_sentence(serve, tmp_path):
    service = serve(admin=LOCAL, env={"ADMIN_TOKEN": TOKEN})
    admin = f"http://127.0.0.1:{service.admin_address[1]}"
    assert "needs a token" in text_of(admin, directory=tmp_path).stderr
    assert "does not know this token" in text_of(admin, env={"ADMIN_TOKEN": TOKEN + "x"}, directory=tmp_path).stderr
    public = f"http://127.0.0.1:{service.port}"
    assert "answers 404 to /v1/status" in text_of(public, directory=tmp_path).stderr
    assert text_of(admin, env={"ADMIN_TOKEN": TOKEN}, directory=tmp_path).returncode == 0


def test_a_redis_is_no_service(redis, tmp_path):
    done = text_of(f"http://127.0.0.1:{redis.port}", directory=tmp_path)
    assert (done.returncode, "gives no answer" in done.stderr) == (1, True)


def test_an_answer_that_never_ends_is_given_up(fake, tmp_path):
    fake.trickle.set()
    done = text_of(fake.url, directory=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"ratelimitd: top: {fake.url} gives no answer: no whole answer within 10 s\n")


def test_a_service_without_analytics_shows_all_else(fake, tmp_path):
    fake.answers["/v1/analytics"] = (404, {"detail": "ANALYTICS is off."})
    done = text_of(fake.url, directory=tmp_path)
    assert done.returncode == 0
    assert "no top clients: /v1/analytics answers 404: ANALYTICS is off.\n" in done.stdout
    assert "0 api\n" in done.stdout


def test_a_second_argument_is_refused(tmp_path):
    done = text_of("http://localhost:1", "http://localhost:2", directory=tmp_path)
    assert (done.returncode, "argument 3: not a flag" in done.stderr) == (2, True)


@pytest.mark.parametrize("url", ["localhost:8001", "https://localhost:8001", "http://", "http://user:secret@host", "http://a b",
                                 "unix:here", "http://no-such-host.invalid"])
def test_a_url_that_is_none_is_refused(tmp_path, url):
    done = text_of(url, directory=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("ratelimitd: top: ") and "accepted: http://HOST[:PORT][/PREFIX] or unix:/PATH" in done.stderr
    assert "secret" not in done.stderr
