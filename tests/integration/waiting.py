"""The one way in which these tests let time pass: until a condition holds."""
import time


def wait_for(condition, what, within_s=15.0):
    """Calls condition until it returns something true, and returns that; fails when it takes too long.

    within_s is how long a broken service is waited for, not how quick a good one has to be.
    """
    deadline = time.monotonic() + within_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within_s:g} s in vain: {what}")
        time.sleep(0.005)


class Stopwatch:
    """How long ago it was made."""

    def __init__(self):
        self.start_s = time.monotonic()

    def elapsed_s(self):
        return time.monotonic() - self.start_s
