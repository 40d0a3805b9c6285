"""Fixtures: a browser, pages, and the processes of the integration tests. README.md says what there is."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import page as pages  # noqa: E402
from fake_service import PAGE, FakeService  # noqa: E402
from redis_server import RedisServer  # noqa: E402
from service import Service  # noqa: E402


def pytest_collection_modifyitems(items):
    if not (pages.CHROMIUM and pages.DRIVER):
        for item in items:
            item.add_marker(pytest.mark.skip(reason="no Chromium, or no driver of it: scripts/setup browser"))


@pytest.fixture(scope="session")
def browser():
    started = pages.Browser()
    yield started
    started.finish()


@pytest.fixture(scope="session")
def real_page():
    """The files of the page, as the service gives them."""
    service = Service(admin="127.0.0.1:0", workers=1)
    answers = {path: service.admin("GET", path) for path in PAGE}
    service.finish()
    return {path: (answer.body, {name: answer[name] for name in ("Content-Type", "Content-Security-Policy")})
            for path, answer in answers.items()}


@pytest.fixture
def redis():
    server = RedisServer()
    yield server
    server.finish()


@pytest.fixture
def serve():
    """As in the integration tests, with an admin listener; `service.url` is the browser's way to it."""
    started = []

    def start(*arguments, **named):
        service = Service(*arguments, **{"admin": "127.0.0.1:0", **named})
        started.append(service)
        service.url = f"http://127.0.0.1:{service.admin_address[1]}"
        return service
    yield start
    for service in reversed(started):
        service.finish()


@pytest.fixture
def fake(real_page):
    started = []

    def start(answers):
        started.append(FakeService(real_page, answers))
        return started[-1]
    yield start
    for service in started:
        service.finish()


@pytest.fixture
def open_page(browser):
    """The console of a page must be empty when its test ends, but for messages with one of the texts in `expected`."""
    opened = []

    def start(service, expected=(), **named):
        opened.append((pages.Page(browser, service.url, **named), expected))
        return opened[-1][0]
    yield start
    for page, expected in opened:
        said = [message for message in page.console() if not any(text in message for text in expected)]
        browser.driver.get("about:blank")
        assert not said, said
