"""What is found at start, before it breaks something silently (T53)."""

import pytest

from procore_site.checks import invitation_days, production_settings

PRODUCTION = {
    "BASE_URL": "https://accounts.example.com",
    "ALLOWED_HOSTS": ["accounts.example.com"],
    "MAILERS": {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"}},
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
        ("ALLOWED_HOSTS", ["*"], "E002"),
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


def test_limits_of_each_process_for_itself_are_refused(settings):
    cache = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert found(settings, CACHES=cache) == ["procore_site.E003"]
