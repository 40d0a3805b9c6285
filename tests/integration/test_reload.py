"""Rules that change while the service runs: what is in force, which counts are kept, and that a mistake changes nothing."""
import json
import os
import pathlib
import re
import signal
import threading

import pytest

import http_client
from kubelet import Volume
from rules import at, bucket, each_algorithm, rules_of, window
from waiting import wait_for

OLD = rules_of(bucket(3), api=at("/api/data", bucket(5)))


def limit(service, path="/limited-resource", headers=()):
    return int(service.get(path, headers)["X-RateLimit-Limit"])


def attempts(service):
    """How many reloads there have been, whatever came of them."""
    return sum("rules reloaded" in line or "rules not reloaded" in line for line in service.messages())


def reload(service, rules):
    """By SIGHUP; returns when it is over."""
    service.write_rules(rules)
    before = service.log().count("; after SIGHUP")
    service.signal(signal.SIGHUP)
    wait_for(lambda: service.log().count("; after SIGHUP") > before, "it says what came of SIGHUP")


def test_sighup_puts_the_rules_of_the_file_in_force(serve, store):
    service = serve(store, OLD)
    assert limit(service, "/api/data") == 5
    reload(service, rules_of(bucket(7), other=at("/api/data", bucket(9))))
    for _ in range(8):
        answer = service.get("/api/data")
        assert (answer.json()["rule"], answer["X-RateLimit-Limit"]) == ("other", "9")
        assert limit(service) == 7
        service.close_kept()  # so that both workers are asked


def test_a_file_with_mistakes_changes_nothing(serve, store):
    service = serve(store, OLD)
    reload(service, '{"default": {"capacity": 0, "refil_rate": 1}}')
    for mistake in ("$.default.capacity: 0: must be", "$.default.refil_rate: ", "stay in force"):
        assert mistake in service.log()
    assert limit(service) == 3 and limit(service, "/api/data") == 5
    reload(service, rules_of(bucket(4)))
    assert limit(service) == 4


# The admin listener.

TOKEN = "the-token-of-the-operator"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def serve_admin(serve, store, rules, env=None):
    return serve(store, rules, admin="127.0.0.1:0", env={"ADMIN_TOKEN": TOKEN, **(env or {})})


def test_a_reload_is_asked_for_and_answered_with_what_changed(serve, store):
    service = serve_admin(serve, store, rules_of(bucket(3), api=at("/api/data", window("fixed_window", 100, "1h")),
                                                 gone=bucket(1), search=bucket(4)))
    service.write_rules(rules_of(bucket(3), api=at("/api/data", window("fixed_window", 200, "1h")), new=bucket(9),
                                 search=window("sliding_window", 4, "1h")))
    response = service.admin("POST", "/v1/rules/reload", BEARER)
    summary = ("2 changed (api: limit 100 -> 200, counted on; search: algorithm, counted anew), 1 added, 1 removed, "
               "1 as before")
    assert response.status == 200
    assert response.json() == {"reloaded": True, "changed": 2, "added": 1, "removed": 1, "unchanged": 1,
                               "summary": summary}
    assert limit(service, "/api/data") == 200, "in force at once"
    assert f"rules reloaded: {summary}; after POST /v1/rules/reload" in service.log()


def test_mistakes_are_answered_as_a_list(serve, store):
    service = serve_admin(serve, store, OLD)
    service.write_rules('{"default": {"capacity": "\\"", "refill_rate": 0}}')
    response = service.admin("POST", "/v1/rules/reload", BEARER)
    assert (response.status, response["Content-Type"]) == (422, "application/problem+json")
    assert response.json()["mistakes"] == [
        'rate_limits.json: $.default.capacity: "\\"": must be a whole number from 1 to 9007199254740991',
        'rate_limits.json: $.default.refill_rate: 0: must be tokens per second, above 0 and with at most 6 decimals, or '
        '"N/DURATION", such as "10/1m"']
    assert limit(service) == 3


def test_a_reload_needs_the_token(serve):
    for token, headers, status in ((TOKEN, {}, 401), (TOKEN, {"Authorization": "Bearer x"}, 401), ("", BEARER, 403)):
        service = serve(rules=OLD, admin="127.0.0.1:0", env={"ADMIN_TOKEN": token})
        assert service.admin("POST", "/v1/rules/reload", headers).status == status
        assert "rules reloaded" not in service.log()
    assert service.admin("GET", "/v1/rules/reload").status == 405


def test_health_says_that_the_rules_are_stale_until_they_are_good(serve, store):
    service = serve_admin(serve, store, OLD)
    assert service.health()["rules"] == {"status": "current"}
    service.write_rules('{"secret-name": {"capacity": 0, "refil_rate": 1}}')
    assert service.admin("POST", "/v1/rules/reload", BEARER).status == 422
    stale = {"status": "stale", "detail": "3 mistakes, see the log; the previous rules stay in force"}
    assert service.health()["rules"] == service.admin("GET", "/health").json()["rules"] == stale
    service.write_rules(OLD)
    assert service.admin("POST", "/v1/rules/reload", BEARER).status == 200
    assert service.health()["rules"] == {"status": "current"}


# The file changes.


def write_in_place(path, text):
    path.write_text(text)


def write_piece_by_piece(path, text):
    with path.open("w") as file:
        for letter in text:
            file.write(letter)
            file.flush()


def rename_into_place(path, text):
    (path.parent / "new").write_text(text)
    os.replace(path.parent / "new", path)


def save_as_an_editor(path, text):
    """As vim does by default: the old file becomes a backup, and a new one is written in its place."""
    os.rename(path, path.parent / "rate_limits.json~")
    path.write_text(text)
    os.chmod(path, 0o640)
    os.unlink(path.parent / "rate_limits.json~")


def remove_and_create(path, text):
    os.unlink(path)
    path.write_text(text)


CHANGES = [write_in_place, write_piece_by_piece, rename_into_place, save_as_an_editor, remove_and_create]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_reloaded(serve, change):
    service = serve(rules=OLD)
    for capacity in (11, 12, 13):
        change(service.path / "rate_limits.json", json.dumps(rules_of(bucket(capacity))))
        wait_for(lambda: limit(service) == capacity, "the new limit")
    assert "; after a change of the file" in service.log()


def test_a_burst_of_changes_is_few_reloads(serve):
    service = serve(rules=OLD)
    for capacity in range(1001, 1301):
        rename_into_place(service.path / "rate_limits.json", json.dumps(rules_of(bucket(capacity))))
    wait_for(lambda: limit(service) == 1300, "the last one")
    assert attempts(service) <= 30


def test_a_configmap_that_is_updated_is_reloaded(serve, tmp_path):
    volume = Volume(tmp_path / "rules")
    volume.write({"rules.json": json.dumps(OLD)})
    service = serve(flags=("--rules", str(volume.path / "rules.json")))
    for capacity in (2, 3, 4):
        volume.write({"rules.json": json.dumps(rules_of(bucket(capacity)))})
        wait_for(lambda: limit(service) == capacity, "the new limit")


def test_files_of_one_configmap_are_one_change(serve, tmp_path):
    """A mistake in between, where the rules of one version name the clients of another, would be told."""
    volume = Volume(tmp_path / "rules")
    volume.write({"rules.json": json.dumps(OLD)})
    service = serve(flags=("--rules", str(volume.path / "rules.json")))
    for version in range(2, 12):
        name = f"clients-{version}.txt"
        volume.write({"rules.json": json.dumps(rules_of(bucket(version, clients=name))), name: "gold blocked\n"})
        wait_for(lambda: limit(service) == version, "the new limit")
    assert "mistake" not in service.log() and ".txt:" not in service.log()


def test_a_link_to_a_file_in_another_folder_is_watched_at_both_ends(serve, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    real, link = tmp_path / "a" / "real.json", tmp_path / "b" / "link.json"
    real.write_text(json.dumps(OLD))
    link.symlink_to(real)
    service = serve(flags=("--rules", str(link)))
    rename_into_place(real, json.dumps(rules_of(bucket(11))))
    wait_for(lambda: limit(service) == 11, "the file was replaced")
    (tmp_path / "a" / "other.json").write_text(json.dumps(rules_of(bucket(12))))
    (tmp_path / "b" / "new").symlink_to(tmp_path / "a" / "other.json")
    os.replace(tmp_path / "b" / "new", link)
    wait_for(lambda: limit(service) == 12, "the link was replaced")
    write_in_place(tmp_path / "a" / "other.json", json.dumps(rules_of(bucket(13))))
    wait_for(lambda: limit(service) == 13, "the file that it now leads to was written")


def test_a_file_of_clients_is_watched_like_the_rules(serve, tmp_path):
    clients = tmp_path / "clients.txt"
    clients.write_text("gold blocked\n")
    service = serve(rules=rules_of(bucket(5, identify_by=["header:X-API-Key"], clients=str(clients))))
    gold = {"X-API-Key": "gold"}
    assert service.get("/limited-resource", gold).status == 403
    rename_into_place(clients, "gold {\"capacity\": 50}\n")
    wait_for(lambda: service.get("/limited-resource", gold).status == 200, "it is not blocked any more")
    assert limit(service, headers=gold) == 50
    assert "rules reloaded: 1 changed (default: clients)" in service.log()
    rename_into_place(clients, "gold nonsense\n")
    service.says("rules not reloaded")
    assert limit(service, headers=gold) == 50
    rename_into_place(clients, "gold {\"capacity\": 60}\n")
    wait_for(lambda: limit(service, headers=gold) == 60, "the mend")


def write_with_the_old_time(path, text):
    """As cp -p and rsync --inplace may: the same file, as many bytes, and the time of last writing as before."""
    before = path.stat()
    assert len(text) == before.st_size
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_file_of_clients_that_was_written_with_its_old_time_is_reloaded(serve, tmp_path):
    clients = tmp_path / "clients.txt"
    clients.write_text("gold blocked\n")
    service = serve(rules=rules_of(bucket(5, identify_by=["header:X-API-Key"], clients=str(clients))))
    iron = {"X-API-Key": "iron"}
    assert service.get("/limited-resource", iron).status == 200
    write_with_the_old_time(clients, "iron blocked\n")
    wait_for(lambda: service.get("/limited-resource", iron).status == 403, "it is blocked now")


def test_a_file_that_says_the_same_is_not_reloaded(serve):
    service = serve(rules=OLD, env={"LOG_LEVEL": "debug"})
    path = service.path / "rate_limits.json"

    def looks():
        return service.log().count("rules unchanged, after a change of the file")
    for change in CHANGES:
        before = looks()
        change(path, path.read_text())
        wait_for(lambda: looks() > before, f"it has looked after {change.__name__}")
    assert "rules reloaded" not in service.log()


def test_a_file_with_mistakes_that_changes_is_reported_once_and_its_mend_is_reloaded(serve):
    service = serve(rules=OLD)
    path = service.path / "rate_limits.json"
    rename_into_place(path, "{")
    service.says("rules not reloaded: 1 mistake; ")
    os.utime(path)
    os.unlink(path)
    service.says("cannot be read")
    assert limit(service) == 3
    rename_into_place(path, json.dumps(rules_of(bucket(11))))
    wait_for(lambda: limit(service) == 11, "the new limit")


def put_fifo(path):
    os.mkfifo(path)


def put_terminal(path):
    path.symlink_to("/dev/ptmx")


def put_folder(path):
    path.mkdir()


def put_loop(path):
    path.symlink_to(path.name)


WHAT_CANNOT_BE_READ = [(put_fifo, "not a regular file"), (put_terminal, "not a regular file"),
                       (put_folder, "Is a directory"), (put_loop, "Too many levels of symbolic links")]


@pytest.mark.parametrize("put, why", WHAT_CANNOT_BE_READ)
@pytest.mark.parametrize("name", ["rate_limits.json", "clients.txt"])
def test_what_is_no_file_is_not_waited_for(serve, name, put, why):
    service = serve_admin(serve, "memory", "{}")
    (service.path / "clients.txt").write_text("gold blocked\n")
    service.write_rules(rules_of(bucket(3, clients="clients.txt")))
    assert service.admin("POST", "/v1/rules/reload", BEARER).status == 200
    os.unlink(service.path / name)
    put(service.path / name)
    response = service.admin("POST", "/v1/rules/reload", BEARER)
    assert response.status == 422 and why in response.json()["mistakes"][0]
    assert limit(service) == 3
    assert service.stop() == 0


# Under load.


class Load:
    """Clients that ask without a pause until they are told to stop; what they were answered."""

    def __init__(self, service, count=4):
        self.over = threading.Event()
        self.wrong, self.answered = [], 0
        self.threads = [threading.Thread(target=self._ask, args=(service, number)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def _ask(self, service, number):
        body = json.dumps({"rule": "default", "client": f"c{number}"}).encode()
        try:
            with http_client.Connection(service.address) as connection:
                while not self.over.is_set():
                    self._judge(connection.request("GET", "/limited-resource", {"X-A": "a", "X-B": "b"}))
                    self._judge(connection.request("POST", "/v1/check", {}, body))
        except Exception as error:  # in another thread nobody would see it
            self.wrong.append(error)

    def _judge(self, response):
        self.answered += 1
        if response.status != 200 or int(response["X-RateLimit-Limit"]) < 1000000:
            self.wrong.append(response)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def version(number):
    """Rules of which each version identifies by other headers and has other rules before and after."""
    extra = {f"extra-{i}": at(f"/extra/{i}", bucket(5)) for i in range(number % 7)}
    return {**extra, **rules_of(bucket(1000000 + number, "1000/1h", identify_by=["header:X-A" if number % 2 else "header:X-B", "ip"]))}


@pytest.mark.threads
def test_reloads_under_load_fail_no_request(serve, store):
    service = serve_admin(serve, store, version(0))
    path = service.path / "rate_limits.json"
    load = Load(service)
    try:
        for number in range(1, 301):
            text = json.dumps(version(number))
            said = service.log().count("rules reloaded")
            rename_into_place(path, text)
            if number % 3 == 0:
                service.signal(signal.SIGHUP)
            elif number % 3 == 1:
                assert service.admin("POST", "/v1/rules/reload", BEARER).status == 200
                assert limit(service) == 1000000 + number
            wait_for(lambda: service.log().count("rules reloaded") > said, f"reload {number}")
    finally:
        load.stop()
    assert not load.wrong, load.wrong[:3]
    assert load.answered > 300
    wait_for(lambda: limit(service) == 1000300, "the last one")


# Two nodes with different versions.


@pytest.mark.parametrize("algorithm", ["token_bucket", "sliding_window", "sliding_window_counter", "fixed_window"])
def test_two_nodes_with_different_versions_let_pass_no_more_than_the_larger(serve, redis, algorithm):
    small, large = (serve(redis.url, rules_of(each_algorithm(limit)[algorithm])) for limit in (10, 30))
    assert small.statuses(12, "/limited-resource").count(200) == 10
    assert large.statuses(25, "/limited-resource").count(200) == 20
    assert small.statuses(5, "/limited-resource").count(200) == 0
    assert limit(small) == 10 and limit(large) == 30
    reload(small, rules_of(each_algorithm(30)[algorithm]))
    assert small.statuses(5, "/limited-resource").count(200) == 0
    reload(small, rules_of(each_algorithm(32)[algorithm]))
    assert small.statuses(5, "/limited-resource").count(200) == 2


# Counts.


@pytest.mark.parametrize("algorithm", ["token_bucket", "sliding_window", "sliding_window_counter", "fixed_window"])
def test_what_was_spent_stays_spent_under_another_limit(serve, store, algorithm):
    service = serve(store, rules_of(each_algorithm(10)[algorithm]), workers=1)

    def remaining(limit, cost=0):
        reload(service, rules_of(each_algorithm(limit)[algorithm]))
        body = json.dumps({"rule": "default", "client": "u", "cost": cost}).encode()
        decision = service.post("/v1/check", {}, body).json()
        assert decision["limit"] == limit
        return decision["remaining"]
    assert remaining(10, cost=7) == 3
    assert [remaining(limit) for limit in (10, 20, 9, 5, 20, 10)] == [3, 13, 2, 0, 13, 3]


def test_counts_go_on_where_the_algorithm_and_the_period_are_the_same(serve, store):
    def one(limits, **more):
        return rules_of({"limits": limits, **more})

    def allowed(rules):
        reload(service, rules)
        return service.statuses(6, "/limited-resource").count(200)
    a, b = window("fixed_window", 4, "30d"), window("sliding_window", 100, "30d")
    service = serve(store, one([a, b]), workers=1)
    assert service.statuses(6, "/limited-resource").count(200) == 4
    assert allowed(one([a])) == 0, "one is removed, the other one is where it was"
    assert allowed(one([b, a])) == 4, "in another order"
    assert allowed(one([a, b])) == 0, "and back"
    assert allowed(one([window("fixed_window", 4, "60d"), b])) == 4, "another period"
    assert allowed(one([{**a, "limit": 6}], identify_by=["header:X-None", "ip"])) == 2, "the same client"
    assert allowed(one([a], identify_by=["global"])) == 4, "another client"
    assert allowed({"renamed": {"match": {"path": "/limited-resource"}, **a}}) == 4, "another name"


# Memory.


def resident_kb(service):
    """What is resident and not shared; the kernel's count, proc(5), smaps_rollup."""
    text = (pathlib.Path("/proc") / str(service.process.pid) / "smaps_rollup").read_text()
    return sum(int(size) for size in re.findall(r"^(?:Private_Dirty|Private_Clean): +(\d+) kB", text, re.MULTILINE))


RELOADS = int(os.environ.get("RATELIMITD_RELOADS", 2000))
# The address sanitizer keeps what was freed, up to a bound, which the first reloads fill.
SMALL_QUARANTINE = {"ASAN_OPTIONS": ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=2")))}


def test_many_reloads_leave_nothing_in_memory(serve):
    service = serve_admin(serve, "memory", version(0), env=SMALL_QUARANTINE)
    with http_client.Connection(service.admin_address) as connection:
        def reload_many(numbers):
            for number in numbers:
                service.write_rules(version(number))
                assert connection.request("POST", "/v1/rules/reload", BEARER, b"", "localhost").status == 200
                assert service.get("/health").status == 200  # not a limit's answer: those are cached
        reload_many(range(RELOADS // 4))
        before_kb = resident_kb(service)
        reload_many(range(RELOADS // 4, RELOADS))
        after_kb = resident_kb(service)
    print(f"{RELOADS} reloads: {before_kb} kB after a quarter of them, {after_kb} kB after all")
    assert after_kb < before_kb + 4096
