"""The command line through the real binary: every mistake in one run: its place, its value, what is accepted."""
import os
import re

import pytest

from service import REPOSITORY, run

GOOD = '{"default": {"capacity": 20, "refill_rate": 5}}'


@pytest.fixture
def try_out(tmp_path):
    """Runs ratelimitd with these arguments in a directory that has good rules."""
    (tmp_path / "rate_limits.json").write_text(GOOD)

    def ratelimitd(*arguments, env=None, dotenv=None):
        if dotenv is not None:
            (tmp_path / ".env").write_text(dotenv)
        return run(*arguments, env=env, directory=tmp_path)
    return ratelimitd


MISTAKES = [
    # flags, environment, what the one line must have in it
    (["--port", "http"], {}, ["--port", '"http"', "0 to 65535"]),
    (["--port=70000"], {}, ["--port", '"70000"', "0 to 65535"]),
    (["--port", "-1"], {}, ["--port", '"-1"', "0 to 65535"]),
    (["--port", "8000 "], {}, ["--port", '"8000 "', "0 to 65535"]),
    (["--port", "0x50"], {}, ["--port", '"0x50"', "0 to 65535"]),
    (["--port", "99999999999999999999"], {}, ["--port", "99999999999999999999", "0 to 65535"]),
    (["--port"], {}, ["--port", "0 to 65535"]),
    (["--port="], {}, ["--port", "empty"]),
    (["--port", "1", "--port", "2"], {}, ["--port", "twice"]),
    (["--prot", "8000"], {}, ["--prot", "unknown flag", "--port"]),
    (["--password-7f3a=x"], {}, ["unknown flag"]),
    (["8000"], {}, ["not a flag"]),
    (["healthchekc"], {}, ["healthcheck"]),
    (["-port", "8000"], {}, ["argument 1: not a flag (did you mean --port?)"]),
    (["-p=8000"], {}, ["argument 1: not a flag;"]),
    (["--check", "rules=a.json"], {}, ["argument 2: not a flag (did you mean --rules?)"]),
    (["check"], {}, ["argument 1: not a flag (did you mean --check?)"]),
    (["-H"], {}, ["argument 1: not a flag;"]),
    (["--explain", "GET", "/api/data"], {}, ["argument 3: not a flag;", "quote the request of --explain"]),
    (["--redis-uri", "memory"], {}, ["--redis-uri: unknown flag"]),
    (["--memory"], {}, ["--memory: unknown flag (did you mean --memory-max-keys?)"]),
    (["--redis-timeout", "5"], {}, ["--redis-timeout: unknown flag (did you mean --redis-timeout-ms?)"]),
    (["--failure-mode", "opne"], {}, ["--failure-mode", '"opne"', "did you mean open", "closed, open, local"]),
    ([], {"FAILURE_MODE": "sometimes"}, ["FAILURE_MODE", '"sometimes"', "closed, open, local"]),
    ([], {"WORKERS": "1e3"}, ["WORKERS", '"1e3"', "0 to 256"]),
    ([], {"DEFAULT_LIMIT": "0"}, ["DEFAULT_LIMIT", '"0"', "1 to"]),
    ([], {"DEFAULT_WINDOW": "1w"}, ["DEFAULT_WINDOW", '"1w"', "milliseconds", "1m"]),
    ([], {"REDIS_TIMEOUT_MS": "0"}, ["REDIS_TIMEOUT_MS", '"0"', "1 to 60000 ms"]),
    ([], {"LOG_FORMAT": "xml"}, ["LOG_FORMAT", '"xml"', "text, json, auto"]),
    ([], {"LOG_LEVEL": "verbose"}, ["LOG_LEVEL", '"verbose"', "debug, info, warn, error"]),
    ([], {"TRUSTED_PROXIES": "10.0.0.0/33"}, ["TRUSTED_PROXIES", "10.0.0.0/33"]),
    ([], {"TRUSTED_PROXIES": "127.0.0.1,proxy.example"}, ["TRUSTED_PROXIES", "proxy.example"]),
    ([], {"LISTEN": "here:there"}, ["LISTEN", "here:there"]),
    (["--listen", "1.2.3.4:99999"], {}, ["--listen", "1.2.3.4:99999"]),
    (["--listen", "unix:relative"], {}, ["--listen", "unix:relative"]),
    (["--listen", "unix:/" + "x" * 120], {}, ["--listen", "107"]),
    (["--listen", ":80", "--port", "81"], {}, ["--listen"]),
    (["--store", "postgres://x"], {}, ["--store", "postgres://x", "redis://"]),
    (["--store", "redis://"], {}, ["--store: ", "host"]),
    (["--store", "redis://h:99999"], {}, ["--store: ", "65535"]),
    (["--store", "redis://h/x"], {}, ["--store: ", "database"]),
    (["--store", "unix://relative"], {}, ["--store: ", "absolute"]),
    (["--rules", "/no/such/file.json"], {}, ['--rules: "/no/such/file.json": cannot be read: No such file']),
    (["--rules", "/"], {}, ['--rules: "/": cannot be read', "directory"]),
    ([], {"RATE_LIMIT_RULES_PATH": "no.json"}, ['RATE_LIMIT_RULES_PATH: "no.json": cannot be read in {directory}: No such']),
    (["--rules", "no.json"], {}, ['--rules: "no.json": cannot be read in {directory}: No such file']),
    (["--trusted-proxies", "10.0.0.0/33"], {}, ['--trusted-proxies: "10.0.0.0/33"']),
    (["--redis-tls-ca-file", "no.pem", "--store", "rediss://h"], {}, ['--redis-tls-ca-file: "no.pem"']),
    ([], {"REDIS_URL": "redis://h:99999"}, ["REDIS_URL: ", "65535"]),
    ([], {"REDIS_PASSWORD_FILE": "/no/such/secret", "REDIS_HOST": "h"}, ["REDIS_PASSWORD_FILE", "/no/such/secret"]),
    ([], {"MEMORY_MAX_KEYS": "10"}, ["MEMORY_MAX_KEYS", '"10"', "1000 to"]),
]


NAMES = [" ".join([*flags, *map("=".join, env.items())])[:60] for flags, env, _ in MISTAKES]


@pytest.mark.parametrize("flags, env, parts", MISTAKES, ids=NAMES)
@pytest.mark.parametrize("command", [[], ["--check"]], ids=["serve", "check"])
def test_an_error_prevents_the_start_and_is_reported(try_out, tmp_path, command, flags, env, parts):
    done = try_out(*flags, *command, env=env)
    assert done.returncode == 2, done.stderr
    parts = [part.replace("{directory}", str(tmp_path)) for part in parts]
    lines = done.stderr.splitlines()
    assert all(line.startswith("ratelimitd: ") for line in lines)
    assert any(all(part in line for part in parts) for line in lines), done.stderr
    assert "7f3a" not in done.stdout


def test_missing_default_rules_are_reported_with_directory_and_setting(try_out, tmp_path):
    (tmp_path / "rate_limits.json").unlink(missing_ok=True)
    done = run("--check", directory=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('ratelimitd: --rules or RATE_LIMIT_RULES_PATH: "rate_limits.json": '
                                  f"cannot be read in {tmp_path}: No such file or directory; ")


def test_an_error_in_dotenv_names_the_line(try_out):
    done = try_out("--check", dotenv="# ours\nTRUSTED_PROXIES=10.0.0.0/33\nREDIS_URL=redis://h:x\n"
                                     "RATE_LIMIT_RULES_PATH=no.json\n")
    assert done.returncode == 2
    for place in (".env:2: TRUSTED_PROXIES: ", ".env:3: REDIS_URL: ", '.env:4: RATE_LIMIT_RULES_PATH: "no.json"'):
        assert f"ratelimitd: {place}" in done.stderr


def test_all_errors_are_reported_in_one_run(try_out):
    dotenv = "PORT=http\nnot a line\nWORKERS=-1\n"
    done = try_out("--failure-mode", "no", "--frobnicate", env={"LOG_LEVEL": "loud"}, dotenv=dotenv)
    assert done.returncode == 2
    for part in (".env:1: PORT", ".env:2: ", ".env:3: WORKERS", "--failure-mode", "--frobnicate", "LOG_LEVEL"):
        assert part in done.stderr, part
    assert len(done.stderr.splitlines()) == 6


def test_errors_in_settings_and_rules_are_reported_together(try_out, tmp_path):
    (tmp_path / "bad.json").write_text('{"default": {"capacity": 0, "refill_rate": 5}}')
    done = try_out("--rules", "bad.json", "--trusted-proxies", "everybody")
    assert done.returncode == 2
    assert "capacity" in done.stderr and "everybody" in done.stderr


SECRETS = [["--store", "redis://u:s3cr3t-7f3a@h:x"], ["--store", "redis://:s3cr3t-7f3a@"],
           ["--store", "rediss:/u:s3cr3t-7f3a@h"],
           ["--redis-password", "s3cr3t-7f3a", "--redis-password", "s3cr3t-7f3a"], ["--redis-pasword=s3cr3t-7f3a"],
           ["--redis-pasword", "s3cr3t-7f3a"], ["s3cr3t-7f3a"]]


@pytest.mark.parametrize("flags", SECRETS)
def test_a_password_is_never_repeated(try_out, flags):
    done = try_out(*flags)
    assert done.returncode == 2
    assert "7f3a" not in done.stderr + done.stdout


def test_check_serves_nothing_and_reports_success(try_out):
    done = try_out("--check", "--store", "redis://127.0.0.1:1", "--port", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 rule;" in done.stdout and len(done.stdout.splitlines()) == 2


def test_check_accepts_the_shipped_rules(try_out):
    assert try_out("--check", "--rules", str(REPOSITORY / "rate_limits.json")).returncode == 0


def test_check_counts_the_rules_reached_only_by_name(try_out, tmp_path):
    limit = '"capacity": 20, "refill_rate": 5'
    (tmp_path / "named.json").write_text(f'{{"a": {{{limit}}}, "b": {{{limit}}}, "default": {{{limit}}}}}')
    done = try_out("--check", "--rules", "named.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 rules, 2 of them without a match, reached by name only; " in done.stdout


def test_print_config_shows_each_setting_with_its_source(try_out):
    done = try_out("--print-config", "--port", "8001", env={"WORKERS": "3", "REDIS_URL": "redis://u:s3cr3t@h:1/2"},
                   dotenv="LOG_LEVEL=debug\n")
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line.split("=")[0]: line for line in done.stdout.splitlines() if "=" in line}
    assert re.fullmatch(r"PORT=8001 +# flag", lines["PORT"])
    assert re.fullmatch(r"WORKERS=3 +# environment", lines["WORKERS"])
    assert re.fullmatch(r"LOG_LEVEL=debug +# \.env:1", lines["LOG_LEVEL"])
    assert re.fullmatch(r"FAILURE_MODE=closed +# default", lines["FAILURE_MODE"])
    assert "s3cr3t" not in done.stdout and "h:1/2" in lines["REDIS_URL"]


def test_the_output_of_print_config_is_a_dotenv(try_out, tmp_path):
    first = try_out("--print-config", "--port", "8001", "--failure-mode", "open", "--store", "memory")
    second = try_out("--print-config", dotenv=first.stdout)
    assert second.returncode == 0
    assert [line.split(" #")[0].strip() for line in first.stdout.splitlines()] == [
        line.split(" #")[0].strip() for line in second.stdout.splitlines()]


def test_version_and_help_work_despite_other_errors(try_out):
    for flags in ([], ["--frobnicate"], ["--port", "x"], ["--rules", "/none"]):
        for flag in ("--version", "-V"):
            done = try_out(*flags, flag, env={"WORKERS": "x"})
            assert (done.returncode, done.stderr) == (0, "")
            assert re.fullmatch(r"ratelimitd \d+\.\d+\.\d+\n", done.stdout)
        assert try_out(*flags, "-h").stdout == try_out(*flags, "--help").stdout
        done = try_out(*flags, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert all(flag in done.stdout for flag in ("--store", "--rules", "--listen", "--check", "healthcheck", "-h, --help"))
        assert all(len(line) <= 100 for line in done.stdout.splitlines())


def test_the_table_in_the_documentation_is_the_binary_s_own(try_out):
    table = try_out("--help=markdown").stdout
    assert table.strip() in (REPOSITORY / "docs/configuration.md").read_text()


def test_an_unreadable_dotenv_is_an_error(try_out, tmp_path):
    os.mkdir(tmp_path / ".env")
    done = try_out()
    assert (done.returncode, ".env" in done.stderr) == (2, True)


def test_empty_variables_are_not_set(try_out):
    assert try_out("--check", env={"PORT": "", "REDIS_URL": "", "WORKERS": ""}, dotenv="LOG_LEVEL=\n").returncode == 0


def test_a_misspelt_variable_gets_a_warning_with_its_name_only(try_out, serve):
    done = try_out("--check", env={"REDIS_URI": "redis://:s3cr3t-7f3a@h"}, dotenv="REDIS_PASWORD=s3cr3t-7f3a\n")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "ratelimitd: warning: REDIS_URI: no setting has this name, so it is ignored; did you mean REDIS_URL?",
        "ratelimitd: warning: .env:1: REDIS_PASWORD: no setting has this name, so it is ignored; "
        "did you mean REDIS_PASSWORD?"]
    service = serve(env={"REDIS_URI": "redis://:s3cr3t-7f3a@h"}, workers=1)
    assert any(message.startswith("REDIS_URI: ") for message in service.messages())
    assert "7f3a" not in done.stderr + service.log()


def test_the_example_dotenv_gets_no_warning(try_out):
    lines = re.findall(r"^#?([A-Z_]+=.+)$", (REPOSITORY / ".env.example").read_text(), re.MULTILINE)
    assert len(lines) > 10
    assert "warning" not in try_out("--check", dotenv="\n".join(lines) + "\n").stderr


def test_a_kubernetes_service_named_redis_is_ignored(try_out):
    env = {"REDIS_PORT": "tcp://10.0.0.11:6379", "REDIS_SERVICE_HOST": "10.0.0.11"}
    assert try_out("--check", env=env).returncode == 0
