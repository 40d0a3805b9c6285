"""What bench/run and bench/peers have in common as commands: arguments, requirements, tables, and their end."""

import argparse
import datetime
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys

from harness import CLIENTS, LOAD_CPU, SERVER_CPU, Failure, complain


def read_arguments(manual, names):
    parser = argparse.ArgumentParser(description=manual.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=5, help="length of a measurement (default 5)")
    parser.add_argument("--rounds", type=int, default=3,
                        help="measurements of each variant; the median counts (default 3)")
    parser.add_argument("--only", metavar="NAME,...", help=f"of {', '.join(names)}")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    arguments = parser.parse_args()
    arguments.names = arguments.only.split(",") if arguments.only else names
    unknown = set(arguments.names) - set(names)
    if unknown or arguments.seconds < 1 or arguments.rounds < 1:
        parser.error(f"unknown: {', '.join(unknown)}" if unknown else "at least one second, and one round")
    return arguments


def require(*commands):
    missing = [command for command in commands if not shutil.which(command)]
    if missing:
        raise Failure(f"missing: {' '.join(missing)}; on Debian: apt-get install {' '.join(missing)}")
    if not {SERVER_CPU, LOAD_CPU} <= os.sched_getaffinity(0):
        raise Failure(f"CPUs {SERVER_CPU} and {LOAD_CPU} are needed, one for the server, one for the load")


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


def print_head(versions, arguments):
    print(datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"))
    print("\n".join([*machine(), *versions]))
    print(f"{arguments.rounds} rounds of {arguments.seconds} s; {CLIENTS:,} clients at random; one worker\n",
          flush=True)


# Tables.


def median(results, key):
    return statistics.median(result[key] for result in results)


def spread(results, key):
    """The distance of the best from the worst, in parts of the median."""
    values = [result[key] for result in results]
    return (max(values) - min(values)) / median(results, key)


def align(cells, widths):
    return [cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths))]


def print_table(rows, markdown):
    """The first row is the headings."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [align(row, widths) for row in rows]
    if not markdown:
        print("\n".join("  ".join(line).rstrip() for line in lines))
        return
    lines.insert(1, ["-" * widths[0], *["-" * (width - 1) + ":" for width in widths[1:]]])
    print("\n".join("| " + " | ".join(line) + " |" for line in lines))


def print_disturbance(results):
    """On an idle machine others take no more than a few hundredths."""
    cores = [result["disturbed"] for one in results.values() for result in one]
    print(f"\nothers took {statistics.median(cores):.2f} of a core meanwhile, {max(cores):.2f} at worst")


def main(run, arguments):
    """Runs it; returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(arguments)
    except Failure as failure:
        complain(failure)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
