"""Rules that change while the service runs: what is in force, what is counted on, and what a mistake leaves as it was."""
import signal

from rules import at, bucket, rules_of
from waiting import wait_for

OLD = rules_of(bucket(3), api=at("/api/data", bucket(5)))


def limit(service, path="/limited-resource", headers=()):
    return int(service.get(path, headers)["X-RateLimit-Limit"])


def reload(service, rules):
    """By SIGHUP; returns when it is over."""
    said = service.log().count("SIGHUP: ")
    service.write_rules(rules)
    service.signal(signal.SIGHUP)
    wait_for(lambda: service.log().count("SIGHUP: ") > said, "it says what came of SIGHUP")


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
