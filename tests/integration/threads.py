"""Threads of a process, held still: as if each had more to do than it can."""
import contextlib
import ctypes
import os
import pathlib

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17  # ptrace(2)
_WALL = 0x40000000                                # waitpid(2): also threads
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def named(process, name):
    """The threads of that name."""
    return [int(task.name) for task in pathlib.Path(f"/proc/{process}/task").iterdir()
            if (task / "comm").read_text().strip() == name]


@contextlib.contextmanager
def held(process, name):
    """The threads of that name stand still meanwhile; the others go on."""
    threads = named(process, name)
    assert threads, f"no thread is named {name}"
    try:
        for thread in threads:
            _ptrace(_SEIZE, thread)
            _ptrace(_INTERRUPT, thread)
            os.waitpid(thread, _WALL)
        yield
    finally:
        for thread in threads:
            _ptrace(_DETACH, thread)
