"""ratelimitd as a process: started, asked, stopped, and its exit and its log looked at."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import http_client
import processes
from waiting import wait_for

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("RATELIMITD", str(REPOSITORY / "build/asan/ratelimitd"))
STOP_S = 10  # containers wait no longer
# The default deadline, 100 ms, passes on a busy machine. A test that is about deadlines sets its own.
PATIENT = {"REDIS_TIMEOUT_MS": "60000"}

_SERVES = re.compile(r"serves on (.+?): \d+ rules? from")
_ADMIN = re.compile(r"admin listener on ([^\s\"]+)")
_SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed")


def environment(extra=None):
    """Of the caller's, only what the system needs: no setting gets in by accident. No two services have one admin port."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")
            if name in os.environ}
    return {**kept, "ADMIN_LISTEN": "off", **(extra or {})}


def run(*arguments, env=None, directory, prefix=()):
    """Runs ratelimitd to its end. For the commands, and for what does not start."""
    return processes.run([*prefix, BINARY, *arguments], environment(env), directory)


def _unread_bytes(port):
    """What lies in the queues of the sockets of a port of this machine; proc(5), net/tcp."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[4].split(":")[1], 16) for row in rows if int(row[1].split(":")[1], 16) == port)


def _address_of(display):
    """What the log shows as an address, as http_client takes it."""
    found = re.fullmatch(r"http://.*:(\d+)", display)
    return ("127.0.0.1", int(found.group(1))) if found else display.removeprefix("unix:")


class Service:
    """
    Serves as soon as the constructor returns.

    rules: what the rules file holds; None: the repository's; a str: the file's text.
    env: settings; REDIS_TIMEOUT_MS is long unless it is given. listen: None where HOST and PORT, in env say, decide.
    admin: the address of the admin listener; None where env decides, which has none else.
    wrapper: a command in front of ratelimitd's.
    """

    def __init__(self, store="memory", rules=None, flags=(), env=None, listen="127.0.0.1:0", workers=2, admin=None,
                 wrapper=(), pass_fds=(), umask=-1, dotenv=None):
        self.directory = tempfile.TemporaryDirectory(prefix="ratelimitd-")
        self.path = pathlib.Path(self.directory.name)
        self.connections = []
        self._kept = None
        command = [*wrapper, BINARY, *flags]
        if store is not None:
            command += ["--store", store]
        if listen is not None:
            command += ["--listen", listen]
        if admin is not None:
            command += ["--admin-listen", admin]
        if workers is not None:
            command += ["--workers", str(workers)]
        self.write_rules(rules)
        if dotenv is not None:
            (self.path / ".env").write_text(dotenv)
        self._stderr = open(self.path / "stderr", "w+b")
        self.process = processes.start(command, self._stderr, environment({**PATIENT, **(env or {})}), self.path,
                                       pass_fds, umask)
        try:
            self.display = wait_for(self._started, "ratelimitd serves", 30)
        except AssertionError:
            processes.kill(self.process)
            raise
        self.address = _address_of(self.display)
        self.port = self.address[1] if isinstance(self.address, tuple) else None
        admin = _ADMIN.search(self.log())
        self.admin_address = _address_of(admin.group(1)) if admin else None

    def write_rules(self, rules):
        if rules is None:
            rules = (REPOSITORY / "rate_limits.json").read_text()
        (self.path / "rate_limits.json").write_text(rules if isinstance(rules, str) else json.dumps(rules))

    def _started(self):
        found = _SERVES.search(self.log())
        if found:
            return found.group(1)
        assert self.process.poll() is None, f"it did not start: {self.log()}"
        return None

    # What it says.

    def log_bytes(self):
        return (self.path / "stderr").read_bytes()

    def log(self):
        return self.log_bytes().decode("utf-8", "backslashreplace")

    def messages(self):
        """The messages of the log, each line of which must be a JSON object."""
        return [json.loads(line)["message"] for line in self.log().splitlines()]

    def says(self, text):
        wait_for(lambda: text in self.log(), f"{text!r} in the log")

    # Asking it.

    def connect(self, source=None, timeout_s=http_client.TIMEOUT_S):
        connection = http_client.Connection(self.address, source, timeout_s)
        self.connections.append(connection)
        return connection

    def admin(self, method, path, headers=(), body=None, host="localhost"):
        """Asks the admin listener, on a connection of its own."""
        with http_client.Connection(self.admin_address) as connection:
            return connection.request(method, path, headers, body, host)

    def request(self, method, path, headers=(), body=None):
        """On one connection that is kept for as long as the service keeps it: so by one and the same worker."""
        if self._kept is None:
            self._kept = self.connect()
        response = self._kept.request(method, path, headers, body)
        if response.closes:
            self.close_kept()
        return response

    def close_kept(self):
        """The connection of these, if there is one."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def get(self, path, headers=()):
        return self.request("GET", path, headers)

    def post(self, path, headers=(), body=b""):
        return self.request("POST", path, headers, body)

    def statuses(self, count, path, headers=(), method="GET"):
        return [self.request(method, path, headers, None if method == "GET" else b"").status for _ in range(count)]

    def health(self):
        return self.get("/health").json()

    def lets_nobody_in(self):
        """Whether it does not listen any more."""
        try:
            self.connect().close()
        except OSError:
            return True
        return False

    def catch_up_bytes(self):
        """Returns when all that was sent to its port has been read."""
        wait_for(lambda: _unread_bytes(self.port) == 0, "it has read all")

    def catch_up(self):
        """Returns when all that was sent to its port has been read, and the turns of the loop that did are over."""
        self.catch_up_bytes()
        for _ in range(2):
            assert self.get("/health").status == 200

    # Ending it.

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, within_s=STOP_S):
        """The exit status; negative: a signal's number."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it was still there after {within_s} s") from None

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def finish(self):
        """The end of every test: what is still running must end well, and no sanitizer may have found anything."""
        for connection in self.connections:
            connection.close()
        try:
            if self.process.poll() is None:
                status = self.stop()
                assert status == 0, f"SIGTERM ended it with {status}"
            assert not (found := _SANITIZER.search(self.log())), found.group()
        finally:
            processes.kill(self.process)
            print(f"--- stderr of ratelimitd {self.process.pid}, exit status {self.process.returncode}")
            print(self.log())
            self._stderr.close()
            self.directory.cleanup()
