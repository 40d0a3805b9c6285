"""Rules that change while the service runs: what is in force, what is counted on, and what a mistake leaves as it was."""
import json
import os
import shutil
import signal

import pytest

from rules import at, bucket, rules_of
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


def configmap(folder, version, text):
    """A folder as Kubernetes mounts a ConfigMap: the path goes through ..data, which is swapped by a rename."""
    data = folder / f"..{version}"
    data.mkdir()
    (data / "rules.json").write_text(text)
    (folder / "..data_tmp").symlink_to(data.name)
    os.replace(folder / "..data_tmp", folder / "..data")
    if not (folder / "rules.json").is_symlink():
        (folder / "rules.json").symlink_to("..data/rules.json")


def test_a_configmap_that_is_updated_is_reloaded(serve, tmp_path):
    configmap(tmp_path, 1, json.dumps(OLD))
    service = serve(flags=("--rules", str(tmp_path / "rules.json")))
    for version in (2, 3, 4):
        configmap(tmp_path, version, json.dumps(rules_of(bucket(version))))
        shutil.rmtree(tmp_path / f"..{version - 1}")
        wait_for(lambda: limit(service) == version, "the new limit")


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


def test_a_file_that_says_the_same_is_not_reloaded(serve):
    service = serve(rules=OLD, env={"LOG_LEVEL": "debug"})
    path = service.path / "rate_limits.json"

    def looks():
        return service.log().count("rules as before, after a change of the file")
    for change in CHANGES:
        before = looks()
        change(path, path.read_text())
        wait_for(lambda: looks() > before, f"it has looked after {change.__name__}")
    assert "rules reloaded" not in service.log()


def test_a_file_with_mistakes_that_changes_is_reported_once_and_its_mend_is_reloaded(serve):
    service = serve(rules=OLD)
    path = service.path / "rate_limits.json"
    rename_into_place(path, "{")
    service.says("rules not reloaded: 1 mistake in rate_limits.json")
    os.utime(path)
    os.unlink(path)
    service.says("cannot be read")
    assert limit(service) == 3
    rename_into_place(path, json.dumps(rules_of(bucket(11))))
    wait_for(lambda: limit(service) == 11, "the new limit")
