"""
Ports for the servers of a test, which nobody else takes between two starts of a server.

A port that the kernel picks (bind to port 0) is free only until its socket is closed: from then on any connection of
this machine may get it as its own end. These ports are outside of the range that the kernel picks from. Each pytest
process owns a block of them, and holds it by a socket in the abstract namespace, which goes when the process does.
"""
import random
import socket

_BLOCK = 100
_FIRST, _END = 10000, 65000


def _picked_by_the_kernel():
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first, last = map(int, file.read().split())
    return range(first, last + 1)


def _blocks():
    picked = _picked_by_the_kernel()
    blocks = [range(first, first + _BLOCK) for first in range(_FIRST, _END, _BLOCK)]
    return [block for block in blocks if block[0] not in picked and block[-1] not in picked] or blocks


class _Ports:
    """The ports of one block, in turn."""

    def __init__(self):
        self._lock = socket.socket(socket.AF_UNIX)
        self._block = self._take_block()
        self._next = 0

    def _take_block(self):
        blocks = _blocks()
        random.shuffle(blocks)
        for block in blocks:
            try:
                self._lock.bind(f"\0ratelimitd-tests-{block[0]}")
                return block
            except OSError:
                continue
        raise AssertionError("every block of ports is taken")

    def take(self):
        for _ in self._block:
            port = self._block[self._next]
            self._next = (self._next + 1) % len(self._block)
            if _nobody_listens(port):
                return port
        raise AssertionError("every port of the block is in use")


def _nobody_listens(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
            return True
        except OSError:
            return False


_ports = None


def free_port():
    """A port on which nothing listens, and which stays free while the server that has it is away."""
    global _ports
    if _ports is None:
        _ports = _Ports()
    return _ports.take()
