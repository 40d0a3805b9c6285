"""Many clients at once, and the history of what each was told."""
import resource
import threading
import time

from http_client import ConnectionEnded


class Answer:
    """path, status; degraded: the failure mode that gave it, or None; began_s, ended_s: monotonic."""

    def __init__(self, path, response, began_s, ended_s):
        self.path, self.status = path, response.status
        self.degraded = "closed" if response.status == 503 else response.get("X-RateLimit-Degraded")
        self.began_s, self.ended_s = began_s, ended_s

    @property
    def waited_s(self):
        return self.ended_s - self.began_s

    def __repr__(self):
        return f"<{self.status} {self.degraded} after {self.waited_s:.3f} s>"


class Crowd:
    """Clients that ask one after the other without a pause, each on its connection, until the block ends.

        with Crowd(service, 32) as crowd:
            redis.freeze()
            crowd.hears(lambda answer: answer.status == 503)
        crowd.history
    """

    def __init__(self, service, size, paths=("/",), headers=()):
        """paths: the clients take them in turn. headers: a function of the client's number and the request's."""
        self.history = []
        self.errors = []
        self._headers = headers if callable(headers) else lambda client, request: headers
        self._heard = threading.Condition()
        self._stop = False
        connections = [service.connect() for _ in range(size)]
        self._threads = [threading.Thread(target=self._ask, args=(connection, paths[number % len(paths)], number), daemon=True)
                         for number, connection in enumerate(connections)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop = True
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "a client still waits for its answer"
        assert not self.errors, self.errors[0]

    def _ask(self, connection, path, number):
        request = 0
        while not self._stop:
            began_s = time.monotonic()
            try:
                response = connection.get(path, self._headers(number, request))
            except (OSError, ConnectionEnded) as error:
                self.errors.append(error)
                return
            with self._heard:
                self.history.append(Answer(path, response, began_s, time.monotonic()))
                self._heard.notify_all()
            request += 1

    def hears(self, condition, count=1, within_s=15):
        """Waits until that many answers to requests from now on meet the condition."""
        from_s, seen, found, deadline_s = time.monotonic(), len(self.history), 0, time.monotonic() + within_s
        with self._heard:
            while found < count:
                found += sum(1 for answer in self.history[seen:] if answer.began_s >= from_s and condition(answer))
                seen = len(self.history)
                if found < count:
                    assert not self.errors, self.errors[0]
                    assert self._heard.wait(deadline_s - time.monotonic()), f"heard {found} of {count} in {within_s} s"
        return time.monotonic() - from_s

    # What the history says.

    def answers(self, path):
        return [answer for answer in self.history if answer.path == path]

    def longest_wait_s(self):
        return max(answer.waited_s for answer in self.history)


def memory_bytes(service):
    """What the process has in memory."""
    with open(f"/proc/{service.process.pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
