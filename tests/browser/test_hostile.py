"""Texts that want to be more than text, and more rules than a page can hold."""
import fake_service as fakes
from waiting import wait_for

HOSTILE = [
    '<img src=x onerror="window.taken=1">', '"><script>window.taken=1</script>', "'-alert(1)-'", "javascript:window.taken=1",
    '<svg/onload=window.taken=1>', "\u202eelur\u202c\u2066 \u05d0\u05d1\u05d2", "${window.taken=1}", "{{constructor.constructor('window.taken=1')()}}",
    "__proto__", "constructor", "a\u0000b\ud83d\ude80\u200b", "x" * 5000, "</title><base href=//evil.example>", "&lt;b&gt;"]


def hostile_answers():
    text = "\n".join(HOSTILE[:7])
    rules = [fakes.rule(name, match={"path": name, "host": [name], "headers": {name: name}}, identify_by=[name],
                        on_store_failure=name, limits=[{"algorithm": name, "limit": 5, "window": name}],
                        penalty={"after": name, "within": name, "for": name, "growth": name, "up_to": name},
                        candidate={"limits": [{"limit": 5, "window": name}]}, shadow=True) for name in HOSTILE]
    status = fakes.status(version=text)
    status["node"].update(id=text, host=text)
    for node, name in zip(status["nodes"], HOSTILE):
        node.update(id=name, host=name, version=name, store=name)
    status["store"].update(kind=text, state=text, changes=[
        {"at": status["now"] - i, "state": name, "reason": name} for i, name in enumerate(HOSTILE)])
    status["reloads"] = [{"at": status["now"], "ok": False, "text": name, "mistakes": [name]} for name in HOSTILE]
    clients = [fakes.client(name, name) for name in HOSTILE]
    return {
        "/v1/status": status, "/v1/rules": {"rules": rules}, "/v1/history": lambda query: fakes.history(query["span"]),
        "/v1/rates": {"rules": [fakes.rates(name, refused=i + 1) for i, name in enumerate(HOSTILE)]},
        "/v1/analytics": lambda query: fakes.analytics(clients),
        "/v1/clients": {"clients": [{"client": name, "rule": name, "treatment": {name: name}, "ends_after_ms": 5000}
                                    for name in HOSTILE]},
        None: {"rules": [{"rule": name, "limits": [{"limit": 5, "remaining": 2, "reset_after_ms": 5}]} for name in HOSTILE]}}


def assert_nothing_is_injected(page):
    assert page.js("return window.taken ?? null") is None
    assert page.js("return document.querySelectorAll('img, script:not([src]), base, iframe, [onerror], [onload], a:not(.skip)').length") == 0
    assert page.js("return ({}).taken ?? null") is None
    assert not [address for address in page.requests() if "evil" in address or "/x" in address.rsplit(":", 1)[1]]


def test_no_text_becomes_anything_else(fake, open_page):
    service = fake(hostile_answers())
    page = open_page(service)
    for name in HOSTILE[:2]:
        page.shows(name, "#rules")
        page.shows(name, "#top")
        page.shows(name, "#store")
        page.shows(name, "#reloads")
        page.shows(name, "#changed")
    for name in HOSTILE[:3]:
        page.js("[...document.querySelectorAll('#rules tbody button')].find(one => one.dataset.rule === arguments[0]).click()", name)
        wait_for(lambda: page.js("return document.querySelector('#rule h3').textContent") == name, "the rule is shown")
    assert_nothing_is_injected(page)
    page.js("[...document.querySelectorAll('#top tbody button')][0].click()")
    wait_for(lambda: page.js("return document.querySelectorAll('.looked li').length") == len(HOSTILE), "what is left")
    for text in ("Reset", "Block", "Limit"):
        page.js("[...document.querySelectorAll('.looked button')].find(one => one.textContent === arguments[0]).click()", text)
    assert_nothing_is_injected(page)


def test_a_text_that_is_written_from_right_to_left_turns_nothing_else_around(fake, open_page):
    service = fake(hostile_answers())
    page = open_page(service)
    page.shows(HOSTILE[0], "#rules")
    assert page.js("return [...document.querySelectorAll('#rules tbody button, #top tbody button')]"
                   ".every(one => one.firstElementChild.tagName === 'BDI')")


def test_the_browser_itself_refuses_markup(fake, open_page):
    page = open_page(fake(hostile_answers()), expected=("TrustedHTML", "Trusted Types"))
    page.shows(HOSTILE[0], "#rules")
    assert page.js("try { document.body.innerHTML = '<b>x</b>'; return 'taken' } catch (error) { return error.name }") == "TypeError"


def many(count):
    names = [f"rule-{i:05}" for i in range(count)]
    rules = [fakes.rule(name) for name in names]
    rates = [fakes.rates(name, refused=i / 10) for i, name in enumerate(names)]
    return {"/v1/status": lambda query: fakes.status(), "/v1/rules": {"rules": rules}, "/v1/rates": {"rules": rates},
            "/v1/history": lambda query: fakes.history(query["span"]), "/v1/analytics": lambda query: fakes.analytics([]),
            "/v1/clients": {"clients": [{"client": f"client-{i}", "treatment": "blocked", "ends_after_ms": 9000}
                                        for i in range(count)]},
            None: {"rules": [{"rule": name, "limits": [{"limit": 9, "remaining": i % 9, "reset_after_ms": 5}]}
                             for i, name in enumerate(names)]}}


def test_of_ten_thousand_rules_only_those_in_view_are_drawn(fake, open_page):
    page = open_page(fake(many(10000)))
    page.shows("10,000", "#rules-note")
    wait_for(lambda: (page.rows("#rules") or [[""]])[0][0] == "rule-09999", "the most refused one first", 30)
    assert page.js("return document.querySelector('#rules table').getAttribute('aria-rowcount')") == "10001"
    page.look_up("client=x")
    wait_for(lambda: page.js("return document.querySelectorAll('.looked li').length") == 100, "those with the least left")
    page.shows("The 100 rules with the least left, of 10,000.", "#look-result")
    page.shows("And 9,950 more.", "#changed")
    assert page.js("return document.querySelectorAll('*').length") < 3000
    page.type("#rules-filter", "rule-0123")
    page.shows("10 of 10,000", "#rules-note")
    assert {row[0] for row in page.rows("#rules")} == {f"rule-0123{i}" for i in range(10)}


def test_the_last_rule_is_reached_by_scrolling_and_by_the_keyboard(fake, open_page):
    page = open_page(fake(many(500)))
    wait_for(lambda: (page.rows("#rules") or [[""]])[0][0] == "rule-00499", "the most refused one first")
    page.js("const box = document.querySelector('.scroll.rules'); box.scrollTop = box.scrollHeight")
    wait_for(lambda: "rule-00000" in page.text("#rules"), "the least refused one")
    page.js("document.querySelector('.scroll.rules').scrollTop = 0; document.querySelector('.scroll.rules').focus()")
    from selenium.webdriver.common.keys import Keys
    for key, name in ((Keys.ARROW_DOWN, "rule-00499"), (Keys.ARROW_DOWN, "rule-00498"), (Keys.END, "rule-00000"),
                      (Keys.HOME, "rule-00499")):
        page.driver.switch_to.active_element.send_keys(key)
        wait_for(lambda: page.js("return document.activeElement.dataset.rule") == name, f"{name} has the focus")
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.shows("rule-00499", "#rule h3")


def test_the_order_holds_still_under_the_pointer(fake, open_page):
    answers = many(20)
    page = open_page(fake(answers))
    wait_for(lambda: (page.rows("#rules") or [[""]])[0][0] == "rule-00019", "the order")
    page.js("document.querySelector('#rules tbody button').focus()")
    answers["/v1/rates"]["rules"][3]["refused"] = 77.0
    wait_for(lambda: ["rule-00003", "77"] in [[row[0], row[3]] for row in page.rows("#rules")], "the figure")
    assert page.rows("#rules")[0][0] == "rule-00019"
    page.js("document.activeElement.blur()")
    wait_for(lambda: page.rows("#rules")[0][0] == "rule-00003", "the new order")
