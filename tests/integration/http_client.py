"""An HTTP client that sends the very bytes it is told to, and believes nothing about the answer."""
import json
import socket

TIMEOUT_S = 20  # how long a broken service is waited for


class ConnectionEnded(Exception):
    """The server closed the connection where an answer was due."""


class Response:
    def __init__(self, version, status, reason, headers, body):
        self.version, self.status, self.reason, self.headers, self.body = version, status, reason, headers, body

    def values(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def __contains__(self, name):
        return bool(self.values(name))

    def __getitem__(self, name):
        """The value of a header that must be there once."""
        values = self.values(name)
        assert len(values) == 1, f"{name} appears {len(values)} times in {self}"
        return values[0]

    def get(self, name):
        return self[name] if name in self else None

    @property
    def closes(self):
        return self.get("Connection") == "close"

    def json(self):
        assert self["Content-Type"] in ("application/json", "application/problem+json"), self
        return json.loads(self.body)

    def raw(self):
        """What a client gets to see, as bytes."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"{self.status} {self.reason}\r\n{lines}\r\n".encode("latin-1") + self.body

    def __repr__(self):
        return f"<{self.version} {self.status} {self.reason} {self.headers} {self.body!r}>"


def request_bytes(method, path, headers=(), body=None, host="test"):
    """A well-formed HTTP/1.1 request. headers: a dict or a list of pairs; str or bytes; host None: no Host."""
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    if host is not None:
        pairs.insert(0, ("Host", host))
    if body is not None and not any(name == "Transfer-Encoding" for name, _ in pairs):
        pairs.append(("Content-Length", str(len(body))))
    lines = [f"{method} {path} HTTP/1.1".encode("latin-1")]
    lines += [_bytes(name) + b": " + _bytes(value) for name, value in pairs]
    return b"\r\n".join(lines) + b"\r\n\r\n" + _bytes(body or b"")


def chunked(*pieces):
    """A chunked body of these pieces."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


class Connection:
    """One connection. address: (host, port), or the path of a Unix socket."""

    def __init__(self, address, source=None, timeout_s=TIMEOUT_S):
        self.received = b""
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout_s)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout_s, (source, 0) if source else None)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """False if the server does not take it any more."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def _receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.received += data
        return data

    def _take(self, count):
        while len(self.received) < count:
            if not self._receive():
                raise ConnectionEnded(f"after {self.received!r}")
        taken, self.received = self.received[:count], self.received[count:]
        return taken

    def read_response(self, head=False, interim=False):
        """The next answer; head: of a HEAD request. 100 Continue is passed over unless interim is set."""
        while b"\r\n\r\n" not in self.received:
            if not self._receive():
                raise ConnectionEnded(f"after {self.received!r}")
        start, *lines = self._take(self.received.index(b"\r\n\r\n") + 4)[:-4].decode("latin-1").split("\r\n")
        version, status, reason = start.split(" ", 2)
        headers = []
        for line in lines:
            name, colon, value = line.partition(":")
            assert colon and name and name == name.strip(), f"not a header: {line!r}"
            headers.append((name, value.strip()))
        response = Response(version, int(status), reason, headers, b"")
        if response.status == 100:
            return response if interim else self.read_response(head)
        length = int(response["Content-Length"])
        if not head:
            response.body = self._take(length)
        return response

    def request(self, method, path, headers=(), body=None, host="test"):
        self.send(request_bytes(method, path, headers, body, host))
        return self.read_response(head=method == "HEAD")

    def get(self, path, headers=()):
        return self.request("GET", path, headers)

    def post(self, path, headers=(), body=b""):
        return self.request("POST", path, headers, body)

    def pipeline(self, requests):
        """Sends all at once, then reads as many answers."""
        self.send(b"".join(requests))
        return [self.read_response() for _ in requests]

    def rest(self):
        """Waits until the server closes; returns what it has sent beyond the answers that were read."""
        while self._receive():
            pass
        return self.received

    def ends(self):
        """Waits until the server closes; whatever it still sends is thrown away."""
        try:
            while self.socket.recv(65536):
                pass
            return True
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False
