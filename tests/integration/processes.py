"""Child processes that do not outlive the tests, whatever becomes of these."""
import ctypes
import signal
import subprocess

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command, stderr, environment, directory, pass_fds=(), umask=-1):
    """Popen with stdout thrown away and stderr going to the open file."""
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                            env=environment, cwd=directory, pass_fds=pass_fds, umask=umask,
                            preexec_fn=_die_with_parent)


def run(command, environment, directory, within_s=30):
    """CompletedProcess with stdout and stderr as text."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment,
                          cwd=directory, timeout=within_s, preexec_fn=_die_with_parent)


def kill(process):
    """SIGKILL, and waits until it is gone; works on stopped processes too."""
    if process.poll() is None:
        process.kill()
    process.wait()
