"""Several services over one Redis, under load and under faults: never more than the limit, never no answer."""
import threading

import pytest

import structured_fields
from http_client import ConnectionEnded
from rules import NEVER, at, bucket, each_algorithm, rules_of, window
from waiting import wait_for

CLIENTS = 8
# Long enough that a slow machine answers in time: these tests are about counting.
PATIENT = {"REDIS_TIMEOUT_MS": "30000"}


class Load:
    """CLIENTS threads that send requests, spread over the services, until they have sent enough or are stopped."""

    def __init__(self, services, path="/", each=None, headers=None):
        self.statuses, self.responses, self.unanswered = [], [], []
        self._stopping = threading.Event()
        self._work = (path, each, headers or {})
        connections = [services[i % len(services)].connect() for i in range(CLIENTS)]
        self._threads = [threading.Thread(target=self._run, args=(connection,), daemon=True)
                         for connection in connections]
        for thread in self._threads:
            thread.start()

    def _run(self, connection):
        path, each, headers = self._work
        sent = 0
        while (each is None or sent < each) and not self._stopping.is_set():
            sent += 1
            try:
                response = connection.get(path, headers)
                self.statuses.append(response.status)
                self.responses.append(response)
            except (ConnectionEnded, OSError) as error:
                self.unanswered.append(error)
                return

    def finish(self):
        self._stopping.set()
        return self.join()

    def join(self):
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "a request was never answered"
        assert not self.unanswered
        return self.statuses


@pytest.mark.threads
@pytest.mark.parametrize("algorithm", each_algorithm(1))
def test_eight_clients_over_two_nodes_never_pass_more_than_the_limit(serve, redis, algorithm):
    rules = rules_of(each_algorithm(100)[algorithm])
    services = [serve(redis.url, rules, env=PATIENT) for _ in range(2)]
    statuses = Load(services, each=40).join()
    assert statuses.count(200) == 100
    assert statuses.count(429) == CLIENTS * 40 - 100


@pytest.mark.threads
@pytest.mark.parametrize("algorithm", each_algorithm(1))
def test_eight_clients_over_one_memory_never_pass_more_than_the_limit(serve, algorithm):
    services = [serve(rules=rules_of(each_algorithm(100)[algorithm]), workers=4)]
    statuses = Load(services, each=40).join()
    assert statuses.count(200) == 100
    assert statuses.count(429) == CLIENTS * 40 - 100


@pytest.mark.threads
def test_several_limits_over_two_nodes_are_all_or_nothing(serve, redis):
    limits = [*each_algorithm(1000).values(), window("sliding_window", 20, "500ms")]
    services = [serve(redis.url, rules_of({"limits": limits}), env=PATIENT) for _ in range(2)]
    statuses = Load(services, each=30).join()
    assert statuses.count(429) > 0
    response = wait_for(lambda: passes(services[0], statuses), "it passes again")
    # One refused request that was spent anywhere would show in what is left of the others.
    shown = dict(structured_fields.parse(response["RateLimit"]))
    assert [shown[f"default:{i}"]["r"] for i in range(4)] == [1000 - statuses.count(200)] * 4


def passes(service, statuses):
    """Asks once more, and returns the answer if it was allowed."""
    response = service.get("/")
    statuses.append(response.status)
    return response if response.status == 200 else None


@pytest.mark.parametrize("algorithm", each_algorithm(1))
def test_a_script_cache_that_is_flushed_under_load_shows_nowhere(serve, redis, algorithm):
    services = [serve(redis.url, rules_of(each_algorithm(300)[algorithm]), env=PATIENT) for _ in range(2)]
    load = Load(services)
    for _ in range(50):
        redis.command("SCRIPT", "FLUSH")
    wait_for(lambda: load.statuses.count(200) >= 300, "the limit is reached")
    redis.command("SCRIPT", "FLUSH")
    statuses = load.finish()
    assert statuses.count(200) == 300
    assert set(statuses) <= {200, 429}


def test_a_redis_that_is_killed_under_load_costs_503_and_nothing_else(serve, redis):
    limit, lives = 50, 4
    services = [serve(redis.url, rules_of(bucket(limit, NEVER))) for _ in range(2)]
    load = Load(services)
    for life in range(lives):
        wait_for(lambda life=life: load.statuses.count(200) >= limit * (life + 1) - CLIENTS, "the limit is reached")
        if life < lives - 1:
            refused = load.statuses.count(503)
            redis.kill()
            wait_for(lambda refused=refused: load.statuses.count(503) > refused, "it is missed")
            redis.start()
    statuses = load.finish()
    assert set(statuses) <= {200, 429, 503}
    # What a killed Redis had counted and not yet answered, one request a client at most, was given to nobody.
    assert limit * lives - CLIENTS * lives <= statuses.count(200) <= limit * lives


def test_connections_that_are_killed_under_load_never_pass_more(serve, redis):
    """Redis keeps its counters; what was in flight may be counted, but not given twice."""
    services = [serve(redis.url, rules_of(bucket(200, NEVER))) for _ in range(2)]
    load = Load(services)
    for _ in range(20):
        redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    wait_for(lambda: load.statuses and load.statuses[-1] == 429, "the limit is reached")
    statuses = load.finish()
    assert set(statuses) <= {200, 429, 503}
    assert statuses.count(200) <= 200


def test_pauses_of_redis_under_load_never_pass_more(serve, redis):
    services = [serve(redis.url, rules_of(bucket(200, NEVER)), env={"REDIS_TIMEOUT_MS": "50"}) for _ in range(2)]
    load = Load(services)
    for _ in range(5):
        before = load.statuses.count(503)
        redis.freeze()
        wait_for(lambda before=before: load.statuses.count(503) > before, "it is missed")
        redis.thaw()
    wait_for(lambda: load.statuses[-1] == 429, "the limit is reached")
    statuses = load.finish()
    assert set(statuses) <= {200, 429, 503}
    assert statuses.count(200) <= 200


@pytest.mark.threads
def test_local_decisions_of_all_workers_share_one_table(serve, redis):
    rules = rules_of(bucket(1000), data=at("/api/data", bucket(100, on_store_failure="local")))
    service = serve(redis.url, rules, workers=4)
    redis.kill()
    statuses = Load([service], "/api/data", each=30).join()
    assert statuses.count(200) == 100
    assert set(statuses) == {200, 429}


@pytest.mark.threads
def test_many_clients_in_a_small_table_are_answered(serve):
    rules = rules_of(bucket(1, identify_by=["header:user_id"]))
    service = serve(rules=rules, env={"MEMORY_MAX_KEYS": "1000"}, workers=2)
    connection = service.connect()
    for user in range(5000):
        assert connection.get("/", {"user_id": f"u{user}"}).status == 200
    assert connection.get("/", {"user_id": "u4999"}).status == 429, "the newest are still known"


# Two versions of one rule that nodes have while an update rolls over them: what each counts means nothing to
# the other.
VERSIONS = [
    (bucket(5), window("fixed_window", 5)),
    (window("sliding_window", 5), window("sliding_window_counter", 5)),
    (window("fixed_window", 5), window("sliding_window", 5)),
    (window("fixed_window", 5, "30d"), window("fixed_window", 5, "300d")),
    (window("sliding_window_counter", 5, "30d"), window("sliding_window_counter", 5, "300d")),
    (bucket(5, "1/1h"), bucket(5, "7/24h")),
    ({"limits": [window("fixed_window", 5, "30d"), window("fixed_window", 900, "300d")]},
     {"limits": [window("fixed_window", 900, "300d"), window("fixed_window", 5, "30d")]}),
]


@pytest.mark.parametrize("old, new", VERSIONS)
def test_nodes_with_two_versions_of_a_rule_pass_its_limit_each_at_most(serve, redis, old, new):
    nodes = [serve(redis.url, rules_of(rule), workers=1, env=PATIENT) for rule in (old, new)]
    statuses = [node.get("/").status for _ in range(20) for node in nodes]
    assert (statuses.count(200), statuses.count(429)) == (10, 30)


def test_a_limit_that_is_lowered_keeps_its_counts_on_all_nodes(serve, redis):
    nodes = [serve(redis.url, rules_of(window("fixed_window", limit)), workers=1, env=PATIENT) for limit in (10, 5)]
    statuses = [node.get("/").status for _ in range(20) for node in nodes]
    assert statuses.count(200) == 10, "they count together"
    assert statuses[1::2].count(200) == 2, "the lower limit is reached by the sixth"
