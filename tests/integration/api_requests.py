"""What the tests of the JSON API share: rules, requests, and what a refusal of a body looks like."""
import json

from rules import NEVER, ROOMY, at, bucket, rules_of, window

TOKEN = {"Authorization": "Bearer correct-horse-battery"}
ENV = {"ADMIN_TOKEN": "correct-horse-battery"}
EXACT_MAX = 2**53 - 1

RULES = rules_of(bucket(100), **{
    "few": bucket(2), "api-resource": window("sliding_window", 100, "1m"), "roomy": ROOMY,
    "keyed": at("/keyed", bucket(2, identify_by=["header:X-API-Key", "ip"]), methods=["POST"]),
    "everyone": bucket(2, identify_by=["global"]),
    "two": {"limits": [bucket(9), window("fixed_window", 2, "30d")]},
    "shop": bucket(3), "shop.path": window("fixed_window", 2, "1m"), "shop.path.user": bucket(1, NEVER),
})


def post(service, path, value, headers=()):
    return service.post(path, headers, value if isinstance(value, bytes) else json.dumps(value).encode())


def check(service, rule="few", client="u", **more):
    return post(service, "/v1/check", {"rule": rule, "client": client, **more})


def batch(service, *checks):
    response = post(service, "/v1/check/batch", {"checks": list(checks)})
    assert response.status == 200, response
    return response.json()["results"]


def one(rule="few", client="u", **more):
    return {"rule": rule, "client": client, **more}


def assert_mistake(response, status, field):
    """The field is named, in words too; nothing of what was sent is."""
    assert (response.status, response["Content-Type"]) == (status, "application/problem+json"), response
    body = response.json()
    assert body.get("field") == field
    assert body["status"] == status and body["detail"].endswith(".")
    assert field is None or body["detail"].startswith(field + " ")
