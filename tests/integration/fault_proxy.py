"""A proxy in front of a Redis that does to the bytes what bad networks do, when the test says so.

    service ──► requests ──► Redis          proxy.replies = one_byte_at_a_time
    service ◄── replies ◄─── Redis          proxy.refuse(), proxy.accept(), proxy.cut()

Each direction has a behaviour: a function of a pipe and the bytes that came, which sends what it likes. It may be
exchanged at any time and holds for the connections that are open as well.
"""
import io
import socket
import threading
import time

import pytest


def forward(pipe, data):
    pipe.send(data)


def swallow(pipe, data):  # pylint: disable=unused-argument
    """A black hole: taken, and never seen again. Nor is what comes later on this connection."""
    pipe.connection.dead = True


def one_byte_at_a_time(pipe, data):
    for byte in data:
        pipe.send(bytes([byte]))


def late_by(delay_s):
    """Everything arrives so much later; what comes meanwhile arrives together."""
    def behave(pipe, data):
        time.sleep(delay_s)  # of the network, not of the test
        pipe.send(data)
    return behave


def cut_after(count):
    """Lets that many bytes through, of all connections together, then ends the connection."""
    left = [count]

    def behave(pipe, data):
        pipe.send(data[:left[0]])
        left[0] -= len(data)
        if left[0] <= 0:
            pipe.cut()
    return behave


def instead(nonsense):
    """Sends this for every reply."""
    return lambda pipe, data: pipe.send(nonsense)


class Gate:
    """A behaviour that holds bytes back while it is shut, and loses none."""

    def __init__(self):
        self._open = threading.Event()
        self._open.set()
        self.held = threading.Event()  # something waits

    def __call__(self, pipe, data):
        if not self._open.is_set():
            self.held.set()
            self._open.wait()
        pipe.send(data)

    def shut(self):
        self.held.clear()
        self._open.clear()

    def open(self):
        self._open.set()


class _Connection:
    dead = False


class Pipe:
    """One direction of one connection."""

    def __init__(self, connection, source, target):
        self.connection, self.source, self.target = connection, source, target

    def send(self, data):
        if not self.connection.dead:
            self.target.sendall(data)

    def cut(self):
        for end in (self.source, self.target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is over already


class FaultProxy:
    """target: a port of this machine. Keeps its own port while it refuses."""

    def __init__(self, target):
        self.target = target
        self.requests = self.replies = forward
        self.accepted = 0
        self._pipes, self._recorded, self._lock = [], [], threading.Lock()
        self._listener = None
        self.port = 0
        self.accept()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    # What it does to connections.

    def accept(self):
        listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = listener.getsockname()[1]
        with self._lock:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def refuse(self):
        """No new connections; those that are open end, and those that are just being accepted."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # else the thread in accept would keep the socket listening
            listener.close()
        self.cut()

    def cut(self):
        with self._lock:
            pipes, self._pipes = self._pipes, []
        for pipe in pipes:
            pipe.cut()

    finish = refuse

    # What went through.

    def commands(self):
        """Every whole command that the service has sent, whether it was let through or not: lists of words.

        Without those about overrides and nodes, which come by themselves.
        """
        with self._lock:
            streams = [bytes(stream) for stream in self._recorded]
        return [words for stream in streams for words in parse_commands(stream) if not {b"rl:{overrides}", b"rl:{nodes}"} & set(words)]

    def takes(self):
        """(requests, keys) of every EVALSHA and EVAL."""
        return [requests_in(words) for words in self.commands() if words[0] in (b"EVALSHA", b"EVAL")]

    def _accept(self, listener):
        while True:
            try:
                source, _ = listener.accept()
            except OSError:
                return  # it refuses
            try:
                target = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                source.close()
                continue
            for end in (source, target):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(listener, source, target)

    def _start(self, listener, source, target):
        record, connection = bytearray(), _Connection()
        pipes = [Pipe(connection, source, target), Pipe(connection, target, source)]
        with self._lock:
            if self._listener is not listener:
                source.close()
                target.close()
                return
            self.accepted += 1
            self._recorded.append(record)
            self._pipes += pipes
        threading.Thread(target=self._pump, args=(pipes[0], "requests", record), daemon=True).start()
        threading.Thread(target=self._pump, args=(pipes[1], "replies", None), daemon=True).start()

    def _pump(self, pipe, direction, record):
        try:
            while data := pipe.source.recv(65536):
                if record is not None:
                    with self._lock:
                        record += data
                getattr(self, direction)(pipe, data)
        except OSError:
            pass  # one of the ends has closed
        pipe.cut()
        pipe.source.close()


def parse_commands(stream):
    """The whole commands in these bytes."""
    file, commands = io.BytesIO(stream), []
    while (line := file.readline()).startswith(b"*") and line.endswith(b"\r\n"):
        words = []
        for _ in range(int(line[1:])):
            size = file.readline()
            word = file.read(int(size[1:]) + 2) if size.endswith(b"\r\n") else b""
            if not word.endswith(b"\r\n"):
                return commands
            words.append(word[:-2])
        commands.append(words)
    return commands


def requests_in(words):
    """How many requests the command of take.lua decides, and on how many keys."""
    keys = int(words[2])
    place, requests = 3 + keys + 2, 0
    for _ in range(int(words[3 + keys + 1])):
        place += 1 + 4 * int(words[place])
    while place < len(words):
        count, in_a_row = int(words[place + 2]), int(words[place + 3])
        requests += count * in_a_row
        place += 4
    return requests, keys


@pytest.fixture
def start_proxy():
    """start_proxy(port) puts a FaultProxy in front of it."""
    started = []

    def start(port):
        started.append(FaultProxy(port))
        return started[-1]
    yield start
    for proxy in started:
        proxy.finish()
