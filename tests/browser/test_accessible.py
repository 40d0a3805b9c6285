"""The page for those who do not see it, or not well, or have no mouse."""
import pytest
from selenium.webdriver.common.keys import Keys

import fake_service as fakes
from page import LAPTOP, PHONE, WIDE
from waiting import wait_for

NAMES = ["default", "search", "login", "checkout"]


def answers():
    rules = [fakes.rule(name) for name in NAMES]
    rules[1].update(shadow=True, candidate={"limits": [{"limit": 5, "window": "1s"}]})
    return {
        "/v1/status": lambda query: fakes.status(), "/v1/rules": {"rules": rules},
        "/v1/rates": {"rules": [fakes.rates(name, refused=3.0, near_limit=1.0) for name in NAMES]},
        "/v1/history": lambda query: fakes.history(query["span"]),
        "/v1/analytics": lambda query: fakes.analytics([fakes.client("ip=203.0.113.9"), fakes.client("client=a", "login")]),
        "/v1/clients": {"clients": [{"client": "198.51.100.23", "treatment": "blocked", "ends_after_ms": 540000}]},
        None: {"rules": [{"rule": "default", "limits": [{"limit": 9, "remaining": 1, "reset_after_ms": 51000}]},
                         {"rule": "search", "limits": [{"limit": 9, "remaining": 0, "reset_after_ms": 51000}]},
                         {"rule": "login", "limits": [], "blocked": True}]}}


def full(page):
    """With everything in it that can be shown."""
    page.press_rule("search")
    page.shows("As a shadow", "#rule")
    page.look_up("203.0.113.9")
    page.shows("0 of 9 left", "#look-result")
    page.shows("ip=203.0.113.9", "#top")
    page.shows("198.51.100.23", "#changed")


@pytest.mark.parametrize("size", [PHONE, LAPTOP, WIDE], ids=["phone", "laptop", "wide"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(fake, open_page, dark, size):
    page = open_page(fake(answers()), dark=dark, size=size, motion=False)
    full(page)
    assert page.axe() == []
    page.press(".looked button[aria-label='Limit under default']")
    assert page.axe() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_when_all_is_away(fake, open_page, dark):
    service = fake(answers())
    status = fakes.status()
    status["store"].update(state="lost", workers={"ready": 0, "connecting": 1, "lost": 3})
    status["reloads"].append({"at": status["now"], "ok": False, "text": "no", "mistakes": ["one"]})
    service.answers["/v1/status"] = status
    page = open_page(service, expected=("Failed to load resource",), dark=dark)
    full(page)
    page.shows("Redis is away", "#alerts")
    service.silent = True
    page.shows("The service does not answer", "#alerts")
    assert page.axe() == []


@pytest.mark.parametrize("size", [PHONE, (320, 640), LAPTOP, WIDE])
def test_nothing_is_wider_than_the_window(fake, open_page, size):
    page = open_page(fake(answers()), size=size)
    full(page)
    assert page.js("return document.documentElement.scrollWidth") <= size[0]


def test_all_is_reached_by_the_keyboard(fake, open_page):
    page = open_page(fake(answers()))
    full(page)
    page.js("document.querySelector('.skip').focus()")
    seen = []
    for _ in range(60):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        seen.append(page.js("const e = document.activeElement; return e.id || e.getAttribute('aria-label') || e.innerText"))
        if seen[-1] == "Restore 198.51.100.23":
            break
    for wanted in ("reload", "token", "24 h", "rules-filter", "Decisions a second over time", "Latency over time",
                   "look-client", "Reset under default", "Block everywhere", "Restore 198.51.100.23"):
        assert wanted in seen, (wanted, seen)


def test_a_chart_says_its_figures_to_the_arrow_keys(fake, open_page):
    page = open_page(fake(answers()))
    chart = wait_for(lambda: page.find("#traffic [role=slider][aria-valuetext^=now]"), "the chart")
    said = [chart.get_attribute("aria-valuetext")]
    for key in (Keys.ARROW_LEFT, Keys.HOME, Keys.END):
        chart.send_keys(key)
        said.append(chart.get_attribute("aria-valuetext"))
    assert said[0].startswith("now: Refused ") and "Allowed" in said[1] and said[1][2] == ":"
    assert said[1] != said[2] and said[3].startswith("now: ")


def test_motion_stops_where_it_is_not_wanted(fake, open_page):
    durations = "return getComputedStyle(document.querySelector('.bar')).transitionDuration"
    for motion, duration in ((True, "0.3s"), (False, "0s")):
        page = open_page(fake(answers()), motion=motion)
        wait_for(lambda: page.rows("#rules"), "the rules")
        assert page.js(durations) == duration


def test_a_node_that_is_silent_fades_and_then_is_gone(fake, open_page):
    service = fake(answers())
    page = open_page(service)
    page.shows("3, 1 silent", "#nodes-note")
    colours = "return [...document.querySelectorAll('#nodes tbody tr')].map(row => getComputedStyle(row.cells[0]).color)"
    wait_for(lambda: len(set(page.js(colours)[:2])) == 1 and len(set(page.js(colours))) == 2, "the silent one is pale")
    status = fakes.status()
    status["nodes"].pop()
    service.answers["/v1/status"] = status
    wait_for(lambda: len(page.rows("#nodes")) == 2, "it is gone")
