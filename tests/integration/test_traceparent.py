"""The trace that a request belongs to (W3C Trace Context) is in the problem that answers it."""
import json

import pytest

from http_client import request_bytes
from rules import at, bucket, rules_of

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACED = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
RULES = rules_of(bucket(1), keyed=at("/keyed", bucket(1, identify_by=["header:X-API-Key"])),
                 barred=at("/barred", bucket(1, clients={"127.0.0.1": "blocked"}, identify_by=["ip"])))


def asked(service, method, path, headers=TRACED, body=None):
    """The problem, asked for on a connection of its own: some end theirs."""
    with service.connect() as connection:
        response = connection.request(method, path, headers, body)
    assert response["Content-Type"] == "application/problem+json", response
    return response


PROBLEMS = {
    "no such resource": ("GET", "/nowhere", None, 404),
    "no such method": ("PUT", "/", b"", 405),
    "no client": ("GET", "/check/keyed", None, 400),
    "a client that is blocked": ("GET", "/check/barred", None, 403),
    "no token": ("POST", "/v1/check", b"{}", 401),
    "a body too long": ("POST", "/", b"x" * 70000, 413),
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_problem_names_the_trace_of_its_request(serve, kind):
    method, path, body, status = PROBLEMS[kind]
    service = serve(rules=RULES, env={"API_TOKEN": "a-token-of-the-api"})
    response = asked(service, method, path, body=body)
    assert response.status == status
    assert response.json()["trace_id"] == TRACE_ID
    assert "trace_id" not in asked(service, method, path, {}, body).json()


def test_a_problem_of_the_json_api_names_the_trace_of_its_request(serve):
    service = serve(rules=RULES)
    assert asked(service, "POST", "/v1/check", body=b'{"pth": "/"}').json()["trace_id"] == TRACE_ID
    assert asked(service, "POST", "/v1/check", body=b"{").json()["trace_id"] == TRACE_ID


def test_each_refusal_names_the_trace_of_its_own_request(serve, store):
    service = serve(store, RULES)
    assert service.get("/", TRACED).json().get("trace_id") is None, "an allowed answer is no problem"
    for trace_id in (TRACE_ID, TRACE_ID[::-1], TRACE_ID):
        response = service.get("/", {"traceparent": f"00-{trace_id}-b7ad6b7169203331-00"})
        assert (response.status, response.json()["trace_id"]) == (429, trace_id)
        assert "trace_id" not in service.get("/").json(), "nor is one told to another request"
        assert service.get("/check").json().get("trace_id") is None


def test_an_unavailable_store_names_the_trace(serve, redis):
    service = serve(redis.url, RULES, env={"REDIS_TIMEOUT_MS": "1000"})
    redis.kill()
    response = service.get("/", TRACED)
    assert (response.status, response.json()["trace_id"]) == (503, TRACE_ID)


def test_what_the_admin_listener_refuses_names_the_trace(serve):
    service = serve(rules=RULES, admin="127.0.0.1:0", env={"ADMIN_TOKEN": "a-token-of-the-admin"})
    token = {"Authorization": "Bearer a-token-of-the-admin"}
    service.write_rules('{"default": {"capacity": 0}}')
    problems = {("POST", "/v1/rules/reload", b"", 401): {}, ("POST", "/v1/rules/reload", b"", 422): token,
                ("POST", "/v1/clients/limit", b'{"client": "global", "for": "1h", "limits": [{}]}', 400): token,
                ("POST", "/v1/clients/block", b'{"client": "nobody"}', 400): token}
    for (method, path, body, status), headers in problems.items():
        response = service.admin(method, path, {**TRACED, **headers}, body)
        assert (response.status, response.json()["trace_id"]) == (status, TRACE_ID), response
        assert "trace_id" not in service.admin(method, path, headers, body).json()


# What is not the header of the standard; tests/unit/test_traceparent.c has more.
BAD = {"the id is all zeros": f"00-{'0' * 32}-b7ad6b7169203331-01", "upper case": TRACED["traceparent"].upper(),
       "too long": TRACED["traceparent"] + "-00", "version ff": "ff" + TRACED["traceparent"][2:], "empty": "",
       "a quotation mark": f'00-{TRACE_ID[:-1]}"-b7ad6b7169203331-01', "no ASCII": b"00-" + b"\xe9" * 32 + b"-1-01"}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_traceparent_counts_as_none(serve, kind):
    response = asked(serve(rules=RULES), "GET", "/nowhere", {"traceparent": BAD[kind]})
    assert response.status == 404
    assert "trace_id" not in response.json()


def test_two_traceparents_count_as_none(serve):
    response = asked(serve(rules=RULES), "GET", "/nowhere", list(TRACED.items()) * 2)
    assert response.status == 404
    assert "trace_id" not in response.json()


def test_a_trace_is_not_kept_for_the_next_request_of_a_connection(serve):
    """Also where the next one is refused before its headers are believed."""
    service = serve(rules=RULES)
    with service.connect() as connection:
        assert connection.request("GET", "/nowhere", TRACED).json()["trace_id"] == TRACE_ID
        connection.send(request_bytes("GET", "/nowhere", {"X": "x" * 13000}))
        response = connection.read_response()
    assert response.status == 431
    assert "trace_id" not in json.loads(response.body)
