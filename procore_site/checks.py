"""Settings that would break the site silently, found at start (T53)."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register


@register()
def invitation_days(app_configs: Any, **kwargs: Any) -> list[Any]:
    """An invitation is open for a day at least and a month at most (T5)."""
    if 1 <= settings.INVITATION_DAYS <= 30:
        return []
    sentence = "INVITATION_DAYS is not between 1 and 30."
    hint = "Leave it out for 7 days."
    return [Error(sentence, hint=hint, id="procore_site.E004")]


@register(Tags.security, deploy=True)
def production_settings(app_configs: Any, **kwargs: Any) -> list[Any]:
    """What must hold where people log in for real."""
    found: list[Any] = []
    url = urlsplit(settings.BASE_URL)
    if url.scheme != "https" or not url.hostname:
        found.append(
            Error(
                "BASE_URL is not an https address.",
                hint="Set BASE_URL to the address that people type, such as "
                "https://accounts.example.com: all links in mails begin with it.",
                id="procore_site.E001",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "ALLOWED_HOSTS allows every host.",
                hint="List the names under which the site is reached.",
                id="procore_site.E002",
            )
        )
    if settings.MAILERS["default"]["BACKEND"].endswith(
        ("console.EmailBackend", "filebased.EmailBackend", "locmem.EmailBackend")
    ):
        found.append(
            Warning(
                "Mails are not sent to anybody.",
                hint="Set EMAIL_URL to the mail server, such as "
                "smtp+tls://user:password@mail.example.com:587.",
                id="procore_site.W001",
            )
        )
    if settings.CACHES["default"]["BACKEND"].endswith(
        ("locmem.LocMemCache", "dummy.DummyCache")
    ):
        found.append(
            Error(
                "Each process would count the tries of a log-in for itself.",
                hint="Leave CACHE_URL empty for the database's cache, or name a Redis.",
                id="procore_site.E003",
            )
        )
    return found
