"""The dashboard of a real service: its figures are those of the service, and what it offers to do is done."""
import json
import re

import pytest

from rules import at, bucket, rules_of, window
from waiting import Stopwatch, wait_for

TOKEN = "the-token-of-the-operator"
WITH_TOKEN = {"ADMIN_TOKEN": TOKEN}
RULES = rules_of(window("fixed_window", 1000, "1h"), **{
    "search": at("/search/**", bucket(5)), "keyed": at("/keyed", bucket(3, identify_by=["header:X-API-Key"])),
    "tried": at("/tried", {**bucket(1), "shadow": True})})
LOCKED = ("status of 401",)  # the browser itself says so of each such answer


def spend(service, count, rule, **who):
    """Requests of one client under a rule."""
    body = json.dumps({"rule": rule, **(who or {"ip": "203.0.113.7"})}).encode()
    return [service.post("/v1/check", body=body).status for _ in range(count)]


GOLD = {"headers": {"X-API-Key": "gold"}}


def metric(service, name, **labels):
    text = service.admin("GET", "/metrics", {"Authorization": f"Bearer {TOKEN}"}).body.decode()
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if re.match(name + r"[{ ]", line) and all(label in line for label in wanted))


def number(text):
    return int(text.replace(",", ""))


def open_with_token(open_page, service, **more):
    page = open_page(service, expected=LOCKED, **more)
    page.answer(TOKEN)
    page.shows("Live", "#link")
    return page


def test_it_loads_what_the_service_has_and_nothing_else(serve, open_page):
    service = serve(rules=RULES)
    page = open_page(service)
    page.shows("Live", "#link")
    wait_for(lambda: len(page.rows("#rules")) == 4, "the rules")
    assert {address.split("/")[2] for address in page.requests()} == {service.url.split("/")[2]}
    assert page.driver.get_cookies() == [] and page.js("return localStorage.length + sessionStorage.length") == 0


def test_the_figures_move_under_load_and_agree_with_the_metrics(serve, open_page):
    service = serve(rules=RULES)
    page = open_page(service)
    page.press_rule("search")
    spend(service, 40, "search")
    spend(service, 20, "default")
    wait_for(lambda: page.facts("#rule .counts").get("Refused") == "35", "the refusals are seen", 30)
    shown = page.facts("#rule .counts")
    for name, result in (("Allowed", "allowed"), ("Refused", "refused"), ("Blocked", "blocked")):
        assert number(shown[name]) == metric(service, "ratelimitd_decisions_total", rule="search", result=result), name
    row = next(row for row in page.rows("#rules") if row[0] == "search")
    assert float(row[3]) > 0 and page.tile("Refused a second") != "0"


def test_latency_and_traffic_are_drawn(serve, open_page):
    service = serve(rules=RULES)
    page = open_page(service)
    spend(service, 30, "search")
    wait_for(lambda: page.js("return [...document.querySelectorAll('#traffic path.area, #latency path.line.plain')]"
                             ".every(path => (path.getAttribute('d') ?? '') !== '')"), "lines in both charts", 30)
    for span in ("24 h", "15 min"):
        page.press("#span button", span)
        wait_for(lambda: page.js("return document.querySelectorAll('#traffic .labels text').length > 3"), "its axes")


def test_a_refused_client_appears_within_two_seconds(serve, open_page):
    service = serve(rules=RULES)
    page = open_page(service)
    page.shows("No client in this time.", "#top-note")
    spend(service, 9, "keyed", **GOLD)
    watch = Stopwatch()
    page.shows("header:x-api-key=gold", "#top")
    assert watch.elapsed_s() < 2
    assert page.rows("#top") == [["header:x-api-key=gold", "keyed", "6", "9", "3"]]


def test_the_top_clients_are_those_of_the_rule_that_is_pressed(serve, open_page):
    service = serve(rules=RULES)
    page = open_page(service)
    spend(service, 9, "keyed", **GOLD)
    spend(service, 9, "search")
    page.shows("ip=203.0.113.7", "#top")
    page.press_rule("keyed")
    wait_for(lambda: [row[0] for row in page.rows("#top")] == ["header:x-api-key=gold"], "the clients of the rule")
    page.press("#top-title ~ .chip")
    wait_for(lambda: len(page.rows("#top")) == 2, "all clients again")


def left(page, rule):
    return page.js("return [...document.querySelectorAll('.looked li')].find(line => line.querySelector('h3').innerText === "
                   "arguments[0])?.innerText", rule) or ""


def press_of(page, rule, text):
    page.press(f".looked button[aria-label='{text} under {rule}']")


def test_a_client_is_looked_up_and_reset(serve, open_page, redis):
    service = serve(redis.url, rules=RULES, env=WITH_TOKEN)
    spend(service, 5, "search")
    page = open_with_token(open_page, service)
    page.look_up("203.0.113.7")
    wait_for(lambda: "0 of 5 left" in left(page, "search"), "what is left")
    assert page.find("#look-result [role=meter]").get_attribute("aria-valuenow") == "0"
    press_of(page, "search", "Reset")
    page.shows("ip=203.0.113.7 is as new under search.", "#done")
    wait_for(lambda: "5 of 5 left" in left(page, "search"), "all is left")


def test_a_client_is_blocked_limited_and_restored(serve, open_page):
    service = serve(rules=RULES, env=WITH_TOKEN)
    page = open_with_token(open_page, service)
    page.look_up("header:x-api-key=gold")
    press_of(page, "keyed", "Block")
    page.answer("5m")
    page.shows("is blocked under keyed for 5m", "#done")
    assert spend(service, 1, "keyed", **GOLD) == [403]
    wait_for(lambda: "blocked" in left(page, "keyed"), "it is seen")
    press_of(page, "keyed", "Limit")
    page.answer("70")
    page.shows("has limits of its own under keyed", "#done")
    wait_for(lambda: "70 of 70 left" in left(page, "keyed"), "its limit")
    page.shows("header:x-api-key=gold", "#changed")
    page.press("#changed button", "Restore")
    page.shows("is as the rules say again", "#done")
    wait_for(lambda: "3 of 3 left" in left(page, "keyed"), "the rule's limit")
    page.press("#look-result button", "Block everywhere")
    page.press("#ask-yes")
    page.shows("is blocked under every rule", "#done")


HOSTILE = ['<img src=x onerror="window.taken=1">', '"><script>window.taken=1</script>', "'; drop &amp; {tag} %41 %zz", "a=b&ip=1.2.3.4",
           "\u202eelur \u05d0\u05d1", "\U0001f680 ~"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_client_of_any_name_is_found_looked_up_reset_and_blocked(serve, open_page, name):
    service = serve(rules=RULES, env=WITH_TOKEN)
    page = open_with_token(open_page, service)
    spend(service, 9, "keyed", headers={"X-API-Key": name})
    page.press("#top tbody button")
    wait_for(lambda: "0 of 3 left" in left(page, "keyed"), "what is left")
    press_of(page, "keyed", "Reset")
    wait_for(lambda: "3 of 3 left" in left(page, "keyed"), "all is left")
    press_of(page, "keyed", "Block")
    page.answer("5m")
    wait_for(lambda: "blocked" in left(page, "keyed"), "it is blocked")
    assert spend(service, 1, "keyed", headers={"X-API-Key": name}) == [403]
    assert page.js("return window.taken ?? document.querySelector('img')") is None


def test_what_cannot_be_said_is_not_said(serve, open_page):
    page = open_with_token(open_page, serve(rules=RULES, env=WITH_TOKEN))
    page.look_up("header:x-api-key=%ff%fe")
    press_of(page, "keyed", "Reset")
    page.shows("This client cannot be reset", "#done")
    press_of(page, "keyed", "Block")
    page.shows("This client cannot be changed", "#done")


def test_nodes_that_share_a_redis_see_each_other(serve, open_page, redis):
    service, other = serve(redis.url, rules=RULES), serve(redis.url, rules=RULES)
    page = open_page(service)
    page.shows("this one", "#nodes")
    wait_for(lambda: len(page.rows("#nodes")) == 2, "both nodes")
    other.process.kill()
    other.wait()
    page.shows("2, 1 silent", "#nodes-note")


@pytest.mark.parametrize("typed, asked", [
    ("203.0.113.7", "ip=203.0.113.7"), ("2001:db8::/64", "ip=2001:db8::/64"), ("gold key", "client=gold%20key"),
    ("tägl%ich", "client=t%c3%a4gl%25ich"), ("header:X-A=b é%20c", "header:X-A=b%20%c3%a9%20c"), ("global", "global")])
def test_what_is_typed_is_a_client(serve, open_page, typed, asked):
    rules = rules_of(bucket(5, identify_by=["header:x-a", "ip"]), all=bucket(7, identify_by=["global"]))
    page = open_page(serve(rules=rules))
    page.look_up(typed)
    page.shows(asked, "#look-result strong")
    page.shows("left", ".looked")


def test_without_a_token_in_the_service_nothing_is_changed_and_it_says_why(serve, open_page):
    page = open_page(serve(rules=RULES), expected=("status of 403",))
    page.look_up("203.0.113.7")
    press_of(page, "search", "Reset")
    page.shows("set ADMIN_TOKEN", "#done")


def test_a_wrong_token_is_told_and_the_right_one_opens(serve, open_page):
    page = open_page(serve(rules=RULES, env=WITH_TOKEN), expected=LOCKED)
    page.shows("The token of this service", "#ask")
    assert len(page.console()) == 1, "one answer is enough to know"
    assert not page.text("#changed") and not page.text("#reloads"), "nothing is said of what is not known"
    page.answer("another-token-of-no-use")
    page.shows("The service does not accept this token.", "#ask-wrong")
    page.answer("täglich")
    page.shows("beyond ASCII", "#ask-wrong")
    page.press("#ask-no")
    page.shows("Locked", "#link")
    page.press("#token")
    page.answer(TOKEN)
    page.shows("Live", "#link")
    wait_for(lambda: len(page.rows("#rules")) == 4, "the rules")
    assert TOKEN not in page.driver.page_source
    page.driver.refresh()
    page.shows("The token of this service", "#ask")


def test_a_reload_and_its_mistakes(serve, open_page):
    service = serve(rules=RULES, env=WITH_TOKEN)
    page = open_with_token(open_page, service)
    service.write_rules(rules_of(window("fixed_window", 7, "1h"), other=bucket(2)))
    page.press("#reload")
    page.shows("The rules were read again", "#done")
    page.shows("other", "#rules")
    service.write_rules('{"default": {"algorithm": "none"}}')
    page.driver.get_log("browser")
    page.press("#reload")
    page.shows("mistakes", "#reloads")
    page.shows("The rules were not read", "#alerts")
    page.shows("algorithm", "#reloads li ul")
    page.console()  # the browser says of 422 that it failed to load


def test_the_terms_of_a_rule_and_what_its_shadow_would_do(serve, open_page):
    service = serve(rules=RULES)
    page = open_page(service)
    spend(service, 4, "tried")
    page.press_rule("tried")
    page.shows("would have refused 3", "#rule")
    terms = page.facts("#rule .terms")
    assert terms["Limits"] == "1, then 1/1h" and terms["Path"] == "/tried" and terms["A client is"] == "ip"


def test_redis_away_is_told_and_the_rest_goes_on(serve, open_page, redis):
    service = serve(redis.url, rules=RULES)
    page = open_page(service)
    page.shows("redis, ready", "#store-note")
    redis.kill()
    service.says("no connection")
    page.shows("Redis is away", "#alerts")
    page.shows("lost", "#store")
    redis.start()
    wait_for(lambda: page.text("#alerts") == "", "the alert goes", 30)
    assert "connection" in page.text("#store .events").lower() or "refused" in page.text("#store .events").lower()


def test_a_service_that_is_gone_is_told_with_the_last_figures_kept(serve, open_page):
    service = serve(rules=RULES)
    page = open_page(service, expected=("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"))
    wait_for(lambda: len(page.rows("#rules")) == 4, "the rules")
    service.stop()
    page.shows("The service does not answer. All figures are those of", "#alerts")
    assert len(page.rows("#rules")) == 4 and page.tile("Connections") != "–"
    assert page.text("#link") == "No answer"


def test_it_comes_back_by_itself(fake, open_page, real_page):
    import fake_service
    service = fake({"/v1/status": fake_service.status(), "/v1/rules": {"rules": []}, "/v1/rates": {"rules": []},
                    "/v1/history": lambda query: fake_service.history(query["span"]), "/v1/clients": {"clients": []},
                    "/v1/analytics": lambda query: fake_service.analytics([])})
    page = open_page(service, expected=("Failed to load resource",))
    page.shows("Live", "#link")
    service.silent = True
    page.shows("No answer", "#link")
    service.silent = False
    page.shows("Live", "#link")


def test_what_it_asks_of_the_service_is_json(serve):
    """The paths that the page asks for are those of the description."""
    service = serve(rules=RULES)
    script = service.admin("GET", "/dashboard.js").body.decode()
    paths = set(re.findall(r"['`](/v1/[a-z/]+)", script))
    for path in paths - {"/v1/clients/"}:
        response = service.admin("GET", path)
        assert response.status in (200, 400, 405), (path, response.status)
        json.loads(response.body)
