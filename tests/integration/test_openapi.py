"""docs/openapi.yaml against the answers that are really given."""
import json

import jsonschema
import pytest
import yaml

from http_client import request_bytes
from rules import NEVER, ROOMY, at, bucket, rules_of, window
from service import REPOSITORY

TEXT = (REPOSITORY / "docs/openapi.yaml").read_text()
DESCRIPTION = yaml.safe_load(TEXT)
PUBLIC = {path: operations for path, operations in DESCRIPTION["paths"].items() if "servers" not in operations}
ADMIN = {path: operations for path, operations in DESCRIPTION["paths"].items() if "servers" in operations}
METHODS = ("get", "head", "post", "put", "delete", "patch", "options", "trace")

RULES = rules_of(bucket(2), **{
    "roomy": ROOMY, "open": bucket(2, on_store_failure="open"), "local": bucket(2, on_store_failure="local"),
    "two": {"limits": [bucket(9), window("fixed_window", 2, "1h")]},
    "keyed": bucket(5, identify_by=["header:X-Api-Key"]),
    "shop.path": window("fixed_window", 2, "30d"), "shop": window("sliding_window", 9, "1500ms"),
    "submit": at("/api/submit", {"limits": [bucket(2), window("fixed_window", 1, "30d")]})})
TOKEN = {"Authorization": "Bearer the-token-of-the-operator"}


def resolve(thing):
    """The object that a reference names, or the thing itself. What is beside a reference is left to the validator."""
    while isinstance(thing, dict) and "$ref" in thing:
        target = DESCRIPTION
        for step in thing["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        thing = target
    return thing


def validate(value, schema):
    """References lead into the description's components, so these come along."""
    jsonschema.Draft202012Validator({"components": DESCRIPTION["components"], **schema},
                                    format_checker=jsonschema.FormatChecker(["ipv4", "ipv6"])).validate(value)


def assert_described(response, path, method):
    """The status, the type, every header and the body are those that the description has for the operation."""
    operation = DESCRIPTION["paths"][path][method]
    assert str(response.status) in operation["responses"], f"{method} {path}: {response.status} is not described"
    described = resolve(operation["responses"][str(response.status)])
    for name, header in described.get("headers", {}).items():
        header = resolve(header)
        assert name in response or not header.get("required"), f"{response} has no {name}"
        if name in response:
            validate(response[name], header["schema"])
    assert response["Content-Type"] in described["content"], response
    if response["Content-Type"].endswith("json") and method != "head":
        validate(json.loads(response.body), described["content"][response["Content-Type"]]["schema"])


def body(value):
    return json.dumps(value).encode()


def check(**fields):
    return ("/v1/check", "post", (), body(fields))


def batch(*checks):
    return ("/v1/check/batch", "post", (), body({"checks": checks}))


def reset(headers=tuple(TOKEN.items()), **fields):
    return ("/v1/reset", "post", headers, body(fields))


def envoy(domain="shop", *descriptors, **more):
    return ("/json", "post", (), body({"domain": domain, "descriptors": descriptors, **more}))


def described_by(key, value, **more):
    return {"entries": [{"key": key, "value": value}], **more}


ASKED = [
    # path in the description, method, headers, body; twice each, so that limits of one or two are met
    *[(path, method, (), b"" if method == "post" else None)
      for path in ("/", "/limited-resource", "/api/data", "/api/resource", "/api/submit", "/health", "/ready",
                   "/openapi.yaml")
      for method in METHODS if method in DESCRIPTION["paths"][path]],
    *[(path, method, (), None) for path in ("/check", "/check:deny=403") for method in METHODS],
    ("/check", "get", (("X-Forwarded-Uri", "/%zz"),), None),
    ("/api/submit", "post", (), b"x" * 2000),
    check(rule="two", client="u"), check(rule="two", client="u"), check(rule="two", client="v", cost=9),
    check(path="/x", ip="192.0.2.1"), check(rule="keyed", headers={"x-api-key": "k"}), check(rule="keyed"),
    check(path="x", client="u"), check(path="/%zz", client="u"), check(path="/%7f", client="u"), check(path="", client="u"),
    check(path="/x", method="", client="u"), check(rule="two", path="/x", client="u"), check(rule="two", method="GET", client="u"),
    check(rule="two", client="u", ip="192.0.2.1"), check(rule="two", client="u", headers={}), check(rule="two", ip="00"),
    check(rule="two", client="u\0"), check(rule="two", ip="192.0.2.1", headers={"a\0": "b"}),
    check(path="HTTP://host/%41%E4?%zz", ip="2001:db8::1", method="QUERY"),
    check(rule="none", client="u"), check(rule="two", client="u" * 2000), ("/v1/check", "post", (), b"{"),
    batch({"rule": "two", "client": "w"}, {"rule": "two", "client": "w", "cost": 2}, {"rule": "roomy", "client": "w"},
          {"rule": "nope", "client": "w"}, {"rule": "two", "cost": -1}, 7),
    batch(), batch(*[{"rule": "roomy", "client": "u" * 1100}] * 1000),
    reset(rule="two", client="u"), reset((), rule="two", client="u"), reset(rule="none", client="u"), reset(),
    reset(rule="two", client="u" * 2000),
    envoy("shop", described_by("path", "/a"), described_by("user", "u"), described_by("path", "/b", hitsAddend="0")),
    envoy("other", described_by("path", "/a"), hits_addend=3), envoy("", described_by("path", "/a")),
    envoy("shop", described_by("path", "/a" * 1000)),
    envoy("shop", described_by("path", "/a"), hitsAddend="1", hits_addend="1"),
    envoy("shop", described_by("path", "/a", hitsAddend="1", hits_addend="1")), envoy("shop\0", described_by("path", "/a")),
    envoy("shop", described_by("path", "/a\0")), envoy("shop", described_by("", "/a")),
]


# Refused for their headers, whatever they ask.
REFUSED = [
    *[(path, method, [("X-A", "1")] * 101, b"" if method == "post" else None)
      for path in PUBLIC for method in METHODS if method in PUBLIC[path]],
    *[(path, "post", {"Sec-Fetch-Site": "cross-site"}, b"{}")
      for path in ("/v1/check", "/v1/check/batch", "/v1/reset", "/json")],
]


@pytest.mark.parametrize("round_", ["served", "without a token", "the store is away"])
def test_every_answer_is_as_it_is_described(serve, start_redis, round_):
    env = {"ADMIN_TOKEN": "the-token-of-the-operator", "MAX_BODY_BYTES": "1500"}
    store = "memory"
    if round_ == "without a token":
        del env["ADMIN_TOKEN"]
    if round_ == "the store is away":
        redis = start_redis()
        store = redis.url
    service = serve(store, RULES, env=env, workers=1)
    if round_ == "the store is away":
        redis.kill()
        service.says("no connection")
    asked = [*ASKED, *REFUSED, check(rule="open", client="u"), check(rule="local", client="u"),
             batch({"rule": "open", "client": "u"}, {"rule": "local", "client": "u"})]
    for path, method, headers, sent in [row for row in asked for _ in range(3)]:
        assert_described(service.request(method.upper(), path, headers, sent), path, method)


def test_answers_without_a_rule_are_as_they_are_described(serve):
    service = serve(rules={"few": at("/few", bucket(2))}, env={"ADMIN_TOKEN": "the-token-of-the-operator"}, workers=1)
    for path, method, headers, sent in (("/", "get", (), None), ("/check", "get", (), None), check(path="/x"),
                                        batch({"path": "/x"}), reset(path="/x", client="u")):
        assert_described(service.request(method.upper(), path, headers, sent), path, method)


def test_what_the_description_forbids_is_refused(serve):
    """The schemas of what is sent are no wider than what is taken, and no narrower."""
    service = serve(rules=RULES, env={"ADMIN_TOKEN": "the-token-of-the-operator", "MAX_BODY_BYTES": "1500"}, workers=1)
    for path, method, headers, sent in ASKED:
        if method != "post" or path not in ("/v1/check", "/v1/check/batch", "/v1/reset", "/json"):
            continue
        status = service.request("POST", path, headers, sent).status
        schema = DESCRIPTION["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        try:
            validate(json.loads(sent), schema)
        except (jsonschema.ValidationError, json.JSONDecodeError):
            assert status in (200, 400) if path == "/v1/check/batch" else status == 400, (path, sent[:100], status)


def test_every_path_of_the_service_is_described(serve):
    service = serve(rules=rules_of(ROOMY))
    for path, operations in PUBLIC.items():
        taken = {method for method in METHODS
                 if service.request(method.upper(), path, body=None if method in ("get", "head") else b"{}").status != 405}
        assert taken == set(operations) & set(METHODS), path


ASKED_OF_ADMIN = [
    # path in the description, path, method, headers, body
    ("/v1/rules", "/v1/rules", "get", TOKEN, None), ("/v1/rules", "/v1/rules", "head", TOKEN, None),
    *[(path, path, method, headers, None) for path in ("/v1/status", "/v1/rates") for method in ("get", "head")
      for headers in (TOKEN, ())],
    *[("/v1/history", f"/v1/history{query}", method, TOKEN, None) for method in ("get", "head")
      for query in ("", "?span=24h&rule=two", "?rule=none", "?span=1h", "?x=1")],
    *[("/v1/analytics", f"/v1/analytics{query}", "get", TOKEN, None) for query in ("", "?by=requests&window=day", "?by=x")],
    ("/v1/analytics", "/v1/analytics", "head", TOKEN, None), ("/v1/analytics", "/v1/analytics", "get", (), None),
    ("/v1/rules/reload", "/v1/rules/reload", "post", TOKEN, None), ("/v1/rules/reload", "/v1/rules/reload", "post", (), b""),
    *[("/metrics", "/metrics", method, headers, None) for method in ("get", "head")
      for headers in (TOKEN, {**TOKEN, "Accept": "application/openmetrics-text"}, ())],
    ("/v1/rules", "/v1/rules", "get", (), None), ("/v1/rules", "/v1/rules", "get", {"Origin": "http://a"}, None),
    *[("/v1/clients/{client}", f"/v1/clients/{client}", method, TOKEN, None) for method in ("get", "head")
      for client in ("ip=192.0.2.1", "client=u", "header:x-api-key=k", "cookie:none=x", "no%20client")],
    ("/v1/clients/{client}", "/v1/clients/client=u", "get", (), None),
    *[(path, path, method, TOKEN, None) for path in ("/health", "/ready", "/openapi.yaml") for method in ("get", "head")],
    *[(path, path, method, headers, sent) for path, method, headers, sent in (
        reset(rule="two", client="u"), reset((), rule="two", client="u"), reset(rule="none", client="u"), reset())],
]


@pytest.mark.parametrize("round_", ["served", "without a token", "the store is away"])
def test_every_answer_of_the_admin_listener_is_as_it_is_described(serve, start_redis, round_):
    redis = start_redis()
    env = {} if round_ == "without a token" else {"ADMIN_TOKEN": "the-token-of-the-operator"}
    service = serve(redis.url, RULES, env=env, workers=1, admin="127.0.0.1:0")
    if round_ == "the store is away":
        redis.kill()
        service.says("no connection")
    for described, path, method, headers, sent in ASKED_OF_ADMIN:
        assert_described(service.admin(method.upper(), path, headers, sent), described, method)
    for path, operations in ADMIN.items():
        method = next(method for method in METHODS if method in operations)
        assert_described(service.admin(method.upper(), path.replace("{client}", "global"), host="other.example"), path,
                         method)
    service.write_rules("{")
    assert_described(service.admin("POST", "/v1/rules/reload", TOKEN), "/v1/rules/reload", "post")


def test_every_path_of_the_admin_listener_is_described(serve):
    service = serve(rules=RULES, admin="127.0.0.1:0")
    for path, operations in ADMIN.items():
        taken = {method for method in METHODS
                 if service.admin(method.upper(), path.replace("{client}", "global"),
                                  body=None if method in ("get", "head") else b"{}").status != 405}
        assert taken == set(operations) & set(METHODS), path


def test_the_service_serves_its_description(serve):
    service = serve()
    connection = service.connect()
    responses = connection.pipeline([request_bytes("GET", "/openapi.yaml")] * 2)
    for response in responses:
        assert (response.status, response["Content-Type"]) == (200, "application/yaml")
        assert response.body.decode() == TEXT
