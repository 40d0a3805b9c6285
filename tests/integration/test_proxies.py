"""The configurations of deploy/: nginx, HAProxy and Caddy run, with an application behind them; what Traefik and Envoy
would send is sent by a stand-in, to the address that their configuration names."""
import http.server
import json
import pathlib
import re
import shutil
import socket
import socketserver
import tempfile
import threading

import pytest
import yaml

import http_client
import processes
import service
from request_shapes import SHAPES
from ports import free_port
from rules import at, bucket, rules_of
from waiting import Stopwatch, wait_for

DEPLOY = service.REPOSITORY / "deploy"

RULES = rules_of(
    bucket(1000, identify_by=["ip"]),
    keyed=at("/*/keyed", bucket(3, identify_by=["header:X-API-Key", "ip"]), methods=["POST"]),
    address=at("/*/address", bucket(2, identify_by=["ip"])),
    courtesy=at("/public/courtesy", bucket(1, identify_by=["ip"], on_store_failure="open")),
)


class Application:
    """Answers what it was asked, with the status that the path ends in, if it does."""

    def __init__(self):
        self.requests = 0
        application = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                application.requests += 1
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                found = re.search(r"/status/(\d+)$", self.path)
                text = json.dumps({"method": self.command, "path": self.path, "body": body}).encode()
                self.send_response(int(found.group(1)) if found else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_):
                pass

        # Not HTTPServer, which looks up its name first.
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a connection that the proxy has given up
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def nginx(directory):
    # As for anyone who is not root: what nginx would keep in /var stays in the directory.
    config = directory / "nginx.conf"
    kept = "".join(f"{name}_temp_path {directory}/{name};\n" for name in
                   ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")) + f"access_log {directory}/access.log;\n"
    config.write_text(config.read_text().replace("http {\n", "http {\n" + kept, 1))
    return ["nginx", "-p", str(directory), "-c", str(config), "-e", "stderr",
            "-g", f"daemon off; pid {directory}/nginx.pid; error_log stderr;"]


def haproxy(directory):
    return ["haproxy", "-db", "-f", str(directory / "haproxy.cfg")]


def caddy(directory):
    return ["caddy", "run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]


COMMANDS = {"nginx": nginx, "haproxy": haproxy, "caddy": caddy}


class Proxy:
    """The files of deploy/NAME with other ports in them, run from another directory than theirs."""

    def __init__(self, name, limiter_port, application_port):
        if not shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"):
            pytest.skip(f"{name} is not installed: scripts/setup proxies")
        self.name = name
        self.directory = tempfile.TemporaryDirectory(prefix=f"ratelimitd-{name}-")
        self.path = pathlib.Path(self.directory.name)
        self.port = free_port()
        ports = {"127.0.0.1:8000": f"127.0.0.1:{limiter_port}", "127.0.0.1:3000": f"127.0.0.1:{application_port}",
                 "8080": str(self.port)}
        found = set()
        for file in (DEPLOY / name).iterdir():
            lines = file.read_text().splitlines(keepends=True)
            for i, line in enumerate(lines):
                for old, new in ports.items():
                    if old in line and not line.lstrip().startswith("#"):
                        line = line.replace(old, new)
                        found.add(old)
                lines[i] = line
            (self.path / file.name).write_text("".join(lines))
        assert found == set(ports), f"deploy/{name} does not have all the addresses that it speaks of"
        self.path.chmod(0o755)
        self._stderr = open(self.path / "stderr", "w+b")
        environment = service.environment({"HOME": self.directory.name,
                                           "RATELIMIT_LUA": str(self.path / "ratelimit.lua")})
        environment["PATH"] += ":/usr/sbin:/sbin"
        self.process = processes.start(COMMANDS[name](self.path), self._stderr, environment, "/")
        self.connections = []
        wait_for(self._accepts, f"{name} listens")

    def _accepts(self):
        assert self.process.poll() is None, f"it did not start: {self.log()}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def log(self):
        return (self.path / "stderr").read_text()

    def request(self, method, path, headers=(), body=None):
        connection = http_client.Connection(("127.0.0.1", self.port))
        self.connections.append(connection)
        return connection.request(method, path, headers, body)

    def finish(self):
        for connection in self.connections:
            connection.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            processes.kill(self.process)
            print(self.log())
            self._stderr.close()
            self.directory.cleanup()


@pytest.fixture
def application():
    started = Application()
    yield started
    started.close()


@pytest.fixture(params=list(COMMANDS))
def start_proxy(request, application):
    """start_proxy(limiter_port, application_port=the application's) starts the proxy that the test runs with."""
    started = []

    def start(limiter_port, application_port=application.port):
        started.append(Proxy(request.param, limiter_port, application_port))
        return started[-1]
    yield start
    for proxy in started:
        proxy.finish()


@pytest.fixture
def proxy(serve, start_proxy):
    return start_proxy(serve(rules=RULES).port)


def is_refusal(response):
    assert response.status == 429, response
    assert int(response["Retry-After"]) >= 1
    assert re.fullmatch(r'"\w+";r=0;t=\d+', response["RateLimit"]), response
    assert response["RateLimit-Policy"].startswith('"')
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.body)["status"] == 429
    assert json.loads(response.body)["detail"] == "Too many requests. Please retry later."


def is_unavailable(response):
    assert response.status == 503, response
    assert int(response["Retry-After"]) >= 1
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.body)["status"] == 503


def test_what_is_allowed_reaches_the_application_with_its_body(proxy, application):
    response = proxy.request("POST", "/public/keyed?a=b%20c", {"X-API-Key": "k"}, b"the body")
    assert response.status == 200, response
    assert json.loads(response.body) == {"method": "POST", "path": "/public/keyed?a=b%20c", "body": "the body"}
    assert re.fullmatch(r'"keyed";r=2;t=\d+', response["RateLimit"])
    assert response["RateLimit-Policy"].startswith('"keyed";q=3')
    assert application.requests == 1


def test_what_is_refused_does_not_reach_the_application(proxy, application):
    statuses = [proxy.request("POST", "/a/keyed", {"X-API-Key": "k"}, b"x").status for _ in range(3)]
    assert statuses == [200] * 3
    is_refusal(proxy.request("POST", "/a/keyed", {"X-API-Key": "k"}, b"x"))
    assert application.requests == 3
    # Another client is not concerned, and neither is a method for which the rule is not meant.
    assert proxy.request("POST", "/a/keyed", {"X-API-Key": "other"}, b"x").status == 200
    assert proxy.request("GET", "/a/keyed", {"X-API-Key": "k"}).status == 200


def test_the_trace_of_a_refused_request_is_told(serve, start_proxy):
    service = serve(rules=RULES)
    proxy = start_proxy(service.port)
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"X-API-Key": "k", "traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
    response = [proxy.request("POST", "/a/keyed", headers, b"x") for _ in range(4)][-1]
    is_refusal(response)
    assert (json.loads(response.body).get("trace_id") == trace_id) == (proxy.name != "nginx"), "it has a body of its own"
    service.says(f'"trace_id":"{trace_id}"')


def test_one_client_cannot_pass_for_many(proxy):
    statuses = [proxy.request("GET", "/a/address", {"X-Forwarded-For": f"203.0.113.{i}"}).status for i in range(4)]
    assert statuses == [200, 200, 429, 429]


def test_the_client_cannot_say_what_it_asks_for(proxy):
    lies = {"X-Forwarded-Uri": "/free", "X-Original-Uri": "/free", "X-Original-Url": "http://a/free",
            "X-Forwarded-Method": "GET", "X-Original-Method": "GET"}
    statuses = [proxy.request("POST", f"/a/keyed?X-Forwarded-Uri=/free&{i}", {**lies, "X-API-Key": "k"}, b"").status
                for i in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


def test_the_answers_of_the_application_stay_its_own(proxy):
    for status in (403, 404, 429, 500, 503):
        response = proxy.request("GET", f"/status/{status}")
        assert response.status == status, response
        assert json.loads(response.body)["path"] == f"/status/{status}"
        assert "Retry-After" not in response


def test_an_application_that_is_away_is_not_taken_for_the_limiter(serve, start_proxy):
    proxy = start_proxy(serve(rules=RULES).port, free_port())
    for path in ("/", "/public/"):
        response = proxy.request("GET", path)
        assert response.status in (502, 503), response
        assert "Retry-After" not in response


def test_a_limiter_that_is_away_is_answered_as_configured(start_proxy, application):
    proxy = start_proxy(free_port())
    is_unavailable(proxy.request("POST", "/a/keyed", body=b"x"))
    assert application.requests == 0
    response = proxy.request("POST", "/public/keyed", body=b"the body")
    assert response.status == 200, response
    assert json.loads(response.body) == {"method": "POST", "path": "/public/keyed", "body": "the body"}
    assert "RateLimit" not in response


def test_a_limiter_that_hangs_costs_less_than_two_seconds(start_proxy):
    with socket.create_server(("127.0.0.1", 0), backlog=100) as deaf:
        proxy = start_proxy(deaf.getsockname()[1])
        watch = Stopwatch()
        is_unavailable(proxy.request("GET", "/a"))
        assert watch.elapsed_s() < 2
        watch = Stopwatch()
        assert proxy.request("GET", "/public/a").status == 200
        assert watch.elapsed_s() < 2


def test_a_limiter_without_its_redis_decides_by_its_rules(serve, start_proxy, application):
    proxy = start_proxy(serve(store=f"redis://127.0.0.1:{free_port()}", rules=RULES).port)
    is_unavailable(proxy.request("GET", "/public/address"))  # closed: it is ratelimitd that says no
    assert application.requests == 0
    assert proxy.request("GET", "/public/courtesy").status == 200
    assert application.requests == 1


SIZES = [0, 500, 1075, 4000, 8100, 8180, 12200, 12290, 15950, 16000, 16050, 16300, 16390, 24000, 25300, 40000, 64000]


def test_no_size_of_a_request_is_a_way_past_the_limit(serve, start_proxy, application):
    """Under /public/ the proxies let pass when the limiter does not answer: so it must."""
    proxy = start_proxy(serve(rules=rules_of(bucket(5, identify_by=["global"]))).port)
    for _ in range(6):
        proxy.request("GET", "/public/")
    assert application.requests == 5
    for name, shape in SHAPES.items():
        for size in SIZES:
            with http_client.Connection(("127.0.0.1", proxy.port)) as connection:
                connection.send(shape(size)(b"HTTP/1.1").replace(b" /", b" /public/", 1))
                status = connection.read_response().status
            assert 400 <= status < 600 and application.requests == 5, (name, size, status)


def test_cookies_are_not_asked_about_and_reach_the_application(proxy, application):
    response = proxy.request("GET", "/public/", {"Cookie": "name=" + "v" * 7000})
    assert response.status == 200
    assert application.requests == 1


# Traefik and Envoy: no packages of Debian's. What they send, and what they make of the answers, is in their
# documentation; the configuration of deploy/ is read for the rest.

def read_yaml(file):
    return yaml.safe_load((DEPLOY / file).read_text())


class Traefik:
    """forwardAuth: GET, all headers of the request, X-Forwarded-* about it. Passes on 200 to 299."""

    def __init__(self, limiter):
        config = read_yaml("traefik/dynamic.yaml")
        auth = config["http"]["middlewares"]["ratelimit"]["forwardAuth"]
        assert set(auth) == {"address", "trustForwardHeader"} and auth["trustForwardHeader"] is False
        assert config["http"]["routers"]["application"]["middlewares"] == ["ratelimit"]
        self.path = auth["address"].removeprefix("http://127.0.0.1:8000")
        self.limiter = limiter

    def ask(self, method, path, headers=(), client="198.51.100.7"):
        forwarded = {"X-Forwarded-Method": method, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443",
                     "X-Forwarded-Host": "shop.example", "X-Forwarded-Uri": path, "X-Forwarded-For": client}
        own = {name: value for name, value in dict(headers).items() if not name.lower().startswith("x-forwarded-")}
        return self.limiter.request("GET", self.path, {"User-Agent": "Go-http-client/1.1", **own, **forwarded,
                                                       "Accept-Encoding": "gzip"})

    @staticmethod
    def passes(response):
        return 200 <= response.status <= 299


class Envoy:
    """ext_authz: the method of the request, its path after path_prefix, the headers that are allowed, an address of
    its own at the end of X-Forwarded-For. Passes on exactly 200."""

    def __init__(self, limiter):
        config = read_yaml("envoy/envoy.yaml")
        manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        auth, router = manager["http_filters"]
        assert manager["use_remote_address"] is True and router["name"] == "envoy.filters.http.router"
        self.http_service = auth["typed_config"]["http_service"]
        assert float(self.http_service["server_uri"]["timeout"].rstrip("s")) > 0.1  # REDIS_TIMEOUT_MS
        clusters = [cluster["name"] for cluster in config["static_resources"]["clusters"]]
        assert self.http_service["server_uri"]["cluster"] in clusters
        self.limiter = limiter

    def ask(self, method, path, headers=(), client="198.51.100.7"):
        allowed = [pattern["exact"] for pattern in
                   self.http_service["authorization_request"]["allowed_headers"]["patterns"]]
        kept = {name.lower(): value for name, value in dict(headers).items() if name.lower() in allowed}
        assert "x-forwarded-for" in allowed
        kept["x-forwarded-for"] = f"{client},127.0.0.1"
        return self.limiter.request(method, self.http_service["path_prefix"] + path,
                                    {**kept, "x-envoy-internal": "true", "Content-Length": "0"})

    @staticmethod
    def passes(response):
        return response.status == 200


@pytest.fixture(params=[Traefik, Envoy])
def stand_in(request, serve):
    return request.param(serve(rules=RULES))


def test_a_stand_in_is_allowed_and_refused(stand_in):
    answers = [stand_in.ask("POST", "/a/keyed?x=1", {"X-API-Key": "k"}) for _ in range(4)]
    assert [stand_in.passes(answer) for answer in answers] == [True] * 3 + [False]
    is_refusal(answers[3])
    assert not any(answer.closes for answer in answers), "the connection is kept for the next question"
    assert stand_in.passes(stand_in.ask("POST", "/a/keyed", {"X-API-Key": "other"}))
    assert stand_in.passes(stand_in.ask("GET", "/a/keyed", {"X-API-Key": "k"}))


def test_a_stand_in_names_the_client_s_address(stand_in):
    statuses = [stand_in.ask("GET", "/a/address", client="198.51.100.8").status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert stand_in.ask("GET", "/a/address", client="198.51.100.9").status == 200


def test_a_stand_in_s_client_cannot_say_what_it_asks_for(stand_in):
    lies = {"X-Forwarded-Uri": "/free", "X-Forwarded-Method": "GET", "X-API-Key": "k"}
    statuses = [stand_in.ask("POST", "/a/keyed", lies).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE", "PATCH", "PROPFIND"])
def test_a_stand_in_may_ask_about_any_method(stand_in, method):
    assert stand_in.passes(stand_in.ask(method, "/a/b"))
