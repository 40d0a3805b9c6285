"""The servers that bench/run and bench/peers both start, and how ours is built."""

import contextlib
import json
import os
import subprocess

from harness import CLIENTS, REDIS_CPU, Failure, Server, accepts, ask, free_port

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)
BUILD = os.path.join(ROOT, "build", "bench")

# bench/rules.json: the one never refuses, the other refuses all but the first request of a client.
ALLOWED, REFUSED = "/limited-resource", "/api/data"

# Keys for every rule. The first counts all refusals and never penalises; the second penalises the second one, for
# longer than a run takes.
KEYS = {
    "counting": {"penalty": {"after": 1000000, "within": "1h", "for": "1h"}},
    "penalising": {"penalty": {"after": 1, "within": "1h", "for": "1h"}},
    "trying": {"candidate": {"capacity": 500000}},
}

REDIS_TIMEOUT_MS = 100


def build(target):
    """Builds into build/bench; returns the path of what was built."""
    commands = [
        ["cmake", "--preset", "release", "-S", ROOT, "-B", BUILD],
        ["cmake", "--build", BUILD, "--target", target],
    ]
    for command in commands:
        result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, check=False)
        if result.returncode != 0:
            raise Failure(f"{target} does not build:\n{result.stdout}")
    return os.path.join(BUILD, "bench" if target == "bench_floor" else "", target)


class Bench:
    """Starts the servers; `directory` holds their sockets, files and logs."""

    def __init__(self, directory, ratelimitd, floor=None):
        self.directory = directory
        self.ratelimitd = ratelimitd
        self.floor_binary = floor
        self.answer = None  # of the service, which the floor repeats
        self.redis_server = None  # of the variant that is measured

    def path(self, name):
        return os.path.join(self.directory, name)

    def server(self, name, command, port, **options):
        return Server(self.directory, name, command, accepts(port), **options)

    def rules(self, keys):
        """The path of bench/rules.json; or of the same rules, each with these keys, too."""
        path = os.path.join(BENCH, "rules.json")
        if keys is None:
            return path
        with open(path, encoding="utf-8") as file:
            rules = {name: {**rule, **KEYS[keys]} for name, rule in json.load(file).items()}
        with open(self.path(f"{keys}.json"), "w", encoding="utf-8") as file:
            json.dump(rules, file)
        return self.path(f"{keys}.json")

    def service(self, store, keys=None, rules=None, flags=()):
        port = free_port()
        command = [
            self.ratelimitd, "--store", store, "--rules", rules or self.rules(keys), "--workers", 1,
            "--listen", f"127.0.0.1:{port}", "--admin-listen", "off", "--redis-timeout-ms", REDIS_TIMEOUT_MS,
            "--failure-mode", "closed", *flags,
        ]
        return self.server("ratelimitd", command, port), port

    def memory(self, _stack, keys=None, flags=()):
        return self.service("memory", keys, flags=flags)

    def memory_clients(self, _stack):
        """The rules with a list of all clients. Their limits are equal to the rule's, so only the list is more."""
        with open(os.path.join(BENCH, "rules.json"), encoding="utf-8") as file:
            rules = json.load(file)
        rules["never-refuses"]["clients"] = "clients"
        with open(self.path("rules.json"), "w", encoding="utf-8") as file:
            json.dump(rules, file)
        with open(self.path("clients"), "w", encoding="utf-8") as file:
            file.writelines(f'client-{i:06} {{"capacity": 1000000}}\n' for i in range(1, CLIENTS + 1))
        return self.service("memory", rules=self.path("rules.json"))

    def start_redis(self, stack):
        """Returns the path of its socket."""
        path = self.path("redis.sock")
        command = ["redis-server", "--port", 0, "--unixsocket", path, "--save", "", "--appendonly", "no"]
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.redis_server = stack.enter_context(
            Server(self.directory, "redis", command, lambda: os.path.exists(path), cpu=REDIS_CPU))
        return path

    def redis(self, stack, keys=None, flags=()):
        return self.service(f"unix://{self.start_redis(stack)}", keys, flags=flags)

    def floor(self, _stack):
        port = free_port()
        if self.answer is None:
            self.answer = self.answer_of_service()
        _, headers, body = self.answer
        made_by_library = ("Date", "Content-Length")
        headers = [word for header in headers if header[0] not in made_by_library for word in header]
        return self.server("floor", [self.floor_binary, port, body.decode(), *headers], port), port

    def answer_of_service(self):
        server, port = self.service("memory")
        with server:
            return ask(port, ALLOWED, "client-000001")

    def from_template(self, name, **places):
        """Writes bench/NAME with its @PLACES@ filled in; returns the path."""
        with open(os.path.join(BENCH, name), encoding="utf-8") as template:
            text = template.read()
        for place, value in {"DIRECTORY": self.directory, **places}.items():
            text = text.replace(f"@{place}@", str(value))
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def nginx(self, _stack):
        port = free_port()
        conf = self.from_template("nginx.conf", PORT=port)
        server = self.server("nginx", ["nginx", "-p", self.directory, "-e", "stderr", "-c", conf], port)
        try:
            check_nginx_counts(port)
        except Failure:
            server.stop()
            raise
        return server, port


def check_nginx_counts(port):
    """limit_req must see the requests and tell the clients apart: a second location has the lowest rate."""
    statuses = [ask(port, "/probe", client)[0] for client in ("a", "a", "b")]
    if statuses != [200, 503, 200]:
        raise Failure(f"nginx limit_req does not count: {statuses}")
