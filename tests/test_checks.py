"""What is found at start, before it breaks something silently (T53)."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as site

from procore_site.checks import invitation_days, production_settings

PRODUCTION = {
    "BASE_URL": "https://accounts.example.com",
    "ALLOWED_HOSTS": ["accounts.example.com"],
    "MAILERS": {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"}},
    "ALLAUTH_TRUSTED_PROXY_COUNT": 1,
    "DEFAULT_FROM_EMAIL": "Procore <noreply@example.com>",
}


def found(settings, **values):
    for name, value in (PRODUCTION | values).items():
        setattr(settings, name, value)
    messages = [*invitation_days(None), *production_settings(None)]
    return [each.id for each in messages]


def test_sound_settings_are_not_complained_of(settings):
    assert found(settings) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("BASE_URL", "http://accounts.example.com", "E001"),
        ("BASE_URL", "https://", "E001"),
        ("BASE_URL", "https://accounts.example.com/people", "E006"),
        ("BASE_URL", "https://accounts.example.com?people", "E006"),
        ("BASE_URL", "https://people.example.com:8443", "E005"),
        ("ALLOWED_HOSTS", ["*"], "E002"),
        ("ALLOWED_HOSTS", ["example.com"], "E005"),
        ("DEFAULT_FROM_EMAIL", "Procore\n <noreply@example.com>", "E008"),
        ("ARGON2_MEMORY_KIB", 19455, "E007"),
        ("ARGON2_TIME_COST", 1, "E007"),
        ("INVITATION_DAYS", 0, "E004"),
        ("INVITATION_DAYS", 31, "E004"),
    ],
)
def test_what_would_break_is_named(settings, name, value, code):
    assert found(settings, **{name: value}) == [f"procore_site.{code}"]


def test_mail_that_reaches_nobody_is_warned_of(settings):
    backend = "django.core.mail.backends.console.EmailBackend"
    mailers = {"default": {"BACKEND": backend}}
    assert found(settings, MAILERS=mailers) == ["procore_site.W001"]


@pytest.mark.parametrize("sender", ["noreply@localhost", "Procore <noreply@localhost>"])
def test_mail_from_nowhere_is_warned_of(settings, sender):
    assert found(settings, DEFAULT_FROM_EMAIL=sender) == ["procore_site.W003"]


def test_a_site_that_would_redirect_to_itself_is_warned_of(settings):
    assert found(settings, ALLAUTH_TRUSTED_PROXY_COUNT=0) == ["procore_site.W002"]


def test_limits_of_each_process_for_itself_are_refused(settings):
    cache = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert found(settings, CACHES=cache) == ["procore_site.E003"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALLOWED_HOSTS", [".example.com"]), ("ARGON2_TIME_COST", 9)],
)
def test_what_is_sound_too(settings, name, value):
    assert found(settings, **{name: value}) == []


def started(**environ):
    """What the process says that is started with these values and nothing else."""
    given = {"SECRET_KEY": "x", "BASE_URL": "https://accounts.example.com"}
    ended = subprocess.run(
        [sys.executable, "-c", "import procore_site.settings"],
        cwd=site.BASE_DIR,
        env={"PATH": os.environ["PATH"]} | given | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("url", ["", "rubbish", "mysql://u@h/x", "postgres://u@h:p/x"])
def test_a_database_that_is_none_is_refused_with_what_to_write(url):
    """F25."""
    said = started(DATABASE_URL=url)
    assert "DATABASE_URL names no database that can be used: write postgres://" in said


@pytest.mark.parametrize(
    "name",
    [
        "INVITATION_DAYS",
        "ARGON2_TIME_COST",
        "DATABASE_POOL_SIZE",
        "TRUSTED_PROXY_COUNT",
    ],
)
def test_a_number_that_is_none_is_refused_with_its_name(name):
    """F25."""
    assert f"{name} is not a whole number: write one" in started(**{name: "x"})


@pytest.mark.parametrize("name", ["SECRET_KEY", "BASE_URL"])
def test_what_has_no_default_is_asked_for(name):
    """F25, T14: links in mails would begin with nothing."""
    assert f"{name} is not set. Put " in started(**{name: ""})


def test_with_sound_values_it_starts():
    assert started() == ""
