"""GET /metrics: what it counts, in both formats, and who may ask."""
import json
import shutil
import subprocess
import time

import pytest

import http_client
import service as services
import threads
from http_client import chunked, request_bytes
from rules import ROOMY, at, bucket, rules_of
from scraping import OPENMETRICS, PROMETHEUS, Scrape, scrape
from waiting import wait_for

LOCAL = "127.0.0.1:0"
BEARER = {"Authorization": "Bearer the-token-of-the-operator"}
WITH_TOKEN = {"ADMIN_TOKEN": "the-token-of-the-operator"}
ODD = "it-s.an_odd-name"
RULES = rules_of(bucket(3), **{
    "shadow": at("/api/data", bucket(1, shadow=True)),
    "blocked": at("/limited-resource", bucket(9, clients={"127.0.0.1": "blocked"})),
    "punished": at("/api/submit", bucket(1, penalty={"after": 1, "within": "1h", "for": "1h"})),
    "named": bucket(2, candidate=bucket(1))})


def check(service, rule, client="u"):
    return service.post("/v1/check", body=json.dumps({"rule": rule, "client": client}).encode()).status


def ask_all(service):
    """A session whose counts are known."""
    assert service.statuses(5, "/") == [200, 200, 200, 429, 429]
    assert service.statuses(3, "/api/data") == [200, 200, 200]
    assert service.statuses(2, "/limited-resource") == [403, 403]
    assert service.statuses(4, "/api/submit", method="POST") == [200, 429, 429, 429]
    assert [check(service, "named") for _ in range(3)] == [200, 200, 429]
    assert service.statuses(2, "/nowhere") == [404, 404]
    assert service.post("/v1/check", body=b"{").status == 400


def test_decisions_and_answers_are_those_of_a_counted_session(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    wait_for(lambda: service.health()["status"] == "ok", "every worker has its store")
    before = scrape(service)["ratelimitd_http_answers_total", "200"]
    ask_all(service)
    wait_for(lambda: scrape(service)["ratelimitd_candidate_decisions_total", "named", "refused"] == 2, "nobody waits for it")
    found = scrape(service)
    assert found["ratelimitd_candidate_decisions_total", "named", "allowed"] == 1
    decisions = {tuple(text for _, text in labels): value
                 for (_, labels), value in found.families["ratelimitd_decisions_total"].samples.items() if value}
    assert decisions == {
        ("default", "allowed"): 3, ("default", "refused"): 2, ("shadow", "allowed"): 1, ("shadow", "shadow_refused"): 2,
        ("blocked", "blocked"): 2, ("punished", "allowed"): 1, ("punished", "refused"): 1, ("punished", "penalised"): 2,
        ("named", "allowed"): 2, ("named", "refused"): 1}
    near = {labels[0][1]: value for (_, labels), value in found.families["ratelimitd_near_limit_decisions_total"].samples.items()}
    assert near == {"default": 1, "shadow": 1, "blocked": 0, "punished": 1, "named": 1}
    answers = {status: found["ratelimitd_http_answers_total", status] for status in ("200", "400", "403", "404", "429", "503")}
    assert answers == {"200": before + 9, "400": 1, "403": 2, "404": 2, "429": 6, "503": 0}
    assert found["ratelimitd_decision_duration_seconds_count"] == 15, "blocked clients are not asked about"
    assert found["ratelimitd_decision_duration_seconds_bucket", "1.0"] >= 14, "and took a time that can be"
    assert 0 < found["ratelimitd_decision_duration_seconds_sum"] < 15
    assert (found["ratelimitd_http_connections"], found["ratelimitd_rules"]) == (1, 5)


def by_limit(service, rule="default"):
    samples = scrape(service).families["ratelimitd_limit_refusals_total"].samples
    return {dict(labels)["limit"]: value for (_, labels), value in samples.items() if dict(labels)["rule"] == rule}


def window(limit, length, **more):
    return {"limit": limit, "window": length, "algorithm": "fixed_window", **more}


@pytest.mark.parametrize("shadow", [{}, {"shadow": True}])
def test_a_refusal_is_counted_for_the_limit_that_refuses_longest(serve, store, shadow):
    limits = {"limits": [window(9, "1h"), window(2, "1d"), window(2, "1h")], **shadow}
    service = serve(store, rules_of(limits, other=bucket(1)), admin=LOCAL)
    assert by_limit(service) == {"0": 0, "1": 0, "2": 0}
    for _ in range(5):
        check(service, "default")
    assert by_limit(service) == {"0": 0, "1": 3, "2": 0} and by_limit(service, "other") == {"0": 0}
    assert sum(scrape(service)["ratelimitd_decisions_total", "default", result]
               for result in ["allowed", "shadow_refused" if shadow else "refused"]) == 5


def test_a_refusal_by_limits_of_its_own_is_counted_as_such(serve, store):
    service = serve(store, rules_of(window(9, "1d", clients={"u": {"limit": 1}})), admin=LOCAL)
    assert [check(service, "default") for _ in range(3)] == [200, 429, 429]
    assert by_limit(service) == {"0": 0, "own": 2}


def test_redis_is_counted(serve, redis):
    service = serve(redis.url, rules_of(bucket(1)), admin=LOCAL, workers=1)
    wait_for(lambda: service.health()["status"] == "ok", "the store is there")
    before = scrape(service)
    assert service.statuses(4, "/") == [200, 429, 429, 429]
    found = scrape(service)
    assert found["ratelimitd_store_info", "redis"] == found["ratelimitd_store_workers", "ready"] == 1
    assert found["ratelimitd_redis_decisions_total"] == 2, "the other two by the denial cache"
    assert found["ratelimitd_denial_cache_answers_total"] == 2
    commands = found["ratelimitd_redis_commands_total"] - before["ratelimitd_redis_commands_total"]
    assert commands in (2, 3), "and once more with the script's text, where Redis did not have it"
    assert found["ratelimitd_redis_command_duration_seconds_count"] == commands
    assert found["ratelimitd_redis_sent_bytes_total"] > 100 < 100 * found["ratelimitd_redis_received_bytes_total"]
    assert found["ratelimitd_redis_connections_total"] == 1
    assert found["ratelimitd_redis_late_decisions_total"] == found["ratelimitd_redis_stalls_total"] == 0


def test_an_error_is_counted_by_its_code(serve, redis):
    service = serve(redis.url, rules_of(bucket(1), roomy=ROOMY), admin=LOCAL, workers=1)
    wait_for(lambda: service.health()["status"] == "ok", "the store is there")
    assert check(service, "roomy") == 200
    (key,) = redis.keys()
    redis.command("SET", key.replace("roomy", "default"), "not ours")
    redis.command("DEL", key)
    redis.command("LPUSH", key, "not ours")
    assert check(service, "roomy") == 503
    found = scrape(service)
    assert found["ratelimitd_redis_errors_total", "WRONGTYPE"] == 1
    assert found["ratelimitd_decisions_total", "roomy", "unavailable"] == 1
    assert found["ratelimitd_degraded_decisions_total", "roomy", "closed"] == 1


def test_what_waits_for_the_store_is_in_flight_until_it_is_answered(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), admin=LOCAL, workers=1, env={"REDIS_TIMEOUT_MS": "60000"})
    wait_for(lambda: service.health()["status"] == "ok", "the store is there")

    def in_flight(count):
        wait_for(lambda: scrape(service)["ratelimitd_store_inflight_requests"] == count, f"{count} are in flight")

    in_flight(0)
    redis.freeze()
    waiting = [service.connect() for _ in range(3)]
    for connection in waiting:
        connection.send(request_bytes("GET", "/"))
    in_flight(3)
    redis.thaw()
    assert [connection.read_response().status for connection in waiting] == [200, 200, 200]
    in_flight(0)


def test_a_stall_and_what_comes_too_late_are_counted(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), admin=LOCAL, workers=1, env={"REDIS_TIMEOUT_MS": "200"})
    wait_for(lambda: service.health()["status"] == "ok", "the store is there")
    redis.freeze()
    assert service.get("/").status == 503
    assert scrape(service)["ratelimitd_redis_stalls_total"] == 1
    redis.thaw()
    wait_for(lambda: service.get("/").status == 200, "Redis is back")
    found = scrape(service)
    lost = found["ratelimitd_redis_connection_losses_total"]  # a slow machine gives the connection up before the thaw
    assert found["ratelimitd_redis_late_decisions_total"] + lost >= 1


def test_a_connection_that_is_lost_and_found_is_counted(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), admin=LOCAL, workers=1)
    wait_for(lambda: service.health()["status"] == "ok", "the store is there")
    redis.kill()
    wait_for(lambda: scrape(service)["ratelimitd_redis_connection_failures_total"] > 0, "it tries to connect")
    assert scrape(service)["ratelimitd_store_workers", "ready"] == 0
    redis.start()
    wait_for(lambda: scrape(service)["ratelimitd_redis_connections_total"] == 2, "it is connected again")
    assert scrape(service)["ratelimitd_redis_connection_losses_total"] == 1


def test_reloads_good_and_bad_and_the_age_of_the_rules(serve):
    began = time.time()
    service = serve(rules=rules_of(bucket(1)), admin=LOCAL, env=WITH_TOKEN)
    first = scrape(service, BEARER)
    assert began - 1 < first["ratelimitd_rules_loaded_timestamp_seconds"] <= time.time()
    assert service.get("/").status == 200
    service.write_rules("{")
    assert service.admin("POST", "/v1/rules/reload", BEARER).status == 422
    bad = scrape(service, BEARER)
    assert bad["ratelimitd_last_reload_successful"] == 0 < bad["ratelimitd_reloads_total", "refused"]
    assert bad["ratelimitd_rules_loaded_timestamp_seconds"] == first["ratelimitd_rules_loaded_timestamp_seconds"]
    service.write_rules(rules_of(bucket(2), more=bucket(1)))
    assert service.admin("POST", "/v1/rules/reload", BEARER).status == 200
    good = scrape(service, BEARER)
    assert good["ratelimitd_last_reload_successful"] == 1 <= good["ratelimitd_reloads_total", "done"]
    assert good["ratelimitd_rules_loaded_timestamp_seconds"] > first["ratelimitd_rules_loaded_timestamp_seconds"]
    assert (good["ratelimitd_rules"], good["ratelimitd_decisions_total", "default", "allowed"]) == (2, 1), "counted on"


def counted_413(service):
    found = scrape(service)
    return found if found["ratelimitd_http_answers_total", "413"] == 2 else None


def test_a_body_that_is_refused_is_counted(serve):
    service = serve(admin=LOCAL, env={"MAX_BODY_BYTES": "10"})
    assert service.post("/api/submit", body=b"x" * 11).status == 413
    assert service.post("/api/submit", {"Transfer-Encoding": "chunked"}, chunked(b"x" * 11)).status == 413
    # An answer is counted when it is over, which may be after the client has read it.
    found = wait_for(lambda: counted_413(service), "both answers are counted")
    assert found["ratelimitd_http_bodies_refused_total", "too_long"] == 2


def test_connections_that_are_open_and_refused_are_counted(serve):
    service = serve(admin=LOCAL, env={"MAX_CONNECTIONS": "2"}, workers=1)
    held = [service.connect() for _ in range(2)]
    assert [connection.get("/health").status for connection in held] == [200, 200]
    found = scrape(service)
    assert (found["ratelimitd_http_connections"], found["ratelimitd_http_connections_max"]) == (2, 2)
    for connection in held:
        connection.close()
    wait_for(lambda: scrape(service)["ratelimitd_http_connections"] == 0, "they are closed")
    assert scrape(service)["ratelimitd_http_connections_accepted_total"] == 2


def test_the_table_in_memory_is_counted(serve):
    service = serve(admin=LOCAL, rules=rules_of(bucket(1), named=bucket(5)), env={"MEMORY_MAX_KEYS": "1000"})
    for client in range(1500):
        assert check(service, "named", f"client-{client}") == 200
    found = scrape(service)
    assert found["ratelimitd_memory_entries_max"] == 1000
    assert found["ratelimitd_memory_entries"] + found["ratelimitd_memory_evictions_total"] == 1500
    assert found["ratelimitd_memory_evictions_total"] > 0
    assert found["ratelimitd_memory_bytes"] >= 64 * found["ratelimitd_memory_entries"]


def test_the_bytes_of_the_table_grow_with_the_keys_and_the_logs_of_windows(serve):
    log = {"limit": 100, "window": "1d", "algorithm": "sliding_window"}
    service = serve(admin=LOCAL, rules=rules_of(bucket(1), named=bucket(5), log=log))
    before = scrape(service)["ratelimitd_memory_bytes"]
    check(service, "named")
    after = scrape(service)["ratelimitd_memory_bytes"]
    for _ in range(50):
        check(service, "log")
    assert before == 0 < after < scrape(service)["ratelimitd_memory_bytes"] - 50 * 16


def test_the_process_is_shown_as_official_clients_do(serve):
    service = serve(admin=LOCAL)
    found = scrape(service)
    assert found["process_open_fds"] < found["process_max_fds"]
    assert found["process_resident_memory_bytes"] < found["process_virtual_memory_bytes"]
    assert abs(found["process_start_time_seconds"] - time.time()) < 600
    assert found["process_cpu_seconds_total"] > 0
    version = services.run("--version", directory=service.path).stdout.split()[-1]
    assert found["ratelimitd_build_info", version] == 1


# Formats.

def in_openmetrics(service):
    return service.admin("GET", "/metrics", {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})


def test_both_formats_have_the_same_samples(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    plain, open_ = service.admin("GET", "/metrics"), in_openmetrics(service)
    assert (plain["Content-Type"], open_["Content-Type"]) == (PROMETHEUS, OPENMETRICS)
    assert plain["Vary"] == open_["Vary"] == "Accept"
    plain, open_ = Scrape(plain.body.decode()), Scrape(open_.body.decode())
    assert (plain.is_ended, open_.is_ended) == (False, True)
    assert [list(family.samples) for family in plain.families.values()] == \
        [list(family.samples) for family in open_.families.values()]
    for (name, family), other in zip(plain.families.items(), open_.families.values()):
        suffix = {"counter": "_total", "info": "_info"}.get(other.type, "")
        assert (name, family.type) == (other.name + suffix, "gauge" if other.type == "info" else other.type)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_has_nothing_to_say(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    ask_all(service)
    text = service.admin("GET", "/metrics").body
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_prometheus_own_parsers_read_both_formats(serve, store):
    parser = pytest.importorskip("prometheus_client.parser")
    strict = pytest.importorskip("prometheus_client.openmetrics.parser")
    service = serve(store, RULES, admin=LOCAL)
    ask_all(service)
    plain = list(parser.text_string_to_metric_families(service.admin("GET", "/metrics").body.decode()))
    open_ = list(strict.text_string_to_metric_families(in_openmetrics(service).body.decode()))
    assert len(plain) == len(open_) > 20


def test_histograms_are_cumulative(serve, store):
    service = serve(store, RULES, admin=LOCAL)
    ask_all(service)
    for family in scrape(service).families.values():
        if family.type != "histogram":
            continue
        buckets = [value for (name, _), value in family.samples.items() if name.endswith("_bucket")]
        assert buckets == sorted(buckets) and buckets[-1] == family.samples[(family.name + "_count", ())]


def test_an_odd_name_of_a_rule_is_the_value_of_a_label(serve):
    service = serve(rules={ODD: bucket(1)}, admin=LOCAL)
    assert check(service, ODD) == 200
    assert scrape(service)["ratelimitd_decisions_total", ODD, "allowed"] == 1


@pytest.mark.parametrize("name", ['a"} 1', "a\nratelimitd_rules 7", "a\\", "{}", "", " ", "x" * 65, "caf\u00e9", "\u202e", "a\0b"])
def test_a_hostile_name_of_a_rule_is_in_no_label(serve, name):
    service = serve(rules=rules_of(bucket(1)), admin=LOCAL, env=WITH_TOKEN)
    before = scrape(service, BEARER).families["ratelimitd_decisions_total"].samples
    service.write_rules({"default": bucket(1), name: bucket(1)})
    assert service.admin("POST", "/v1/rules/reload", BEARER).status == 422
    found = scrape(service, BEARER)
    assert found.families["ratelimitd_decisions_total"].samples == before and found["ratelimitd_rules"] == 1


def test_ten_thousand_rules_are_too_many(serve):
    service = serve(rules=rules_of(bucket(1)), admin=LOCAL, env=WITH_TOKEN)
    service.write_rules({f"r{number}": {"limit": 1} for number in range(10000)})
    answer = service.admin("POST", "/v1/rules/reload", BEARER)
    assert answer.status == 422 and "10000 rules; at most 1024 are accepted" in answer.body.decode()
    assert scrape(service, BEARER)["ratelimitd_rules"] == 1


def test_a_thousand_rules_are_scraped_at_once(serve):
    rules = {f"rule-{number:04}": bucket(5) for number in range(1000)}
    service = serve(rules=rules, admin=LOCAL)
    assert check(service, "rule-0999") == 200
    found = scrape(service)
    assert found["ratelimitd_decisions_total", "rule-0999", "allowed"] == 1
    assert len(found.families["ratelimitd_decisions_total"].samples) == 5000
    assert len(found.families["ratelimitd_near_limit_decisions_total"].samples) == 1000


# Scrapes that take long.

LONGEST = {f"rule-{number:04}".ljust(64, "x"): bucket(5) for number in range(1024)}  # the most, with the longest names
SCRAPE = request_bytes("GET", "/metrics", host="localhost")


def test_a_scrape_under_way_delays_no_request(serve):
    service = serve(rules={"default": bucket(1000), **dict(list(LONGEST.items())[1:])}, admin=LOCAL, workers=2)
    asked = [service.connect() for _ in range(8)]  # whichever workers have them
    with http_client.Connection(service.admin_address) as scraper:
        scraper.send(SCRAPE * 20)
        assert scraper.read_response().status == 200
        with threads.held(service.process.pid, "admin"):  # among the other 19: no buffer has room for them
            assert [connection.get("/").status for connection in asked * 20] == [200] * 160
        bodies = [scraper.read_response().body for _ in range(19)]
    assert Scrape(bodies[-1].decode())["ratelimitd_decisions_total", "default", "allowed"] == 160


def test_a_public_scrape_goes_a_step_at_a_time(serve):
    """The requests that come with it are answered before its last step: it has counted them."""
    rules = {**dict(list(LONGEST.items())[1:]), "default": bucket(1000)}
    service = serve(rules=rules, workers=1, env={"METRICS_PUBLIC": "on"})
    scraper, *others = [service.connect() for _ in range(6)]
    assert [connection.get("/health").status for connection in (scraper, *others)] == [200] * 6
    with threads.held(service.process.pid, "worker"):
        for connection, path in [(scraper, "/metrics"), *[(other, "/") for other in others]]:
            connection.send(request_bytes("GET", path))
    assert [connection.read_response().status for connection in others] == [200] * 5
    found = Scrape(scraper.read_response().body.decode())
    assert found["ratelimitd_decisions_total", "default", "allowed"] == 5
    assert len(found.families["ratelimitd_decisions_total"].samples) == 5 * 1024


def test_a_public_scraper_that_hangs_up_takes_its_scrape_along(serve):
    service = serve(rules=LONGEST, workers=1, env={"METRICS_PUBLIC": "on"})
    for _ in range(3):
        with service.connect() as connection:
            connection.send(request_bytes("GET", "/metrics"))
    response = service.get("/metrics")
    assert response.status == 200 and "ratelimitd_build_info" in Scrape(response.body.decode())
    with service.connect() as connection:
        connection.send(request_bytes("GET", "/metrics", {"Accept": "application/openmetrics-text"}))
        assert service.stop() == 0


def test_a_crowd_that_is_the_first_to_ask_does_not_get_an_answer_each(serve):
    """That would take the memory of as many long answers at once."""
    service = serve(rules=LONGEST, workers=1, env={"METRICS_PUBLIC": "on"})
    crowd = [service.connect() for _ in range(40)]
    assert {connection.get("/health").status for connection in crowd} == {200}
    with threads.held(service.process.pid, "worker"):
        for connection in crowd:
            connection.send(request_bytes("GET", "/metrics"))
    statuses = [connection.read_response().status for connection in crowd]
    assert set(statuses) == {200, 503} and statuses.count(200) < len(crowd) / 2
    assert {connection.get("/metrics").status for connection in crowd} == {200}, "there is one now"


def test_a_public_scraper_that_does_not_read_keeps_no_news_from_others(serve):
    service = serve(rules={**dict(list(LONGEST.items())[1:]), "default": bucket(1000)}, workers=1, env={"METRICS_PUBLIC": "on"})
    with service.connect() as deaf:
        deaf.send(request_bytes("GET", "/metrics") * 10)
        assert service.get("/").status == 200

        def is_told():
            found = Scrape(service.get("/metrics").body.decode())
            return found["ratelimitd_decisions_total", "default", "allowed"] == 1
        wait_for(is_told, "another scrape has the news")


def test_scrapers_that_do_not_read_are_nobody_elses_concern(serve):
    service = serve(rules=LONGEST, admin=LOCAL, workers=1, env={"ASAN_OPTIONS": "quarantine_size_mb=1"})
    body_bytes = len(service.admin("GET", "/metrics").body)
    before = scrape(service)["process_resident_memory_bytes"]
    deaf = [http_client.Connection(service.admin_address) for _ in range(10)]
    for connection in deaf:
        connection.send(SCRAPE * 10)
    for _ in range(3):
        found = scrape(service)
        assert service.get("/").status == 200 == service.admin("GET", "/health").status
    held = found["process_resident_memory_bytes"] - before
    assert held < 2 * body_bytes * (len(deaf) + 4), "each of them holds one answer, however many it asked for"
    slow = deaf.pop()
    assert Scrape(slow.read_response().body.decode()).families.keys() == found.families.keys(), "late, but all of it"
    for connection in [slow, *deaf]:
        connection.close()


# Who may ask.

def test_it_is_of_the_admin_listener_alone_unless_it_is_made_public(serve):
    assert serve(admin=LOCAL).get("/metrics").status == 404
    service = serve(admin=LOCAL, env={"METRICS_PUBLIC": "on", **WITH_TOKEN})
    assert service.admin("GET", "/metrics").status == 401
    assert service.admin("GET", "/metrics", BEARER).status == 200
    response = service.get("/metrics")
    assert (response.status, response["Content-Type"]) == (200, PROMETHEUS)
    assert "ratelimitd_decisions_total" in Scrape(response.body.decode())
    assert service.request("HEAD", "/metrics").body == b"" and service.post("/metrics").status == 405
    assert service.get("/nowhere").status == 404


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text"])
@pytest.mark.parametrize("body", [None, chunked(b"x")])
def test_the_public_answer_is_made_once_in_a_second_whoever_asks(serve, accept, body):
    service = serve(env={"METRICS_PUBLIC": "on"}, workers=1)
    headers = {"Accept": accept, **({"Transfer-Encoding": "chunked"} if body else {})}
    began = time.monotonic()
    bodies = {service.request("GET", "/metrics", headers, body).body for _ in range(50)}
    assert len(bodies) <= time.monotonic() - began + 2


def test_what_the_admin_listener_does_is_no_news_of_the_service(serve, redis):
    service = serve(redis.url, RULES, admin=LOCAL, workers=1)
    wait_for(lambda: service.health()["status"] == "ok", "the store is there")
    before = scrape(service)
    for _ in range(3):
        assert service.admin("GET", "/v1/clients/ip=192.0.2.1").status == 200
    found = scrape(service)
    for name in ("ratelimitd_redis_commands_total", "ratelimitd_http_connections_accepted_total",
                 "ratelimitd_decision_duration_seconds_count"):
        assert found[name] == before[name], name


@pytest.mark.threads
def test_scrapes_read_what_workers_count_meanwhile(serve):
    service = serve(rules=rules_of(ROOMY), admin=LOCAL, workers=2)
    connections = [service.connect() for _ in range(8)]
    last = 0
    for _ in range(20):
        for connection in connections:
            assert connection.get("/").status == 200
        found = scrape(service)["ratelimitd_decisions_total", "default", "allowed"]
        assert found >= last
        last = found
    assert last == 160


# The documentation.

def documented():
    """The rows of the table in docs/metrics.md: name, type, labels, help."""
    page = (services.REPOSITORY / "docs/metrics.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    return [(name.strip("`"), type_, labels.replace("`", ""), help_) for name, type_, labels, help_ in
            (row for row in rows if len(row) == 4)]


def test_every_metric_is_documented_in_its_order_and_words(serve, redis):
    shown = [(family.name, family.type, ", ".join(label for label in family.labels() if label != "le"), family.help)
             for family in scrape(serve(redis.url, RULES, admin=LOCAL)).families.values()]
    assert shown == documented()
