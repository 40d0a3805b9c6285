"""A Redis that enters politely and then misbehaves."""
import socket
import struct
import threading


class FakeRedis:
    """
    Answers AUTH, SELECT, CLIENT and SCRIPT as Redis does, and has no overrides and no other nodes. For every other
    command it calls behaviour(connection), which may send whatever it likes: connection is a socket. greeting, where it
    is not None, is sent to who connects, who is then left without answers. Set .behaviour and .greeting to change them
    while it runs.
    """

    def __init__(self, behaviour=lambda connection: None, greeting=None):
        self.behaviour, self.greeting = behaviour, greeting
        self.nodes_reply = b":0\r\n"
        self.commands = []  # (name, ...) of everything that came, in order
        self.node_commands = []  # likewise, of those about nodes, which are answered by nodes_reply
        self.first_bytes = b""  # of the first connection
        self._connections = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # finished
            self._connections.append(connection)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection):
        try:
            if self.greeting is not None:
                connection.sendall(self.greeting)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)
                return
            self.first_bytes = self.first_bytes or connection.recv(16, socket.MSG_PEEK)
            with connection.makefile("rb") as file:
                while words := self._read_command(file):
                    if b"rl:{overrides}" in words:
                        connection.sendall(b":0\r\n")  # nothing has changed
                        continue
                    if b"rl:{nodes}" in words:
                        self.node_commands.append(words)
                        connection.sendall(self.nodes_reply)
                        continue
                    self.commands.append(words)
                    self._answer(connection, words)
        except (OSError, ValueError):
            pass  # the service closed it, or the test did
        finally:
            connection.close()

    def _answer(self, connection, words):
        name = words[0].upper()
        if name in (b"AUTH", b"SELECT", b"CLIENT"):
            connection.sendall(b"+OK\r\n")
        elif name == b"SCRIPT":
            connection.sendall(b"$40\r\n%s\r\n" % (b"0" * 40))
        else:
            self.behaviour(connection)

    @staticmethod
    def _read_command(file):
        line = file.readline()
        if not line.startswith(b"*"):
            return None
        words = []
        for _ in range(int(line[1:])):
            size = int(file.readline()[1:])
            words.append(file.read(size + 2)[:-2])
        return words

    def send_to_all(self, data):
        """What nobody asked for."""
        for connection in self._connections:
            try:
                connection.sendall(data)
            except OSError:
                pass  # that one is over

    def lose(self):
        """Takes no more connections, and ends every other one with a reset, the rest in order."""
        self._close_listener()
        for number, connection in enumerate(self._connections):
            if number % 2 == 0:
                connection.shutdown(socket.SHUT_RDWR)
            else:  # closed by its own thread, which reads
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RD)

    def finish(self):
        self._close_listener()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _close_listener(self):
        # Without shutdown the thread in accept would keep the socket listening.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
