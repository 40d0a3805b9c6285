"""redis-server as a process of its own, and a client of a few lines to look into it."""
import pathlib
import signal
import socket
import tempfile

import processes
import service
from ports import free_port
from waiting import wait_for


class RedisError(Exception):
    pass


class RedisServer:
    """Keeps its port over stop and start, and forgets its data. options: lines of redis.conf, as a dict."""

    def __init__(self, options=None, start=True):
        self.directory = tempfile.TemporaryDirectory(prefix="ratelimitd-redis-")
        self.path = pathlib.Path(self.directory.name)
        self.socket_path = str(self.path / "redis.sock")
        self.options = options or {}
        self.port = free_port()
        self.process = None
        self.client = None
        self._stderr = open(self.path / "stderr", "w+b")
        if start:
            self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    @property
    def unix_url(self):
        return f"unix://{self.socket_path}"

    def start(self):
        options = {"bind": "127.0.0.1", "port": self.port, "unixsocket": self.socket_path, "save": "",
                   "appendonly": "no", "daemonize": "no", "dir": self.directory.name, **self.options}
        command = ["redis-server"]
        for name, value in options.items():
            command += [f"--{name}", *(value if isinstance(value, list) else [str(value)])]
        pathlib.Path(self.socket_path).unlink(missing_ok=True)
        self.process = processes.start(command, self._stderr, service.environment(), self.path)
        wait_for(self._answers, "redis-server answers")

    def _answers(self):
        assert self.process.poll() is None, "redis-server did not start"
        try:
            if self.client:
                self.client.close()
            self.client = RedisClient(self.socket_path)
            reply = self.client.command("PING")
            return reply == "PONG"
        except OSError:
            return False
        except RedisError as error:  # an error is an answer, unless it is still loading
            return "LOADING" not in str(error)

    def command(self, *words):
        return self.client.command(*words)

    def keys(self):
        """Without that by which nodes see each other, which comes by itself."""
        return sorted(key for key in self.command("KEYS", "*") if key != "rl:{nodes}")

    def kill(self):
        """As a crash does."""
        processes.kill(self.process)

    def restart(self):
        self.kill()
        self.start()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def finish(self):
        if self.process:
            self.kill()
        if self.client:
            self.client.close()
        self._stderr.close()
        self.directory.cleanup()


class RedisClient:
    """RESP2 over a Unix socket. Bulk replies are str, with what is no UTF-8 escaped."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def command(self, *words):
        data = b"*%d\r\n" % len(words)
        for word in words:
            word = word if isinstance(word, bytes) else str(word).encode()
            data += b"$%d\r\n%s\r\n" % (len(word), word)
        self.socket.sendall(data)
        return self._reply()

    def _reply(self):
        line = self.file.readline()
        if not line:
            raise ConnectionResetError("redis-server closed the connection")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise RedisError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self.file.read(int(rest) + 2)[:-2].decode("utf-8", "backslashreplace")
        if kind == b"*":
            return None if rest == "-1" else [self._reply() for _ in range(int(rest))]
        return rest
