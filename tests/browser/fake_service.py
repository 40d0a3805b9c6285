"""
An admin listener that answers with what a test wants: hostile texts, thousands of rules, nodes that fall silent.

The page itself is the real one: it is fetched from a service once. Answers have the form of docs/openapi.yaml.
"""
import http.server
import json
import math
import threading
import time
import urllib.parse

PAGE = ("/dashboard", "/dashboard.css", "/dashboard.js", "/dashboard.svg")
STEP = {"15m": (5, 180), "24h": (300, 288)}


def rule(name, limit=100, window="1m", **more):
    return {"name": name, "match": {"path": f"/{name}/**"}, "identify_by": ["header:x-api-key", "ip"],
            "on_store_failure": "closed", "limits": [{"algorithm": "fixed_window", "limit": limit, "window": window}],
            "counts": {"since": "2026-11-21T20:14:31Z", "allowed": 182344, "refused": 1201, "penalised": 0, "blocked": 12,
                       "unavailable": 0, "near_limit": 911, "shadow_refused": 340, "candidate_allowed": 9000,
                       "candidate_refused": 41, "candidate_missed": 3}, **more}


def rates(name, allowed=12.0, refused=0.0, near_limit=0.0, **more):
    return {"rule": name, "allowed": allowed, "refused": refused, "near_limit": near_limit, "shadow_refused": 0.0,
            "candidate_refused": 0.0, "degraded": 0.0, **more}


def status(**more):
    now = int(time.time())
    return {
        "version": "0.1.0", "now": now, "node": {"id": "3f9a2c", "host": "limits-1", "since": now - 200000},
        "store": {"kind": "redis", "state": "ready", "workers": {"ready": 4, "connecting": 0, "lost": 0},
                  "changes": [{"at": now - 430, "state": "lost", "reason": "Connection refused"},
                              {"at": now - 371, "state": "ready", "reason": ""}]},
        "rates": {"requests": 2841.2, "allowed": 2712.0, "refused": 129.2, "degraded": 0.0, "near_limit": 38.4,
                  "unmatched": 11.0},
        "latency": {"p50_us": 118, "p90_us": 260, "p99_us": 840, "p999_us": 2900},
        "redis_latency": {"p50_us": 96, "p90_us": 180, "p99_us": 510, "p999_us": 1800},
        "connections": {"open": 212, "max": 10000},
        "memory": {"entries": 0, "entries_max": 1000000, "evictions": 0},
        "rules": {"count": 8, "loaded": now - 5000},
        "reloads": [{"at": now - 9000, "ok": False, "text": "The rules have mistakes; those before stay.",
                     "mistakes": ["rate_limits.json:14: search.limits[0].window must be a duration, such as \"1m\""]},
                    {"at": now - 5000, "ok": True, "text": "1 changed (search), 7 as before", "mistakes": []}],
        "nodes": [{"id": "3f9a2c", "host": "limits-1", "version": "0.1.0", "since": now - 200000, "seen_s_ago": 0,
                   "requests": 2841.2, "refused": 129.2, "store": "ready"},
                  {"id": "b7710e", "host": "limits-2", "version": "0.1.0", "since": now - 180000, "seen_s_ago": 1,
                   "requests": 2790.0, "refused": 131.0, "store": "ready"},
                  {"id": "90dd41", "host": "limits-3", "version": "0.1.0", "since": now - 90000, "seen_s_ago": 23,
                   "requests": 0.0, "refused": 0.0, "store": "lost"}], **more}


def wave(i, of, height):
    """Some days of a service."""
    x = i / of
    return max(0.0, height * (1 + 0.35 * math.sin(9 * x) + 0.12 * math.sin(61 * x) + 0.06 * math.sin(217 * x)))


def history(span="15m", share=1.0):
    step, points = STEP[span]
    until = int(time.time()) // step * step
    allowed, refused = [], []
    for i in range(points):
        t = until // step - points + 1 + i
        burst = 900.0 if 100 < i < 112 else 0.0
        allowed.append(round(wave(t % 500, 500, 2600 * share), 1))
        refused.append(round(wave(t % 300, 300, 90 * share) + burst * share, 1))
    away = range(94, 107)
    series = {"allowed": allowed, "refused": refused, "near_limit": [round(0.014 * a, 1) for a in allowed],
              "degraded": [round(0.9 * allowed[i], 1) if i in away else 0.0 for i in range(points)]}
    if share == 1.0:
        series["p50_us"] = [round(110 + 0.004 * a) for a in allowed]
        series["p99_us"] = [round(700 + 0.1 * r + (4000 if i in away else 0)) for i, r in enumerate(refused)]
        series["redis_p99_us"] = [None if i in away else round(480 + 0.02 * a) for i, a in enumerate(allowed)]
    return {"span": span, "step_s": step, "until": until, "points": points, "series": series}


def analytics(clients, by="refusals", window="minute"):
    return {"window": window, "by": by, "from": 0, "until": int(time.time()), "sampled": 1.0,
            "total": sum(client[by] for client in clients), "error_bound": 0, "clients": clients}


def client(name, rule_name="default", requests=100, refusals=10, cost=100):
    return {"rule": rule_name, "client": name, "requests": requests, "refusals": refusals, "cost": cost, "error": 0}


class FakeService:
    """
    answers: what is said, by path without its query, and by None to /v1/clients/ANYONE: a value, or a function of the query that returns it, or a pair
    of a status and one of these. `asked` has what was asked. `silent`: connections end without an answer.
    """

    def __init__(self, page, answers):
        self.page, self.answers, self.asked, self.silent = page, dict(answers), [], False
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def finish(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, query):
        default = self.answers.get(None) if path.startswith("/v1/clients/") else None
        found = self.answers.get(path, default or (404, {"detail": "There is no such resource."}))
        code, body = found if isinstance(found, tuple) else (200, found)
        return code, body(query) if callable(body) else body

    def _handler(fake):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                fake.asked.append((self.command, self.path))
                if fake.silent:
                    self.close_connection = True
                    return
                if url.path in PAGE:
                    body, headers = fake.page[url.path]
                    self.send(200, body, headers)
                    return
                code, value = fake.answer(url.path, dict(urllib.parse.parse_qsl(url.query)))
                self.send(code, json.dumps(value).encode(), {"Content-Type": "application/json"})

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def send(self, code, body, headers):
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        return Handler
