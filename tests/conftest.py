"""What a machine may lack, said in one line; and an empty cache for each test."""

import os
import shutil
from collections.abc import Generator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from redis.connection import parse_url

pytest_plugins = ["tests.cast", "tests.smtp"]

CHROMIUM = shutil.which("chromium") or shutil.which("/usr/bin/chromium")

# By marker: what can't be run here, and why.
MISSING: dict[str, tuple[str, str]] = {}
if not CHROMIUM:
    MISSING["browser"] = ("browser tests", "no Chromium found")
if connection.vendor != "postgresql":
    why = "is not PostgreSQL's" if "DATABASE_URL" in os.environ else "is not set"
    MISSING["postgresql"] = ("PostgreSQL tests", f"DATABASE_URL {why}")

# Of several processes that share the tests (pytest-xdist) each empties a Redis database
# of its own: the one that is named, and those after it.
if process := os.environ.get("PYTEST_XDIST_WORKER"):
    cache = settings.CACHES["default"]
    if "redis" in cache["BACKEND"]:
        named = parse_url(cache["LOCATION"]).get("db", 0)
        cache["LOCATION"] += f"?db={named + int(process.removeprefix('gw'))}"


# They ask all pages as everybody: begun last, they would leave a process with nothing
# to do beside them.
LONGEST = {"test_differential.py", "test_scope.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (_, why) in MISSING.items():
        if item.get_closest_marker(marker):
            pytest.skip(why)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let no browser test be skipped where REQUIRE_BROWSER=1 promises one, as in CI."""
    report = yield
    required = os.environ.get("REQUIRE_BROWSER") == "1"
    if required and report.skipped and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, though REQUIRE_BROWSER is set: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None]:
    """Say in one line, after everything else, what was left out and why."""
    yield
    skipped = terminalreporter.getreports("skipped")
    reasons = {report.longrepr[2] for report in skipped}
    if listing := [
        f"{tests} ({why})"
        for tests, why in MISSING.values()
        if f"Skipped: {why}" in reasons
    ]:
        terminalreporter.write_line(f"Left out: {', '.join(listing)}.")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of the browser; tests that ask for it carry the browser mark."""
    assert CHROMIUM, "No Chromium found: mark this test with pytest.mark.browser."
    return CHROMIUM


@pytest.fixture(autouse=True)
def fast_hasher(settings: Any) -> None:
    """Hash at no cost; a test about Argon2 asks for the fixture `argon2`, too."""
    fast = "django.contrib.auth.hashers.MD5PasswordHasher"
    settings.PASSWORD_HASHERS = [fast, *settings.PASSWORD_HASHERS]


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were hashed, each time that it was done."""
    done: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: Any, password: str, salt: str) -> str:
        done.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return done


@pytest.fixture
def argon2(fast_hasher: None, settings: Any) -> None:
    """Hash as in production."""
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]


@pytest.fixture(autouse=True)
def empty_cache(request: pytest.FixtureRequest) -> Generator[None]:
    """Empty the cache around each test, since limits outlive a rollback and a flush."""
    cache = caches["default"]
    if isinstance(cache, DatabaseCache):
        if not uses_database(request):
            yield
            return
        # First the test database, or it would be the real one's table.
        request.getfixturevalue("django_db_setup")
    blocker = request.getfixturevalue("django_db_blocker")
    with blocker.unblock():
        cache.clear()
    yield
    with blocker.unblock():
        cache.clear()


def uses_database(request: pytest.FixtureRequest) -> bool:
    fixtures = {"db", "live_server", "transactional_db"}
    marked = request.node.get_closest_marker("django_db")
    return bool(marked or fixtures & set(request.fixturenames))
