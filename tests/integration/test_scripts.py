"""The scripts that a newcomer calls: their help and their arguments, before anything is installed or built."""
import pathlib
import shutil
import stat

import pytest

import processes
import service
from service import REPOSITORY

SCRIPTS = ["scripts/image-root", "scripts/lint", "scripts/load", "scripts/setup", "scripts/smoke", "scripts/test",
           "scripts/try", ".ci/run", "tests/packages/run"]
TOOLS = ("apt-get", "sudo", "cmake", "ctest", "docker", "docker-compose", "go", "curl")


class Checkout:
    """A copy of the scripts, and a PATH where the tools that install and build only note that they were called."""

    def __init__(self, directory):
        self.root = directory / "checkout"
        self.tools = directory / "tools"
        self.calls = directory / "calls"
        shutil.copytree(REPOSITORY / "scripts", self.root / "scripts")
        shutil.copytree(REPOSITORY / ".ci", self.root / ".ci")
        shutil.copytree(REPOSITORY / "tests/packages", self.root / "tests/packages")
        self.tools.mkdir()
        for name in TOOLS:
            self.write_tool(name, f'echo "{name} $*" >>"{self.calls}"')

    def write_tool(self, name, line):
        self.write_program(self.tools / name, line)

    @staticmethod
    def write_program(path, line):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, *command):
        environment = service.environment()
        environment["PATH"] = f"{self.tools}:{environment['PATH']}"
        return processes.run([self.root / command[0], *command[1:]], environment, self.root, within_s=60)

    def called(self):
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def built(self):
        return (self.root / "build").exists()


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_these_are_all_scripts():
    found = {f"scripts/{path.name}" for path in (REPOSITORY / "scripts").iterdir() if path.name != "common.bash"}
    assert found == {script for script in SCRIPTS if script.startswith("scripts/")} | {"scripts/run"}


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_the_comment_at_the_head_of_the_script(checkout, script, flag):
    result = checkout.run(script, flag)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"Usage: {script}")
    head = (REPOSITORY / script).read_text().split("\n\n")[0]
    assert result.stdout.splitlines() == [line[2:] for line in head.splitlines()[2:]]
    assert checkout.called() == [] and not checkout.built()


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_unknown_option_is_refused_with_the_usage(checkout, script):
    result = checkout.run(script, "--hepl")
    assert result.returncode == 2
    name = pathlib.Path(script).name
    assert result.stderr.startswith(f"{name}: unknown option: --hepl\nUsage: {script}")
    assert checkout.called() == [] and not checkout.built()


@pytest.mark.parametrize("command", [
    ["scripts/image-root", "binary"], ["scripts/image-root", "binary", "directory", "more"], ["scripts/lint", "src"],
    ["scripts/load", "1", "2"], ["scripts/load", "long"], ["scripts/setup", "everything"], ["scripts/smoke", "now"],
    ["scripts/test", "one", "two"], ["scripts/try", "http://localhost:1", "more"], [".ci/run", "fast"],
    ["tests/packages/run", "now"]])
def test_arguments_that_make_no_sense_are_refused_with_the_usage(checkout, command):
    result = checkout.run(*command)
    assert result.returncode == 2
    assert f"Usage: {command[0]}" in result.stderr
    assert checkout.called() == [] and not checkout.built()


# scripts/run hands its flags to the service.

def provide_binary(checkout):
    checkout.write_program(checkout.root / "build/release/ratelimitd", 'echo "the service: $*"')


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_run_shows_the_flags_of_a_service_that_is_built_without_building_it(checkout, flag):
    provide_binary(checkout)
    result = checkout.run("scripts/run", flag)
    assert (result.returncode, result.stdout, result.stderr) == (0, "the service: --help\n", "")
    assert checkout.called() == []


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_run_shows_its_own_manual_where_nothing_is_built(checkout, flag):
    result = checkout.run("scripts/run", flag)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: scripts/run [FLAG]...\n") and "docs/configuration.md" in result.stdout
    assert checkout.called() == [] and not checkout.built()


def test_run_says_that_it_builds(checkout):
    provide_binary(checkout)
    (checkout.root / "build/hiredis").mkdir()  # else setup looks for one that has TLS
    result = checkout.run("scripts/run", "--port", "1")
    assert "run: building ratelimitd (release) ..." in result.stderr
    assert result.stdout == f"the service: --port 1 --store memory --rules {checkout.root}/rate_limits.json\n"
    assert [call for call in checkout.called() if call.startswith("cmake ")] == [
        "cmake --preset release", "cmake --build --preset release --target ratelimitd"]


def test_run_shows_why_it_does_not_build(checkout):
    provide_binary(checkout)
    (checkout.root / "build/hiredis").mkdir()
    checkout.write_tool("cmake", "echo 'no such compiler'; exit 1")
    result = checkout.run("scripts/run")
    assert result.returncode == 1
    assert "no such compiler" in result.stderr and result.stdout == ""


def test_setup_names_the_packages_and_the_program_that_installs_them(checkout):
    checkout.write_tool("pkg-config", "exit 1")
    checkout.write_tool("id", "echo 1000")
    checkout.write_tool("sudo", f'cat >/dev/null; echo "sudo $*" >>"{checkout.calls}"')
    (checkout.root / "build/hiredis").mkdir(parents=True)
    result = checkout.run("scripts/setup", "run")
    assert result.returncode == 0, result.stderr
    packages = "libmicrohttpd-dev libhiredis-dev libcjson-dev libevent-dev libssl-dev"
    assert result.stderr == f"setup: installing with apt-get: {packages}\n"
    install = f"apt-get install -y --no-install-recommends {packages}"
    assert f"sudo env DEBIAN_FRONTEND=noninteractive {install}" in checkout.called()


def test_setup_says_that_it_may_not_write_to_the_directory_of_builds(checkout):
    (checkout.root / "build").write_text("")  # for root, too
    result = checkout.run("scripts/setup", "run")
    assert result.returncode == 1
    assert f"may not write to {checkout.root}/build; run this as its owner" in result.stderr
    assert checkout.called() == []


@pytest.mark.skipif(shutil.which("sudo"), reason="this machine has sudo")
def test_setup_says_what_to_run_where_it_may_not_install(checkout):
    checkout.write_tool("pkg-config", "exit 1")
    checkout.write_tool("id", "echo 1000")
    (checkout.root / "build/hiredis").mkdir(parents=True)
    (checkout.tools / "sudo").unlink()
    result = checkout.run("scripts/setup", "run")
    assert result.returncode == 1
    assert "setup: missing packages: libmicrohttpd-dev" in result.stderr
    assert "run as root: apt-get install -y --no-install-recommends libmicrohttpd-dev" in result.stderr
