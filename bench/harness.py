"""What bench/run and bench/peers measure with: servers that end with them, the load, and the CPU time of both."""

import ctypes
import http.client
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time

# One core serves and the other one asks: a server's throughput is what fills its core.
SERVER_CPU, LOAD_CPU = 0, 1
# redis-server has a core of its own where there is a third one. Where there are two it shares the one of the
# load, so that the service always has a core to itself.
REDIS_CPU = 2 if 2 in os.sched_getaffinity(0) else LOAD_CPU

CLIENTS = 100_000

START_SECONDS = 10

libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """Ends the run; its text is for the operator."""


def in_child(cpu):
    def prepare():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, {cpu})

    return prepare


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process on the server's core, from its start until the end of a `with`."""

    def __init__(self, directory, name, command, is_up, cpu=SERVER_CPU, environment=None):
        self.name = name
        self.log_path = os.path.join(directory, name + ".log")
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], cwd=directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**os.environ, **(environment or {})}, preexec_fn=in_child(cpu))
        deadline = time.monotonic() + START_SECONDS
        while not is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Failure(f"{name} does not start:\n{self.log()}")
            time.sleep(0.02)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def signal(self, number):
        self.process.send_signal(number)

    def cpu_seconds(self):
        """User and system time so far, of all its threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def ask(port, path, client, body=None):
    """One request, as Load sends it; returns status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {"user_id": client, **({"Content-Type": "application/json"} if body else {})}
    try:
        connection.request("POST" if body else "GET", path, body and body.replace(CLIENT, client), headers)
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    finally:
        connection.close()


def accepts(port):
    def is_up():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return is_up


# Stands for the name of the client in the body of a request.
CLIENT = "@CLIENT@"


class Load:
    """
    wrk on its own core, under way; `result` waits for its end.

    body: of a POST, with CLIENT in it; None: GET. The header user_id names the client in any case.
    """

    SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.lua")

    def __init__(self, url, connections, seconds, clients, order, body=None):
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", self.SCRIPT, url, "--",
             *[str(word) for word in (clients, body or "", *order)]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=in_child(LOAD_CPU))

    def result(self):
        """A dictionary of load.lua's last line; durations in microseconds."""
        output, _ = self.process.communicate()
        found = re.search(r"^requests=.*$", output, re.MULTILINE)
        if self.process.returncode != 0 or not found:
            raise Failure(f"wrk fails:\n{output}")
        return {name: int(value) for name, value in (pair.split("=") for pair in found[0].split())}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def load(url, connections, seconds, clients, order, body=None):
    with Load(url, connections, seconds, clients, order, body) as under_way:
        return under_way.result()


def walk(url, clients, requests, body=None):
    """Sends this number of requests at least, each client in turn, so that a measurement meets known clients."""
    done = 0
    while done < requests:
        result = load(url, 64, 1, clients, ("walk", done % clients), body)
        if result["requests"] == 0:
            raise Failure(f"nothing answers at {url}")
        done += result["requests"]


class Disturbance:
    """CPU seconds that others took meanwhile: other processes, and (steal) other guests of the host."""

    def __init__(self, servers):
        self.servers = servers
        self.began = time.monotonic()
        self.before = self.others()

    def others(self):
        with open("/proc/stat", encoding="ascii") as stat:
            ticks = [int(word) for word in stat.readline().split()[1:9]]
        user, nice, system, _idle, _iowait, irq, softirq, steal = ticks
        ours = sum(one.cpu_seconds() for one in self.servers)
        for used in resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF):
            ours += used.ru_utime + used.ru_stime
        return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK") - ours

    def cores(self):
        """How many cores' worth, on average since the start."""
        return max(0, (self.others() - self.before) / (time.monotonic() - self.began))


def complain(text):
    print(f"bench: {text}", file=sys.stderr)


# A measurement.


def per_request_us(server, before, requests):
    return (server.cpu_seconds() - before) * 1e6 / requests if requests else 0


def measure(server, redis, url, seconds, connections=64, clients=CLIENTS, body=None):
    """
    The result of the load, and: rate, requests a second; cpu and redis_cpu, microseconds a request (redis_cpu is None
    without a Redis); disturbed, the cores that others took meanwhile.
    """
    walk(url, clients, CLIENTS, body)
    servers = [one for one in (server, redis) if one]
    before = [one.cpu_seconds() for one in servers]
    disturbance = Disturbance(servers)
    result = load(url, connections, seconds, clients, ("random",), body)
    result["disturbed"] = disturbance.cores()
    requests = result["requests"]
    result["rate"] = requests * 1e6 / result["duration"]
    result["cpu"] = per_request_us(server, before[0], requests)
    result["redis_cpu"] = per_request_us(redis, before[1], requests) if redis else None
    return result


def take_turns(variants, rounds, measure_one):
    """Lists of results by the names of the variants. They take turns: what slows the machine slows all alike."""
    results = {variant.name: [] for variant in variants}
    for number in range(rounds):
        for variant in variants:
            results[variant.name].append(measure_one(variant))
            rate = results[variant.name][-1]["rate"]
            complain(f"round {number + 1} of {rounds}: {variant.name}: {rate:,.0f} requests/s")
    return results
