"""An admin listener that says whatever a test wants: for what a real one never says, and for other servers."""
import copy
import http.server
import json
import threading

STATUS = {
    "version": "9.8.7", "node": {"id": "3f2a", "host": "web-1", "since": 1000000}, "now": 1003725,
    "store": {"kind": "redis", "state": "ready", "workers": {"ready": 2, "connecting": 0, "lost": 0},
              "changes": [{"at": 1003600, "state": "ready", "reason": ""}, {"at": 1003599, "state": "lost", "reason": "refused"}]},
    "rates": {"requests": 12345.6, "allowed": 12000, "refused": 345.6, "degraded": 0, "near_limit": 12.5, "unmatched": 0},
    "latency": {"p50_us": 80, "p90_us": 120, "p99_us": 1250, "p999_us": 2500000},
    "redis_latency": {"p50_us": 70, "p90_us": 110, "p99_us": 340, "p999_us": 900},
    "connections": {"open": 17, "max": 10000}, "memory": {"entries": 5, "entries_max": 1000000, "evictions": 0},
    "rules": {"count": 3, "loaded": 1000000},
    "reloads": [{"at": 1003665, "ok": True, "text": "3 as before", "mistakes": []}],
    "nodes": [{"id": "3f2a", "host": "web-1", "version": "9.8.7", "since": 1000000, "seen_s_ago": 0, "requests": 12345.6,
               "refused": 345.6, "store": "ready"}],
}
NAMES = ("allowed", "refused", "near_limit", "shadow_refused", "candidate_refused", "degraded")
RATES = {"at": 1003725, "over_s": 10, "rules": [
    {"rule": "api", **dict(zip(NAMES, (9000.0, 300.0, 12.0, 0, 0, 0)))},
    {"rule": "login", **dict(zip(NAMES, (3000.0, 45.6, 0.5, 0, 0, 0)))},
    {"rule": "search", **dict(zip(NAMES, (20.0, 0, 0, 7.25, 1, 0)))}]}
ANALYTICS = {"window": "minute", "by": "refusals", "from": 1003665, "until": 1003725, "sampled": 1.0, "total": 99,
             "error_bound": 1, "clients": [
                 {"rule": "api", "client": "ip=203.0.113.9", "requests": 5000, "refusals": 4500, "cost": 5000, "error": 3},
                 {"rule": "login", "client": "header:user_id=alice", "requests": 70, "refusals": 20, "cost": 70, "error": 0}]}


class FakeAdmin:
    """
    answers: for a path without its query, (status, body) with a body that is JSON or bytes; a test may change them.
    asked: for each request its target, its Authorization and its Host, in their order.
    hang: while it is set, requests are not answered; hangs: one has come that is not.
    trickle: while it is set, an answer is a header that goes on without an end, a byte now and then.
    """

    def __init__(self, port=0):
        self.answers = {"/v1/status": (200, copy.deepcopy(STATUS)), "/v1/rates": (200, copy.deepcopy(RATES)),
                        "/v1/analytics": (200, copy.deepcopy(ANALYTICS))}
        self.asked = []
        self.hang, self.hangs, self.trickle = threading.Event(), threading.Event(), threading.Event()
        self._finished = threading.Event()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                fake.asked.append((self.path, self.headers.get("Authorization"), self.headers.get("Host")))
                if fake.hang.is_set():
                    fake.hangs.set()
                    self.rfile.read()  # until the other end is gone
                    return
                if fake.trickle.is_set():
                    fake.send_slowly(self.wfile)
                    return
                status, body = fake.answers.get(self.path.partition("?")[0], (404, {"detail": "not here"}))
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def send_slowly(self, out):
        out.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        try:
            while not self._finished.wait(0.2):
                out.write(b"x")
        except OSError:
            pass  # the other end is gone

    def finish(self):
        self._finished.set()
        self._server.shutdown()
        self._server.server_close()
