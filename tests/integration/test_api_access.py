"""Who may use /v1/check, /v1/check/batch, /v1/reset and /json: API_TOKEN, ADMIN_TOKEN, and web pages of other sites."""
import json

import pytest

from http_client import request_bytes
from rules import ROOMY, bucket, rules_of

API, ADMIN = "the-token-of-the-shop", "the-token-of-the-operator"
BOTH = {"API_TOKEN": API, "ADMIN_TOKEN": ADMIN}
RULES = rules_of(bucket(100), few=bucket(2), shop=ROOMY)

BODIES = {
    "/v1/check": {"rule": "few", "client": "u"},
    "/v1/check/batch": {"checks": [{"rule": "few", "client": "u"}]},
    "/json": {"domain": "shop", "descriptors": [{"entries": [{"key": "user", "value": "u"}]}]},
    "/v1/reset": {"rule": "few", "client": "u"},
}
CHECKS = ["/v1/check", "/v1/check/batch", "/json"]
OTHERS_SPELLINGS = [None, "", "Bearer", "Bearer ", "Bearer wrong", "Bearer {}2", "Basic {}", "{}", "Bearer\t{}", "bearer{}",
                    "Bearer The-token-of-the-operator"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def post(service, path, headers=(), body=None):
    return service.post(path, headers, json.dumps(BODIES[path]).encode() if body is None else body)


def remaining(service):
    body = json.dumps({"rule": "few", "client": "u", "cost": 0}).encode()
    return service.post("/v1/check", bearer(ADMIN), body).json()["remaining"]


def assert_problem(response, status):
    assert (response.status, response["Content-Type"]) == (status, "application/problem+json"), response
    assert ("WWW-Authenticate" in response) == (status == 401), response
    assert not response.closes, response


# Tokens.

@pytest.mark.parametrize("path", BODIES)
def test_without_the_token_nothing_is_counted_and_nothing_reset(serve, path):
    service = serve(rules=RULES, env=BOTH, workers=1)
    post(service, "/v1/check", bearer(API))
    for spelling in OTHERS_SPELLINGS:
        headers = {} if spelling is None else {"Authorization": spelling.format(ADMIN)}
        for body in (None, b"nonsense", b""):
            response = post(service, path, headers, body)
            assert_problem(response, 401)
            assert response["WWW-Authenticate"] == 'Bearer realm="ratelimitd"'
    assert remaining(service) == 1


@pytest.mark.parametrize("token", [API, ADMIN])
@pytest.mark.parametrize("path", CHECKS)
def test_a_check_takes_either_token(serve, path, token):
    service = serve(rules=RULES, env=BOTH, workers=1)
    assert post(service, path, bearer(token)).status == 200
    assert post(service, path, {"authorization": f"bearer   {token}"}).status == 200


def test_a_reset_takes_the_operators_token_alone(serve):
    service = serve(rules=RULES, env=BOTH, workers=1)
    post(service, "/v1/check", bearer(API))
    assert_problem(post(service, "/v1/reset", bearer(API)), 401)
    assert remaining(service) == 1
    assert post(service, "/v1/reset", {"authorization": f"bearer  {ADMIN}"}).status == 200
    assert remaining(service) == 2


@pytest.mark.parametrize("env", [{}, {"ADMIN_TOKEN": ""}, {"API_TOKEN": API}])
def test_without_the_operators_token_set_no_reset_is_allowed(serve, env):
    service = serve(rules=RULES, env=env, workers=1)
    for headers in ({}, {"Authorization": "Bearer "}, bearer(API), bearer(ADMIN)):
        response = post(service, "/v1/reset", headers)
        assert_problem(response, 403)
        assert "ADMIN_TOKEN" in response.json()["detail"]


@pytest.mark.parametrize("env", [{}, {"API_TOKEN": ""}, {"ADMIN_TOKEN": ADMIN}])
def test_without_an_api_token_set_checks_need_none(serve, env):
    service = serve(rules=RULES, env=env, workers=1)
    for path in CHECKS:
        assert post(service, path).status == 200
        assert post(service, path, bearer("another")).status in (200, 429)


def test_the_api_token_is_not_asked_for_elsewhere(serve):
    service = serve(rules=RULES, env=BOTH, workers=1)
    for path in ("/", "/check", "/limited-resource", "/health", "/ready", "/openapi.yaml"):
        assert service.get(path).status == 200, path
    assert service.post("/api/submit").status == 200
    assert service.post("/v1/nothing").status == 404
    assert service.get("/v1/check").status == 405


@pytest.mark.parametrize("name, path", [("API_TOKEN", "/v1/check"), ("ADMIN_TOKEN", "/v1/reset")])
def test_a_token_may_stand_in_a_file_and_is_never_shown(serve, tmp_path, name, path):
    (tmp_path / "token").write_text(f"{ADMIN}\n")
    service = serve(rules=RULES, env={f"{name}_FILE": str(tmp_path / "token"), "LOG_LEVEL": "debug"}, workers=1)
    answers = [post(service, path, headers) for headers in (bearer(ADMIN), bearer("wrong"), {})]
    assert [answer.status for answer in answers] == [200, 401, 401]
    answers += [service.get("/health"), service.get("/ready")]
    assert ADMIN not in service.log()
    assert ADMIN.encode() not in b"".join(answer.raw() for answer in answers)


def test_a_body_without_the_token_is_read_away_and_the_connection_goes_on(serve):
    """Not kept, not parsed: whoever guesses tokens gets no memory for it."""
    service = serve(rules=RULES, env={**BOTH, "MAX_BODY_BYTES": "65536"}, workers=1)
    connection = service.connect()
    large = json.dumps({"checks": [{"rule": "few", "client": "u" * 500}] * 1000}).encode()
    requests = [request_bytes("POST", "/v1/check/batch", bearer("wrong"), large),
                request_bytes("POST", "/v1/check", bearer(API), json.dumps(BODIES["/v1/check"]).encode())]
    assert [response.status for response in connection.pipeline(requests)] == [401, 200]


# Web pages.

HOST = "test"  # of every request that the tests' client makes
FOREIGN = [
    [("Origin", "https://evil.example")],
    [("Origin", "null")],
    [("Origin", "")],
    [("Origin", f"http://{HOST}:3000")],
    [("Origin", f"http://{HOST}.evil.example")],
    [("Origin", f"http://{HOST}"), ("Origin", "https://evil.example")],
    [("Origin", "https://evil.example"), ("Origin", f"http://{HOST}")],
    [("Sec-Fetch-Site", "cross-site")],
    [("Sec-Fetch-Site", "same-site")],
    [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
    [("Origin", f"http://{HOST}"), ("Sec-Fetch-Site", "cross-site")],
    [("origin", "https://evil.example"), ("sec-fetch-site", "none")],
]
OWN = [
    [],
    [("Origin", f"http://{HOST}")],
    [("Origin", f"https://{HOST}"), ("Sec-Fetch-Site", "same-origin")],
    [("Sec-Fetch-Site", "none")],
]


@pytest.mark.parametrize("path", BODIES)
def test_another_sites_page_spends_nothing_whatever_its_token(serve, path):
    service = serve(rules=RULES, env={"ADMIN_TOKEN": ADMIN}, workers=1)
    post(service, "/v1/check")
    for headers in FOREIGN:
        for token in ([], list(bearer(ADMIN).items())):
            # What a page may send without being asked for leave: a "simple request" of Fetch.
            assert_problem(post(service, path, [("Content-Type", "text/plain"), *token, *headers]), 403)
    assert remaining(service) == 1


def test_no_page_and_its_own_page_are_served(serve):
    service = serve(rules=RULES, env={"ADMIN_TOKEN": ADMIN}, workers=1)
    for headers in OWN:
        for path in BODIES:  # the last of them gives back what the others took
            assert post(service, path, [*headers, *bearer(ADMIN).items()]).status == 200


def test_no_page_is_given_leave_to_send_more(serve):
    """A browser asks before it sends a token or JSON for a page of another site; no answer here says yes."""
    service = serve(rules=RULES, workers=1)
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
              "Access-Control-Request-Headers": "authorization"}
    for path in BODIES:
        response = service.request("OPTIONS", path, asking)
        assert response.status == 405
        assert not [name for name, _ in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/plain", "application/json"])
def test_the_content_type_says_nothing(serve, content_type):
    """`curl -d` sends the second one of them, and goes on working."""
    service = serve(rules=RULES, workers=1)
    headers = {"Content-Type": content_type} if content_type else {}
    assert post(service, "/v1/check", headers).status == 200


def test_a_resource_and_a_proxys_question_are_for_pages(serve):
    """A proxy passes on what its client sent: an Origin there is the client's, and its request is none of the API."""
    service = serve(rules=RULES, workers=1)
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert service.post("/api/submit", headers).status == 200
    assert service.get("/check", headers).status == 200
    assert service.get("/health", headers).status == 200
