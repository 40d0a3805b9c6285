"""deploy/kubernetes: what Kubernetes' own schemas say of it, whether its parts fit, and the service as its pods run it."""
import json
import re
import shutil
import subprocess
import textwrap

import pytest
import yaml

import service as services
from http_client import Connection
from kubelet import Volume
from ports import free_port
from service import run
from waiting import wait_for

DEPLOY = services.REPOSITORY / "deploy/kubernetes"
TOOLS = services.REPOSITORY / "build/kubernetes"
SCHEMAS = TOOLS / "schemas/{{.ResourceKind}}{{.KindSuffix}}.json"
TARGETS = sorted(str(file.parent.relative_to(DEPLOY)) for file in DEPLOY.rglob("kustomization.yaml")
                 if "components" not in file.parts)
OURS = {"app.kubernetes.io/name": "ratelimitd"}
DRAIN_S = 10  # ratelimitd(8), SIGTERM
needs_tools = pytest.mark.skipif(not (TOOLS / "schemas/prometheusrule-monitoring-v1.json").exists(),
                                 reason="kustomize, kubeconform and the schemas are not there: scripts/setup kubernetes")


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def build(target):
    done = subprocess.run([TOOLS / "kustomize", "build", DEPLOY / target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def conforms(text):
    """What kubeconform says of each object: its kind, name, status and message."""
    done = subprocess.run([TOOLS / "kubeconform", "-strict", "-output", "json", "-verbose", "-schema-location", SCHEMAS, "-"],
                          input=text, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)["resources"]


def shipped():
    """Each object in the files, by kind and name."""
    files = [file for file in DEPLOY.rglob("*.yaml") if file.name not in ("kustomization.yaml", "adapter-values.yaml", "redis-url.yaml")]
    return {(one["kind"], one["metadata"]["name"]): one for file in files for one in documents(file.read_text())}


@pytest.fixture
def objects():
    return shipped()


@pytest.fixture
def pod(objects):
    return objects["Deployment", "ratelimitd"]["spec"]["template"]


def container(pod):
    (only,) = pod["spec"]["containers"]
    return only


def environment(pod):
    return {one["name"]: one.get("value") for one in container(pod)["env"]}


# What Kubernetes says.

@needs_tools
@pytest.mark.parametrize("target", TARGETS)
def test_kustomize_builds_it_and_kubernetes_knows_every_field(target):
    text = build(target)
    found = conforms(text)
    assert len(found) == len(documents(text)) >= 7
    assert not (wrong := [one for one in found if one["status"] != "statusValid"]), wrong


@needs_tools
@pytest.mark.parametrize("before, after, kind", [
    ("periodSeconds: 10", "periodSecond: 10", "Deployment"), ("maxUnavailable: 1", "maxUnavailable: [1]", "PodDisruptionBudget"),
    ("interval: 15s", "intervall: 15s", "ServiceMonitor"), ("maxReplicas: 10", "maxReplicas: ten", "HorizontalPodAutoscaler"),
    ("policyTypes:", "policyType:", "NetworkPolicy"), ("targetPort: http", "targetport: http", "Service")])
def test_a_mistake_would_be_found(before, after, kind):
    text = build("overlays/production")
    assert before in text
    wrong = {one["kind"] for one in conforms(text.replace(before, after)) if one["status"] == "statusInvalid"}
    assert wrong == {kind}


@needs_tools
@pytest.mark.parametrize("target", TARGETS)
def test_what_is_built_has_one_namespace_and_labels_of_ours_ask_nobody_else(target):
    built = documents(build(target))
    assert {one["metadata"].get("namespace", one["metadata"]["name"]) for one in built} == {"ratelimitd"}
    (policy,) = [one for one in built if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == "ratelimitd"]
    client = policy["spec"]["ingress"][0]["from"][0]
    assert client == {"namespaceSelector": {}, "podSelector": {"matchLabels": {"ratelimitd-client": "true"}}}


@needs_tools
def test_the_page_s_command_makes_an_object_of_the_alerts():
    page = (services.REPOSITORY / "docs/kubernetes.md").read_text()
    command = re.search(r"^(\(printf .*?\)) \| kubectl ", page, re.DOTALL | re.MULTILINE).group(1)
    made = subprocess.run(["bash", "-c", command], cwd=services.REPOSITORY, capture_output=True, text=True, check=True).stdout
    (found,) = conforms(made)
    assert (found["kind"], found["status"]) == ("PrometheusRule", "statusValid"), found
    assert yaml.safe_load(made)["spec"] == yaml.safe_load((services.REPOSITORY / "deploy/observe/rules.yml").read_text())


@needs_tools
def test_the_overlays_change_what_they_say():
    def env_of(target):
        (deployment,) = [one for one in documents(build(target))
                         if one["kind"] == "Deployment" and one["metadata"]["name"] == "ratelimitd"]
        (url,) = [one for one in container(deployment["spec"]["template"])["env"] if one["name"] == "REDIS_URL"]
        return deployment["spec"].get("replicas"), url
    here = {"name": "REDIS_URL", "value": "redis://redis:6379"}
    own = {"name": "REDIS_URL", "valueFrom": {"secretKeyRef": {"name": "ratelimitd-redis", "key": "url"}}}
    assert env_of("overlays/with-redis") == (2, here)
    assert env_of("overlays/own-redis") == (2, own)
    assert env_of("overlays/production") == (None, own), "the autoscaler says how many"


# Whether the parts fit.

def test_every_selector_finds_the_pods(objects, pod):
    assert pod["metadata"]["labels"] == OURS
    assert objects["Deployment", "ratelimitd"]["spec"]["selector"]["matchLabels"] == OURS
    assert objects["PodDisruptionBudget", "ratelimitd"]["spec"]["selector"]["matchLabels"] == OURS
    assert objects["NetworkPolicy", "ratelimitd"]["spec"]["podSelector"]["matchLabels"] == OURS
    assert all(one["labelSelector"]["matchLabels"] == OURS for one in pod["spec"]["topologySpreadConstraints"])
    for name in ("ratelimitd", "ratelimitd-admin"):
        assert objects["Service", name]["spec"]["selector"] == OURS
    target = objects["HorizontalPodAutoscaler", "ratelimitd"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) in objects


def test_prometheus_finds_the_admin_listener_alone_by_the_job_of_the_alerts(objects):
    monitor = objects["ServiceMonitor", "ratelimitd"]["spec"]
    chosen = [one for (kind, _), one in objects.items() if kind == "Service"
              and monitor["selector"]["matchLabels"].items() <= one["metadata"].get("labels", {}).items()]
    assert [one["metadata"]["name"] for one in chosen] == ["ratelimitd-admin"]
    job = chosen[0]["metadata"]["labels"][monitor["jobLabel"]]
    assert f'{{job="{job}"}}' in (services.REPOSITORY / "deploy/observe/rules.yml").read_text()
    assert monitor["endpoints"][0]["port"] in [port["name"] for port in chosen[0]["spec"]["ports"]]


def test_every_port_that_is_named_is_one_of_the_pods(objects, pod):
    ports = {port["name"]: port["containerPort"] for port in container(pod)["ports"]}
    assert ports == {"http": 8000, "admin": 8001}, "PORT's default, and that of ADMIN_LISTEN"
    assert environment(pod)["ADMIN_LISTEN"].endswith(":8001") and "PORT" not in environment(pod)
    assert {container(pod)[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} == {"admin"}
    for name in ("ratelimitd", "ratelimitd-admin"):
        assert all(port["targetPort"] in ports for port in objects["Service", name]["spec"]["ports"])
    assert [rule["ports"] for rule in objects["NetworkPolicy", "ratelimitd"]["spec"]["ingress"]] == [[{"port": "http"}], [{"port": "admin"}]]


def test_every_variable_is_a_setting(pod, tmp_path):
    settings = re.findall(r"^\| `(\w+)` ", run("--help=markdown", directory=tmp_path).stdout, re.MULTILINE)
    assert not (set(environment(pod)) - set(settings) - {"NAMESPACE"})


def test_a_variable_stands_after_those_that_it_is_made_of(pod):
    seen = set()
    for one in container(pod)["env"]:
        assert set(re.findall(r"\$\((\w+)\)", one.get("value", ""))) <= seen
        seen.add(one["name"])


def test_there_is_time_for_the_drain(pod):
    pause_s = container(pod)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pause_s >= 5 and pod["spec"]["terminationGracePeriodSeconds"] >= pause_s + DRAIN_S


def test_pods_ask_for_no_more_than_the_restricted_profile_allows(objects):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/: what the namespace's label enforces."""
    assert objects["Namespace", "ratelimitd"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name in ("ratelimitd", "redis"):
        spec = objects["Deployment", name]["spec"]["template"]["spec"]
        (only,) = spec["containers"]
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert only["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                           "capabilities": {"drop": ["ALL"]}}
        assert "limits" in only["resources"] and not spec["automountServiceAccountToken"]


def test_the_autoscaler_s_metric_is_made_of_one_that_there_is(objects, tmp_path):
    (rule,) = yaml.safe_load((DEPLOY / "components/prometheus/adapter-values.yaml").read_text())["rules"]["custom"]
    series = rule["seriesQuery"].partition("{")[0]
    assert f"| `{series}` | counter |" in (services.REPOSITORY / "docs/metrics.md").read_text()
    name = re.sub(rule["name"]["matches"], rule["name"]["as"].replace("${1}", r"\1"), series)
    (metric,) = objects["HorizontalPodAutoscaler", "ratelimitd"]["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] == name
    if shutil.which("promtool"):
        assert_is_rate_of_pods(rule["metricsQuery"], series, tmp_path)


def assert_is_rate_of_pods(query, series, tmp_path):
    """As prometheus-adapter fills it in: two rules' counters of a pod, 300 and 60 in a minute, are 6 a second."""
    filled = (query.replace("<<.Series>>", series).replace("<<.LabelMatchers>>", 'namespace="n",pod=~"a|b"')
              .replace("<<.GroupBy>>", "pod"))
    case = {"evaluation_interval": "15s", "tests": [{"interval": "15s", "input_series": [
        {"series": f'{series}{{namespace="n",pod="a",rule="x",result="allowed"}}', "values": "0+75x20"},
        {"series": f'{series}{{namespace="n",pod="a",rule="y",result="refused"}}', "values": "0+15x20"},
        {"series": f'{series}{{namespace="n",pod="b",rule="x",result="allowed"}}', "values": "0+30x20"},
        {"series": f'{series}{{namespace="other",pod="b",rule="x",result="allowed"}}', "values": "0+999x20"}],
        "promql_expr_test": [{"expr": filled, "eval_time": "4m", "exp_samples": [
            {"labels": '{pod="a"}', "value": 6}, {"labels": '{pod="b"}', "value": 2}]}]}]}
    (tmp_path / "case.yml").write_text(yaml.safe_dump(case))
    done = subprocess.run(["promtool", "test", "rules", tmp_path / "case.yml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_good(tmp_path):
    done = run("--check", env={"RATE_LIMIT_RULES_PATH": str(DEPLOY / "base/rate_limits.json")}, directory=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


# The service, as a pod runs it.

TOKENS = {"api-token": "the-token-of-applications", "admin-token": "the-token-of-the-operator"}


class Pod:
    """The container's settings and volumes, with other ports, and with the volumes in a folder of the test's."""

    def __init__(self, serve, pod, folder, redis_url):
        self.volumes = {mount["name"]: (Volume(folder / mount["name"]), mount["mountPath"])
                        for mount in container(pod)["volumeMounts"]}
        self.write("tokens", TOKENS)
        self.write("rules", {"rate_limits.json": (DEPLOY / "base/rate_limits.json").read_text()})
        known = {"NAMESPACE": "limits", "REDIS_URL": redis_url, "WORKERS": container(pod)["resources"]["requests"]["cpu"]}
        env = {}
        for name, value in environment(pod).items():
            value = known.get(name, value)
            for seen in env:
                value = value.replace(f"$({seen})", env[seen])
            env[name] = self._here(value)
        self.admin_port = free_port()
        env["ADMIN_LISTEN"] = env["ADMIN_LISTEN"].replace(":8001", f":{self.admin_port}")
        self.service = serve(store=None, listen=f"0.0.0.0:{free_port()}", workers=None, env=env)

    def _here(self, value):
        for volume, path in self.volumes.values():
            if value.startswith(path + "/"):
                return value.replace(path, str(volume.path), 1)
        return value

    def write(self, name, files):
        self.volumes[name][0].write(files)

    def ask(self, path, host="10.1.2.3", token=None, method="GET"):
        """The admin listener, from another address than the loopback's usual one, by that Host."""
        with Connection(("127.0.0.1", self.admin_port), source="127.0.0.2") as connection:
            headers = {"Authorization": f"Bearer {TOKENS[token]}"} if token else {}
            return connection.request(method, path, headers, host=f"{host}:{self.admin_port}")


@pytest.fixture
def running(serve, redis, pod, tmp_path):
    return Pod(serve, pod, tmp_path, redis.url)


def test_the_kubelet_s_probes_need_no_token(running, pod):
    for probe in ("livenessProbe", "readinessProbe"):
        path = container(pod)[probe]["httpGet"]["path"]
        wait_for(lambda: running.ask(path).status == 200, path)


def test_prometheus_scrapes_by_address_with_the_token_of_the_secret(running, objects):
    credentials = objects["ServiceMonitor", "ratelimitd"]["spec"]["endpoints"][0]["authorization"]["credentials"]
    assert credentials["name"] == objects["Deployment", "ratelimitd"]["spec"]["template"]["spec"]["volumes"][1]["secret"]["secretName"]
    assert running.ask("/metrics").status == 401
    assert running.ask("/metrics", token="api-token").status == 401
    assert b"ratelimitd_decisions_total{" in running.ask("/metrics", token=credentials["key"]).body


@pytest.mark.parametrize("name", ["ratelimitd-admin", "ratelimitd-admin.limits", "ratelimitd-admin.limits.svc"])
def test_operators_ask_by_the_names_of_the_service(running, objects, name):
    assert ("Service", name.partition(".")[0]) in objects
    assert running.ask("/v1/status", name, "admin-token").status == 200
    assert running.ask("/v1/status", "evil.example", "admin-token").status == 421


def test_a_changed_configmap_is_in_force_without_a_new_pod(running):
    rules = json.loads((DEPLOY / "base/rate_limits.json").read_text())
    for limit in (7, 8):
        rules["default"]["limit"] = limit
        running.write("rules", {"rate_limits.json": json.dumps(rules)})
        wait_for(lambda: running.service.get("/limited-resource")["X-RateLimit-Limit"] == str(limit), "the new limit")
    running.write("rules", {"rate_limits.json": "{"})
    running.service.says("rate_limits.json")
    wait_for(lambda: running.ask("/health").json()["rules"]["status"] == "stale", "the mistake is told")
    assert running.ask("/ready").status == 200
    assert running.service.get("/limited-resource")["X-RateLimit-Limit"] == "8"


def test_applications_need_their_token(running):
    body = json.dumps({"rule": "api", "client": "u"}).encode()
    assert running.service.post("/v1/check", body=body).status == 401
    assert running.service.post("/v1/check", {"Authorization": f"Bearer {TOKENS['api-token']}"}, body).status == 200


def test_a_pod_that_is_ended_is_not_ready_before_it_is_gone(running):
    running.service.connect().send(b"GET / HTTP/1.1\r\n")
    running.service.signal(15)
    wait_for(lambda: running.ask("/ready").status == 503, "it says that it goes")
    assert running.ask("/health").status == 200, "and is not killed for it"
    assert running.service.wait(DRAIN_S) == 0


# The page.

def blocks_of_yaml():
    page = (services.REPOSITORY / "docs/kubernetes.md").read_text()
    return re.findall(r"<!-- from: (\S+) -->\n```yaml\n(.*?)```", page, re.DOTALL), page.count("```yaml")


def test_the_yaml_of_the_page_is_what_is_shipped():
    blocks, count = blocks_of_yaml()
    assert len(blocks) == count >= 5, "each says which file it is from"
    for name, text in blocks:
        lines = [line.strip() for line in textwrap.dedent(text).splitlines()]
        shipped_lines = [line.strip() for line in (DEPLOY / name).read_text().splitlines()]
        places = [at for at in range(len(shipped_lines)) if shipped_lines[at:at + len(lines)] == lines]
        assert places, f"{name} does not have\n{text}"


def test_the_page_says_what_each_file_is_for():
    page = (services.REPOSITORY / "docs/kubernetes.md").read_text()
    for file in DEPLOY.rglob("*"):
        if file.is_file() and file.name != "kustomization.yaml":
            assert re.search(rf"[`/]{re.escape(str(file.relative_to(DEPLOY)))}[`\n]", page), file
