"""Each event once: who, what, about whom, in which company, from where (T56)."""

import json

import pytest
from django.contrib.auth.signals import user_login_failed
from django.db import connection
from django.urls import reverse

from audit.models import AuditEvent, client_address
from tests.cast import PASSWORD, invite

Kind = AuditEvent.Kind
CHOSEN = "Gravel-Pit-22"


def log_in(client, email, password=PASSWORD, **headers):
    form = {"login": email, "password": password}
    return client.post(reverse("account_login"), form, **headers)


def kinds():
    return list(AuditEvent.objects.order_by("id").values_list("kind", flat=True))


def newest():
    return AuditEvent.objects.order_by("id").last()


def test_from_the_invitation_to_the_log_out(client, ivo):
    """Each step once, in its order, with its actor and company."""
    before = len(kinds())
    client.get(reverse("invitations:link", args=[ivo.token]))
    form = {"invitation": ivo.public_id, "password1": CHOSEN, "password2": CHOSEN}
    client.post(reverse("invitations:join"), form)
    terms = {"version": "2026-01", "agree": "on"}
    client.post(reverse("invitations:terms"), terms)
    client.post(reverse("account_logout"))
    events = list(AuditEvent.objects.order_by("id"))[before - 1 :]
    assert [event.kind for event in events] == [
        Kind.INVITATION_SENT,
        Kind.LINK_OPENED,
        Kind.ACCOUNT_CREATED,
        Kind.INVITATION_ACCEPTED,
        Kind.LOGGED_IN,
        Kind.TERMS_ACCEPTED,
        Kind.LOGGED_OUT,
    ]
    companies = [event.company for event in events]
    assert companies == [ivo.company] * 4 + [None] * 3
    assert {str(event.actor) for event in events[2:]} == {ivo.sent_to}
    assert {event.client_address for event in events[1:]} == {"127.0.0.1"}
    assert events[3].about_id == ivo.membership_id
    assert events[5].facts["version"] == "2026-01"


def test_what_was_stands_before_what_is():
    """PostgreSQL gives the facts back in an order of its own."""
    facts = {"after": "Admin", "email": "ivo@subco.example", "before": "Member"}
    assert AuditEvent(facts=facts).details == [
        "email: ivo@subco.example",
        "before: Member",
        "after: Admin",
    ]


def test_refused_log_in(client, ada):
    """With the address that was tried, and nobody as its actor."""
    log_in(client, " ADA@acme.example", "Wrong-Horse-8")
    event = newest()
    assert event.kind == Kind.LOG_IN_REFUSED
    assert event.facts == {"email": "ada@acme.example"}
    assert (event.actor, event.about_id, event.company) == (None, None, None)
    assert list(AuditEvent.objects.about_address("ada@acme.example")) == [event]


def test_what_was_tried_with_an_address_is_found_without_a_scan(client, ada):
    """Where the table holds millions of rows, too."""
    log_in(client, ada.email, "Wrong-Horse-8")
    plan = AuditEvent.objects.about_address(ada.email).order_by("-id")[:20].explain()
    if connection.vendor == "sqlite":  # PostgreSQL reads so few rows as they lie
        assert "audit_by_address" in plan


@pytest.mark.parametrize(
    "email", [None, "", "ada", "a@b.example\r\nBcc: x", "a\0@b.example"]
)
def test_refusal_keeps_nothing_that_is_no_address(db, email):
    """T16: neither line breaks nor what may be a password in the wrong field."""
    user_login_failed.send(None, credentials={"email": email}, request=None)
    assert newest().facts == {"email": ""}


def test_no_event_holds_a_secret(client, as_, ada, ivo):
    """Neither passwords nor links, however they were used."""
    log_in(client, ada.email, "Wrong-Horse-8")
    log_in(client, ada.email)
    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": CHOSEN, "password2": CHOSEN},
    )
    assert newest().kind == Kind.PASSWORD_CHANGED
    entries = [ivo.membership]
    [(_, first)], _ = type(ivo).objects.make_first_passwords(entries, ada.user)
    ivo.refresh_from_db()
    written = json.dumps(list(AuditEvent.objects.values()), default=str)
    for secret in ("Wrong-Horse-8", PASSWORD, CHOSEN, first, ivo.first_password):
        assert secret not in written
    assert ivo.token.partition(":")[0] not in written


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "kept"),
    [
        ("192.0.2.7", "", 0, "192.0.2.7"),
        ("2001:db8::7", "", 0, "2001:db8::7"),
        ("fe80::7%eth0", "", 0, "fe80::7"),
        ("192.0.2.7", "198.51.100.9", 0, "192.0.2.7"),
        ("192.0.2.7", "6.6.6.6, 198.51.100.9", 1, "198.51.100.9"),
    ],
)
def test_address_of_the_client(client, ada, settings, remote, forwarded, proxies, kept):
    """T26: what was forwarded counts only from as many proxies as are trusted."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    headers = {"REMOTE_ADDR": remote}
    if forwarded:
        headers["HTTP_X_FORWARDED_FOR"] = forwarded
    log_in(client, ada.email, **headers)
    assert newest().kind == Kind.LOGGED_IN
    assert newest().client_address == kept


def test_outside_of_a_request_there_is_no_address(client, ada, ivo):
    """T57: nothing is left of the request before."""
    log_in(client, ada.email)
    assert client_address.get() is None
    invite(ivo.membership)
    assert newest().client_address is None


def test_history_of_an_entry_is_its_own_companys(as_, ada, gina, ivo, olga):
    """T56: Ada reads who invited Ivo; for Gina there is no such entry."""
    url = reverse("admin:companies_membership_history", args=[ivo.membership_id])
    page = as_(ada).get(url).content.decode()
    assert "Invitation sent" in page
    assert "ada@acme.example" in page
    assert "Invitation sent" not in as_(gina).get(url, follow=True).content.decode()


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_not_even_operators_change_it(as_, ada, olga, page):
    arguments = [] if page == "add" else [AuditEvent.objects.first().pk]
    url = reverse(f"admin:audit_auditevent_{page}", args=arguments)
    operator = as_(olga)
    count = AuditEvent.objects.count()
    assert operator.post(url, {"post": "yes", "kind": "x"}).status_code == 403
    assert AuditEvent.objects.count() == count
