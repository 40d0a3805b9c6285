"""Long requests of the JSON API go a step at a time: they are answered as if each had come alone."""
import json

from api_requests import RULES, batch, check, one, post
from http_client import request_bytes

FIELDS = ("allowed", "rule", "limit", "remaining", "status", "detail", "limits")
VARIED = [
    {}, {"cost": 0}, {"cost": 2}, {}, {"cost": 3}, {"rule": "two"}, {"rule": "two", "cost": 2}, {"rule": "two"},
    {"rule": "none"}, {"rule": "api-resource", "cost": 60}, {"rule": "api-resource", "cost": 60},
    {"rule": "api-resource", "cost": 40}, {"cost": -1}, {"rule": "everyone", "cost": 1000}, {"rule": ""},
]


def shown(result, status=None):
    """What does not depend on the time, nor on where in a list a check is."""
    result = {**result, "status": status or result["status"]}
    if "detail" in result:
        result["detail"] = result["detail"].split(".", 1)[1] if result["detail"].startswith("checks[") else result["detail"]
    if "limits" in result:
        result["limits"] = [limit["remaining"] for limit in result["limits"]]
    return {field: result.get(field) for field in FIELDS}


def test_a_batch_answers_what_single_checks_do(serve, store):
    service = serve(store, RULES, workers=1)
    for copies in (1, 40):
        checks = [{**one(), **more, "client": f"{copies}.{i}"} for i in range(copies) for more in VARIED]
        answers = [post(service, "/v1/check", item) for item in checks]
        together = batch(service, *[{**item, "client": item["client"] + ".b"} for item in checks])
        assert [shown(result) for result in together] == [shown(answer.json(), answer.status) for answer in answers]


def test_batches_at_once_are_each_answered_in_full(serve, store):
    service = serve(store, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "20000"})
    connections = [service.connect() for _ in range(8)]
    for number, connection in enumerate(connections):
        body = json.dumps({"checks": [one("few", f"{number}.{i // 3}") for i in range(999)]}).encode()
        connection.send(request_bytes("POST", "/v1/check/batch", body=body))
    assert check(service, client="beside").status == 200
    for connection in connections:
        results = connection.read_response().json()["results"]
        assert [result["status"] for result in results] == [200, 200, 429] * 333


def test_a_client_that_hangs_up_holds_up_nobody(serve, store):
    service = serve(store, RULES, workers=1, env={"REDIS_TIMEOUT_MS": "20000"})
    bodies = [json.dumps({"checks": [one("two", f"{i}", cost=i + 1) for i in range(count)]}).encode() for count in (5, 50, 1000)]
    for body in bodies:
        for sent in (len(body) // 2, len(body)):
            for _ in range(5):
                with service.connect() as connection:
                    connection.send(request_bytes("POST", "/v1/check/batch", body=body)[: sent - len(body) or None])
    assert batch(service, one(client="after"))[0]["status"] == 200
    assert service.stop() == 0
