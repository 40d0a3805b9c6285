"""What bench/run measures with: servers that die with it, the load, and the CPU that both take."""

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

# One core serves and the other one asks: what a server can do is what fills its core.
SERVER_CPU, LOAD_CPU = 0, 1

START_SECONDS = 10

libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """What the operator has to know; ends the run."""


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

    def __init__(self, directory, name, command, is_up, cpu=SERVER_CPU):
        self.name = name
        self.log_path = os.path.join(directory, name + ".log")
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], cwd=directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=in_child(cpu))
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


def ask(port, path, client):
    """One request; returns status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"user_id": client})
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read()
    finally:
        connection.close()


def accepts(port):
    def is_up():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return is_up


class Load:
    """wrk on its own core, under way; `result` waits for its end."""

    SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load.lua")

    def __init__(self, url, connections, seconds, clients, order):
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", self.SCRIPT, url, "--",
             *[str(word) for word in (clients, *order)]],
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


def load(url, connections, seconds, clients, order):
    with Load(url, connections, seconds, clients, order) as under_way:
        return under_way.result()


def walk(url, clients, requests):
    """Asks for each client once, and for at least so many requests: a measurement is to find all at work."""
    done = 0
    while done < requests:
        result = load(url, 64, 1, clients, ("walk", done % clients))
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


def first_line(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return result.stdout.strip().split("\n")[0]


def machine():
    """Lines that say what was measured on."""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as cpus:
        model = re.search(r"^model name\s*:\s*(.*)$", cpus.read(), re.MULTILINE)
    system = os.uname()
    wrk = first_line("wrk", "--version").split(" Copyright")[0]
    nginx = first_line("nginx", "-v").rpartition(" ")[2]
    redis = " ".join(first_line("redis-server", "--version").split()[:3])
    return [
        f"{model[1] if model else system.machine}, {os.cpu_count()} CPUs, {system.sysname} {system.release}",
        f"{wrk}, {nginx}, {redis}",
    ]


def complain(text):
    print(f"bench: {text}", file=sys.stderr)
