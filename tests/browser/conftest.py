"""Chromium, led by Playwright. Whatever a page complains of fails the test."""

import os
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings
from django.db import connection
from playwright.sync_api import expect, sync_playwright

from procore_site.management.commands import demo

# Playwright's loop runs in this thread, where Django would refuse its queries.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# On a slow machine, where other tests run beside, a page takes seconds to answer.
PATIENCE = 20_000  # milliseconds
expect.set_options(timeout=PATIENCE)

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser, live_server, settings):
    """A browser of its own, with no cookies; complaints in its windows are collected.

    That a page answers 404 or 403 on purpose is no complaint.
    """
    settings.BASE_URL = live_server.url
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    complaints = []

    def note(message):
        is_status = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not (
            is_status and "/static/" not in message.location["url"]
        ):
            complaints.append(f"{message.location['url']}: {message.text}")

    context.on("console", note)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert not complaints


@pytest.fixture
def page(context):
    return context.new_page()


@pytest.fixture
def demo_world(live_server):
    """Fill the database with the demo's companies."""
    demo.load()


@pytest.fixture
def log_in(page):
    """Log in through the page."""

    def log_in(email, password=demo.PASSWORD):
        page.goto("/accounts/login/")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Log In", exact=True).click()
        page.wait_for_url(lambda url: "/accounts/login/" not in url)

    return log_in


def database_url():
    """The address of the test database, for another process."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"


@pytest.fixture
def worker(mail_server, live_server):
    """Run `manage.py work` on the test database, sending to the SMTP server."""
    environment = os.environ | {
        "DEBUG": "1",
        "SECRET_KEY": django_settings.SECRET_KEY,
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "BASE_URL": live_server.url,
    }
    command = [sys.executable, "manage.py", "work", "--interval=0.1", "--verbosity=0"]
    process = subprocess.Popen(command, cwd=django_settings.BASE_DIR, env=environment)
    yield process
    process.terminate()
    process.wait()


@pytest.fixture
def next_letter(mail_server, worker):
    """Wait for the next mail to arrive at the SMTP server."""
    read = 0

    def next_letter():
        nonlocal read
        until = time.monotonic() + 20
        while len(mail_server.letters) == read:
            assert worker.poll() is None, "The worker has ended."
            assert time.monotonic() < until, "No mail has come."
            time.sleep(0.02)
        read += 1
        return mail_server.letters[read - 1]

    return next_letter
