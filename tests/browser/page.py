"""The dashboard in a Chromium: what it shows, what is pressed, and what the browser says of it."""
import base64
import json
import os
import pathlib
import shutil
import tempfile

import pytest

from waiting import wait_for

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
AXE = pathlib.Path(os.environ.get("AXE", REPOSITORY / "build/browser/node_modules/axe-core/axe.min.js"))
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
PHONE, LAPTOP, WIDE = (390, 844), (1400, 1000), (1900, 1050)


class Browser:
    """One process, for all tests; each test has a tab of its own, with nothing kept from others."""

    def __init__(self):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        self.profile = tempfile.TemporaryDirectory(prefix="chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
                     f"--user-data-dir={self.profile.name}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)

    def finish(self):
        self.driver.quit()
        self.profile.cleanup()


class Page:
    """
    dark, size, motion: what the browser is asked to be like. path: of the page.
    """

    def __init__(self, browser, url, dark=False, size=LAPTOP, motion=True, path="/dashboard"):
        self.driver = browser.driver
        self.driver.get("about:blank")
        self.console()
        self.look_like(dark, size, motion)
        self.driver.get(url + path)

    def look_like(self, dark, size, motion=True):
        features = {"prefers-color-scheme": "dark" if dark else "light",
                    "prefers-reduced-motion": "no-preference" if motion else "reduce"}
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": name, "value": value} for name, value in features.items()])
        self.command("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1,
                     mobile=size == PHONE)

    def command(self, name, **arguments):
        """Of the Chrome DevTools Protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def console(self):
        """What the browser has said since this was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    # What it shows.

    def find(self, selector, text=None):
        """The first element that is seen and matches, and has this text; None."""
        return self.js("""return [...document.querySelectorAll(arguments[0])].find(element => element.checkVisibility()
            && (arguments[1] === null || element.innerText.trim() === arguments[1])) ?? null""", selector, text)

    def text(self, selector):
        return self.js("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def shows(self, text, selector="body", within_s=15):
        wait_for(lambda: text in self.text(selector), f"{text!r} in {selector}", within_s)

    def tile(self, name):
        """The figure at the top with this name."""
        return self.js("return [...document.querySelectorAll('#tiles > div')]"
                       ".find(tile => tile.querySelector('dt').innerText === arguments[0])?.querySelector('dd').innerText", name)

    def rows(self, selector):
        """The texts of the cells of the rows of a table."""
        return self.js("return [...document.querySelectorAll(arguments[0] + ' tbody tr:not(.pad)')]"
                       ".map(row => [...row.cells].map(cell => cell.innerText))", selector)

    def facts(self, selector):
        """A list of names and values."""
        return dict(self.js("return [...document.querySelectorAll(arguments[0] + ' div')].map(pair =>"
                            " [pair.querySelector('dt').innerText, pair.querySelector('dd').innerText])", selector))

    # What is done with it.

    def press(self, selector, text=None):
        element = wait_for(lambda: self.find(selector, text), f"{selector} {text or ''} to press")
        element.click()

    def type(self, selector, text):
        element = wait_for(lambda: self.find(selector), f"{selector} to type into")
        element.clear()
        element.send_keys(text)

    def answer(self, text):
        """To the first question of the dialog."""
        self.type("#ask-fields input", text)
        self.press("#ask-yes")

    def look_up(self, client):
        self.type("#look-client", client)
        self.press("#look button")

    def press_rule(self, name):
        self.press(f"#rules [data-rule='{name}']")

    # What the browser knows of it.

    def axe(self):
        """What axe-core finds wrong: a list of rules with the elements that break them."""
        if not AXE.exists():
            pytest.skip("no axe-core: scripts/setup browser")
        self.js(AXE.read_text())
        found = self.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        return [(violation["id"], violation["help"], [node["target"] for node in violation["nodes"]])
                for violation in found["violations"]]

    def screenshot(self, path, height=None):
        width = self.js("return innerWidth")
        height = height or self.js("return document.documentElement.scrollHeight")
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                            clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def requests(self):
        """The addresses of all that it has asked for."""
        return json.loads(self.js("return JSON.stringify(performance.getEntriesByType('resource').map(entry => entry.name))"))
