"""Settings that would break the site silently, found at start (T53)."""

from collections.abc import Iterator
from email.utils import parseaddr
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http.request import validate_host

from invitations.models.sending import DAYS_AT_MOST

# What OWASP asks of Argon2id at least: KiB of memory by passes.
ARGON2_LEAST = {1: 47104, 2: 19456, 3: 12288, 4: 9216, 5: 7168}


@register()
def invitation_days(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """An invitation is open for a day at least and a month at most (T5)."""
    if 1 <= settings.INVITATION_DAYS <= DAYS_AT_MOST:
        return []
    sentence = f"INVITATION_DAYS is not between 1 and {DAYS_AT_MOST}."
    hint = "Leave it out for 7 days."
    return [Error(sentence, hint=hint, id="procore_site.E004")]


@register(Tags.security, deploy=True)
def production_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What must hold where people log in for real."""
    return list(chain(addresses(), proxies(), mails(), limits(), hashes()))


def addresses() -> Iterator[CheckMessage]:
    url = urlsplit(settings.BASE_URL)
    if url.scheme != "https" or not url.hostname:
        yield Error(
            "BASE_URL is not an https address.",
            hint="Set BASE_URL to the address that people type, such as "
            "https://accounts.example.com: all links in mails begin with it.",
            id="procore_site.E001",
        )
    elif not validate_host(url.hostname, settings.ALLOWED_HOSTS):
        yield Error(
            "ALLOWED_HOSTS does not have the host of BASE_URL.",
            hint=f"Add {url.hostname}: no link in a mail would be answered.",
            id="procore_site.E005",
        )
    if url.path or url.query or url.fragment:
        yield Error(
            "BASE_URL has a path.",
            hint="End it with the name of the host: the site answers at its root.",
            id="procore_site.E006",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS allows every host.",
            hint="List the names under which the site is reached.",
            id="procore_site.E002",
        )


def proxies() -> Iterator[CheckMessage]:
    is_https = urlsplit(settings.BASE_URL).scheme == "https"
    if is_https and not settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        yield Warning(
            "BASE_URL is an https address, and no proxy is trusted.",
            hint="Set TRUSTED_PROXY_COUNT to the number of proxies before the site: it "
            "does not see that they were asked over https, and would redirect to there "
            "for ever.",
            id="procore_site.W002",
        )


def mails() -> Iterator[CheckMessage]:
    if settings.MAILERS["default"]["BACKEND"].endswith(
        ("console.EmailBackend", "filebased.EmailBackend", "locmem.EmailBackend")
    ):
        yield Warning(
            "Mails are not sent to anybody.",
            hint="Set EMAIL_URL to the mail server, such as "
            "smtp+tls://user:password@mail.example.com:587.",
            id="procore_site.W001",
        )
    if parseaddr(settings.DEFAULT_FROM_EMAIL)[1].endswith("@localhost"):
        yield Warning(
            "Mails come from an address at localhost.",
            hint="Set DEFAULT_FROM_EMAIL to an address of yours, such as "
            "Procore <noreply@example.com>: other mail servers refuse this one.",
            id="procore_site.W003",
        )
    if len(settings.DEFAULT_FROM_EMAIL.splitlines()) > 1:
        yield Error(
            "DEFAULT_FROM_EMAIL has a line break.",
            hint="Write it in one line, or no mail can be written.",
            id="procore_site.E008",
        )


def limits() -> Iterator[CheckMessage]:
    if settings.CACHES["default"]["BACKEND"].endswith(
        ("locmem.LocMemCache", "dummy.DummyCache")
    ):
        yield Error(
            "Each process would count the tries of a log-in for itself.",
            hint="Leave CACHE_URL empty for the database's cache, or name a Redis.",
            id="procore_site.E003",
        )


def hashes() -> Iterator[CheckMessage]:
    passes = settings.ARGON2_TIME_COST
    least = ARGON2_LEAST[max(1, min(passes, 5))]
    memory = settings.ARGON2_MEMORY_KIB
    if memory < least:
        yield Error(
            "A stolen hash of a password would be too cheap to try out.",
            hint=f"With {passes} passes ARGON2_MEMORY_KIB is {least} at least (OWASP).",
            id="procore_site.E007",
        )
