"""Fixtures: real processes, each test its own. README.md says what there is."""
import pytest

from fake_redis import FakeRedis
from redis_server import RedisServer
from service import Service


def pytest_configure(config):
    config.addinivalue_line("markers", "threads: worth a run under the thread sanitizer")


def _finish_all(started):
    """Finishes each of them, the last one first, even where another one's end fails the test."""
    errors = []
    for thing in reversed(started):
        try:
            thing.finish()
        except AssertionError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _factory(make):
    started = []

    def start(*arguments, **named):
        thing = make(*arguments, **named)
        started.append(thing)
        return thing
    yield start
    _finish_all(started)


@pytest.fixture
def start_redis():
    """start_redis(options={}, start=True) starts a redis-server: see RedisServer."""
    yield from _factory(RedisServer)


@pytest.fixture
def start_fake_redis():
    """start_fake_redis(behaviour) starts a Redis that misbehaves: see FakeRedis."""
    yield from _factory(FakeRedis)


@pytest.fixture
def serve(start_redis, start_fake_redis):
    """serve(store="memory", rules=..., ...) starts a ratelimitd: see Service. It stops before its Redis does."""
    yield from _factory(Service)


@pytest.fixture
def redis(start_redis):
    return start_redis()


@pytest.fixture(params=["memory", "redis-tcp", "redis-unix"])
def store(request):
    """The value of --store: the test runs once with each of them."""
    if request.param == "memory":
        return "memory"
    server = request.getfixturevalue("redis")
    return server.unix_url if request.param == "redis-unix" else server.url
