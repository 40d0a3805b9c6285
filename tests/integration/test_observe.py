"""deploy/observe: Debian's Prometheus scrapes a service; the alerts; every panel of the dashboard has data."""
import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

import service as services
from prometheus_server import OBSERVE, Prometheus
from rules import bucket, rules_of
from scraping import Scrape
from waiting import wait_for

LOCAL = "127.0.0.1:0"
TOKEN = "the-token-of-the-operator"
RULES = rules_of(bucket(2, on_store_failure="open"), other=bucket(9, candidate=bucket(1), shadow=True))
needs_prometheus = pytest.mark.skipif(shutil.which("prometheus") is None or shutil.which("promtool") is None,
                                      reason="prometheus is not installed: scripts/setup test")


GRAFANA = services.REPOSITORY / "build/grafana/node_modules"
needs_schema = pytest.mark.skipif(not (GRAFANA / ".bin/tsc").exists(),
                                  reason="no schema of Grafana's; scripts/setup grafana installs it")


@pytest.fixture
def watch():
    """watch(service, token) starts a Prometheus that scrapes it."""
    started = []

    def start(*arguments):
        started.append(Prometheus(*arguments))
        return started[-1]
    yield start
    for server in started:
        server.finish()


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts():
    groups = yaml.safe_load((OBSERVE / "rules.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


# Alerts.

@needs_prometheus
def test_promtool_accepts_the_rules_and_their_cases_hold():
    assert "SUCCESS" in promtool("check", "rules", str(OBSERVE / "rules.yml"))
    assert "SUCCESS" in promtool("test", "rules", str(OBSERVE / "rules_test.yml"))


def test_of_each_alert_a_case_fires_and_a_case_does_not():
    fires, quiet = set(), set()
    for block in yaml.safe_load((OBSERVE / "rules_test.yml").read_text())["tests"]:
        for case in block.get("alert_rule_test", []):
            (fires if case["exp_alerts"] else quiet).add(case["alertname"])
    assert fires == quiet == set(alerts())


@pytest.mark.parametrize("name", alerts())
def test_each_alert_says_what_happened_to_what_and_where_to_read_what_to_do(name):
    alert = alerts()[name]
    said = alert["annotations"]
    assert said["runbook"] == f"docs/observe.md#{name.lower()}"
    assert f"\n### {name}\n" in (services.REPOSITORY / "docs/observe.md").read_text()
    assert said["summary"].endswith(".") and said["description"].endswith(".")
    assert "{{ $labels." in said["summary"] or alert["expr"].startswith("absent"), "to what"


def test_the_runbook_has_no_alert_that_is_not_there():
    page = (services.REPOSITORY / "docs/observe.md").read_text()
    assert re.findall(r"^### (Ratelimitd\w+)$", page, re.MULTILINE) == list(alerts())


def test_the_rules_use_only_metrics_that_are_there(serve, redis):
    shown = set(re.findall(r"^[a-z_]+", serve(redis.url, RULES, admin=LOCAL).admin("GET", "/metrics").body.decode(), re.MULTILINE))
    text = (OBSERVE / "rules.yml").read_text() + (OBSERVE / "dashboard.json").read_text()
    used = set(re.findall(r"(?<!:)\b(?:ratelimitd|process)_[a-z_]+\b(?!:)", text))
    assert used and used <= shown, used - shown


# In containers.

@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="no docker-compose")
def test_compose_merges_the_two_files_and_mounts_what_is_there():
    done = subprocess.run(["docker-compose", "-f", "docker-compose.yml", "-f", "deploy/observe/compose.yml", "config"],
                          cwd=services.REPOSITORY, capture_output=True, text=True, check=True)
    merged = yaml.safe_load(done.stdout)["services"]
    assert merged["ratelimitd"]["environment"]["ADMIN_LISTEN"] == "0.0.0.0:8001"
    sources = [volume["source"] for name in ("prometheus", "grafana") for volume in merged[name]["volumes"]
               if volume["type"] == "bind"]
    assert len(sources) == 5 and all(pathlib.Path(source).is_file() for source in sources), sources
    assert not [port for name in ("prometheus", "grafana") for port in merged[name]["ports"] if "127.0.0.1" not in str(port)]


# Prometheus.

@needs_prometheus
def test_prometheus_scrapes_a_service_with_its_token(serve, redis, watch):
    service = serve(redis.url, RULES, admin=LOCAL, env={"ADMIN_TOKEN": TOKEN})
    assert service.statuses(3, "/") == [200, 200, 429]
    prometheus = watch(service, TOKEN)
    wait_for(lambda: prometheus.query('up{job="ratelimitd"} == 1'), "the scrape succeeds", within_s=60)
    decisions = {(labels["rule"], labels["result"]): value for labels, value in
                 prometheus.query("ratelimitd_decisions_total > 0")}
    assert decisions == {("default", "allowed"): 2, ("default", "refused"): 1}
    (target,) = prometheus.api("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    loaded = {rule["name"] for group in prometheus.api("rules")["groups"] for rule in group["rules"]}
    assert loaded >= set(alerts())
    metadata = prometheus.api("metadata", metric="ratelimitd_decision_duration_seconds")
    assert [entry["type"] for entry in metadata["ratelimitd_decision_duration_seconds"]] == ["histogram"]


@needs_prometheus
def test_an_alert_tells_that_redis_is_away_and_another_that_nobody_may_ask(serve, redis, watch):
    service = serve(redis.url, RULES, admin=LOCAL, env={"ADMIN_TOKEN": TOKEN})
    prometheus = watch(service, TOKEN)
    wait_for(lambda: prometheus.query('up{job="ratelimitd"} == 1'), "the scrape succeeds", within_s=60)
    assert not prometheus.query('ALERTS{alertname=~".*StoreLost|.*Down"}')
    redis.kill()
    wait_for(lambda: prometheus.query('ALERTS{alertname="RatelimitdStoreLost"}'), "the alert is pending", within_s=60)
    stranger = watch(service, "another token")
    wait_for(lambda: stranger.query('ALERTS{alertname="RatelimitdDown"}'), "the alert is pending", within_s=60)
    (target,) = stranger.api("targets")["activeTargets"]
    assert "401" in target["lastError"]


# The dashboard.

def dashboard():
    return json.loads((OBSERVE / "dashboard.json").read_text())


def panels():
    """All but the rows."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions():
    return [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]


def expression_of(text):
    """As Grafana makes it, with every node, every rule and a short interval; also what is 0."""
    text = text.removesuffix(" > 0")
    for name, value in {"$__rate_interval": "10s", "$job": "ratelimitd", "$instance": ".*", "$rule": ".*"}.items():
        text = text.replace(name, value)
    assert "$" not in text, text
    return text


def test_the_dashboard_can_be_provisioned():
    board = dashboard()
    assert board["uid"] == "ratelimitd" and board.get("id") is None and "__inputs" not in board
    variables = {variable["name"]: variable["type"] for variable in board["templating"]["list"]}
    assert variables == {"datasource": "datasource", "job": "query", "instance": "query", "rule": "query"}
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels():
        assert panel["title"] and panel["description"].endswith("."), panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0


def mistakes(text, place):
    """What TypeScript's compiler says of a dashboard by Grafana's types."""
    shutil.copy(services.REPOSITORY / "tests/grafana/dashboard_type.ts", place)
    (place / "node_modules").symlink_to(GRAFANA)
    (place / "dashboard.ts").write_text(
        f'import type {{ DashboardFile }} from "./dashboard_type";\nexport const dashboard: DashboardFile = {text};\n')
    done = subprocess.run([GRAFANA / ".bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--module", "esnext",
                           "--moduleResolution", "bundler", "dashboard.ts"], cwd=place, capture_output=True, text=True,
                          check=False)
    return done.stdout


@needs_schema
def test_the_dashboard_has_the_types_of_grafana(tmp_path):
    assert mistakes((OBSERVE / "dashboard.json").read_text(), tmp_path) == ""


@needs_schema
@pytest.mark.parametrize("right, wrong", [('"graphMode": "area"', '"graphMode": "surface"'), ('"stacking"', '"stacked"'),
                                          ('"schemaVersion": 39', '"schemaVersion": "39"'), ('"expr"', '"expression"')])
def test_the_types_of_grafana_find_mistakes(tmp_path, right, wrong):
    text = (OBSERVE / "dashboard.json").read_text()
    assert right in text and "error TS" in mistakes(text.replace(right, wrong), tmp_path)


def test_panels_lie_side_by_side():
    taken = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


def test_every_metric_is_on_the_dashboard(serve, redis):
    shown = Scrape(serve(redis.url, RULES, admin=LOCAL).admin("GET", "/metrics").body.decode()).families
    text = (OBSERVE / "dashboard.json").read_text()
    missing = {name for name in shown if not re.search(rf"\b{name}(?:_bucket)?\b", text)}
    assert missing == {"ratelimitd_store_info", "process_virtual_memory_bytes"}


@needs_prometheus
def test_every_panel_has_data(serve, redis, watch):
    service = serve(redis.url, RULES, admin=LOCAL, env={"MAX_BODY_BYTES": "1000"})
    prometheus = watch(service)
    wait_for(lambda: prometheus.query("scrape_samples_scraped > 0"), "a scrape", within_s=60)
    assert service.statuses(6, "/") == [200, 200, 429, 429, 429, 429]
    assert service.post("/v1/check", body=b'{"rule": "other", "client": "u"}').status == 200
    wait_for(lambda: prometheus.query("count_over_time(up[1m]) > 3"), "some more", within_s=60)
    empty = [(title, expression) for title, expression in expressions() if not prometheus.query(expression_of(expression))]
    assert not empty
    values = [value for _, value in prometheus.query(expression_of(dict(expressions())["Refused a second, by rule"]))]
    assert max(values) > 0


@needs_prometheus
def test_the_variables_of_the_dashboard_list_nodes_and_rules(serve, redis, watch):
    prometheus = watch(serve(redis.url, RULES, admin=LOCAL))
    wait_for(lambda: prometheus.query("scrape_samples_scraped > 0"), "a scrape", within_s=60)
    listed = {}
    for variable in dashboard()["templating"]["list"]:
        found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]) if variable["type"] == "query" else None
        if found:
            series = prometheus.api("series", **{"match[]": expression_of(found.group(1))})
            listed[variable["name"]] = {entry[found.group(2)] for entry in series}
    assert listed["job"] == {"ratelimitd"} and listed["rule"] == {"default", "other"} and len(listed["instance"]) == 1
