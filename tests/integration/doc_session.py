"""One shell for the commands of one page: typed in their order, in a copy of the repository's tree, on ports of its own."""
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import tempfile

import service
from ports import free_port
from waiting import wait_for

COMMAND_S = 60  # none hangs longer
SERVE_S = 30    # and nothing takes longer to serve

# The ports that the pages speak of. Each page gets free ones in their place, and its output is turned back.
PORTS = (3000, 6379, 6380, 8000, 8001, 8002, 8003, 8080)
_PORT = re.compile(r"\b(%s)\b" % "|".join(map(str, PORTS)))

# What is another one in every run. Both sides are brought to the same text before they are compared.
VARIES = [(re.compile(pattern), text) for pattern, text in [
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "DATE"),
    (r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"(X-RateLimit-Reset|Retry-After|Content-Length): \d+", r"\1: N"),
    (r'"(retry_after|reset_after|retry_after_ms|reset_after_ms)": ?\d+', r'"\1": N'),
    (r'"durationUntilReset": ?"\d+s"', '"durationUntilReset":"N"'),
    (r"\bt=\d+", "t=N"),
    (r"\bratelimitd \d+\.\d+\.\d+\b", "ratelimitd VERSION"),
    (r"\b\d+ workers?\b", "N workers"),
]]


def normal(line):
    for pattern, text in VARIES:
        line = pattern.sub(text, line)
    return line.rstrip()


def is_as_printed(expected, found):
    """Whether the lines of a page, with its `...`, are those that were found."""
    pattern = ""
    for line in expected:
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in normal(line).split("...")) + "\n"
    return re.fullmatch(pattern, "".join(normal(line) + "\n" for line in found)) is not None


def is_listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Session:
    def __init__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="ratelimitd-docs-")
        self._outputs = tempfile.TemporaryDirectory(prefix="ratelimitd-docs-output-")
        self.directory = pathlib.Path(self._temporary.name)
        self.ports = {port: free_port() for port in PORTS}
        self._make_tree()
        self._shells = []
        self._count = 0
        self._main = self._shell()

    def _make_tree(self):
        """The repository by links, but for the places that a page or its commands write to."""
        for entry in service.REPOSITORY.iterdir():
            if entry.name not in ("build", "deploy", ".git", ".env", "rate_limits.json"):
                (self.directory / entry.name).symlink_to(entry)
        for entry in ("rate_limits.json", *(str(file.relative_to(service.REPOSITORY)) for file in
                                            (service.REPOSITORY / "deploy").rglob("*") if file.is_file())):
            self.write(entry, (service.REPOSITORY / entry).read_text())
        self.write(".curlrc", "no-progress-meter\n")  # as on a terminal
        self.write("build/release/.keep", "")
        (self.directory / "build/release/ratelimitd").symlink_to(pathlib.Path(service.BINARY).resolve())

    def _environment(self):
        environment = service.environment({
            # As on a terminal, and for who names no port.
            "LOG_FORMAT": "text", "PORT": str(self.ports[8000]),
            "ADMIN_LISTEN": f"127.0.0.1:{self.ports[8001]}", "REDIS_PORT": str(self.ports[6379]),
            "RATELIMITD": str(pathlib.Path(service.BINARY).resolve()), "HOME": str(self.directory)})
        environment["PATH"] = f"{self.directory}/build/release:{environment['PATH']}:/usr/sbin:/sbin"
        return environment

    def _shell(self):
        reader, writer = os.pipe()
        shell = subprocess.Popen(["bash", "--norc", "-m", "-s"], stdin=subprocess.PIPE, env=self._environment(),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.directory,
                                 pass_fds=[writer], start_new_session=True)
        os.close(writer)
        self._shells.append(shell)
        return shell, open(reader, encoding="ascii"), writer

    def _mine(self, text):
        return _PORT.sub(lambda match: str(self.ports[int(match.group())]), text)

    def _theirs(self, text):
        for theirs, mine in self.ports.items():
            text = re.sub(rf"\b{mine}\b", str(theirs), text)
        return text

    def write(self, name, text):
        """A file of the tree, the page's ports replaced."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._mine(text))

    def _type(self, shell, text):
        """Has a shell run the text. Returns the file that its output goes to."""
        process, _, writer = shell
        self._count += 1
        command = pathlib.Path(self._outputs.name) / f"{self._count}"
        output = command.with_suffix(".output")
        command.write_text(self._mine(text) + "\n")
        output.touch()
        process.stdin.write(f'eval "$(<{command})" >{output} 2>&1 </dev/null; echo $? >&{writer}\n'.encode())
        process.stdin.flush()
        return output

    def _lines(self, output):
        return self._theirs(output.read_text("utf-8", "backslashreplace")).splitlines()

    def run(self, text):
        """The exit status and the lines of output of a command; of one that ends in `&`, once it serves."""
        status, output = self._typed(text)
        if text.startswith("kill %"):
            self._typed(text.replace("kill", "wait", 1))  # who types the next line is slower than a signal
        if text.rstrip().endswith("&"):
            self._await_server(text, output)
            return status, []
        return status, self._lines(output)

    def _typed(self, text):
        """Has the page's shell run the text to its end: its exit status, and where its output is."""
        output = self._type(self._main, text)
        _, statuses, _ = self._main
        ready, _, _ = select.select([statuses], [], [], COMMAND_S)
        assert ready, f"it hangs: {text}"
        return int(statuses.readline()), output

    def keep_running(self, text, expected):
        """Runs a command in a terminal of its own until it has printed what is expected, and serves."""
        output = self._type(self._shell(), text)
        if expected:
            wait_for(lambda: is_as_printed(expected, self._lines(output)), f"{text} prints what the page says", SERVE_S)
        self._await_server(text, output)

    def _await_server(self, text, output):
        port = self._port_of(text)
        if port:
            wait_for(lambda: is_listening(port), f"{text} serves", SERVE_S)

    def _port_of(self, text):
        """Where a command that serves will listen."""
        named = re.search(r"(?:--port[= ]|\bPORT=|--listen[= ]\S*?:?|http\.server )(\d+)\b", text)
        if named:
            return int(self._mine(named.group(1)))
        words = {"ratelimitd": 8000, "scripts/run": 8000, "redis-server": 6379, "haproxy": 8080, "nginx": 8080,
                 "caddy": 8080}
        return next((self.ports[port] for word, port in words.items() if re.match(rf"(\w+=\S* )*{word}\b", text)), None)

    def finish(self):
        """Ends all that its shells have started."""
        for shell in self._shells:
            self._end(shell.pid)
            shell.stdin.close()
            shell.wait()
        self._temporary.cleanup()
        self._outputs.cleanup()

    @staticmethod
    def _end(session):
        """Kills every process of a session: jobs have groups of their own in it."""
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == session:
                    os.kill(int(stat.parent.name), signal.SIGKILL)
            except (OSError, ValueError):
                pass  # it has just ended
