"""Waiting invitations are offered after log-in to who has the verified address."""

import pytest
from django.urls import reverse

from invitations.models import Invitation
from tests.cast import add_entry, add_user, invite
from tests.steps import accept, is_logged_in, log_in, text

WAITING = reverse("invitations:waiting")


@pytest.fixture
def waiting(gina, max_):
    return invite(add_entry(gina.company, "max@acme.example"), gina.user)


def test_they_are_offered_after_the_log_in(client, waiting, max_):
    """Issue 2, item 6."""
    answer = log_in(client, "max@acme.example")
    assert answer.url == WAITING
    page = text(client.get(WAITING))
    assert "Globex Builders" in page
    assert "Invited by Gina Rossi" in page
    answer = accept(client, waiting)
    assert answer.url == waiting.company.get_absolute_url()
    assert client.get(WAITING).url == reverse("companies:select")


def test_only_after_where_the_person_was_going(client, waiting, tower):
    """Design, section 3: the safe next goes first."""
    answer = log_in(client, "max@acme.example", next=tower.get_absolute_url())
    assert answer.url == tower.get_absolute_url()


def test_nobody_else_is_offered_them(waiting, ada, gina, as_):
    """T37."""
    for each in (ada, gina):
        client = as_(each)
        assert client.get(WAITING).url == reverse("companies:select")
        assert accept(client, waiting).status_code == 404


def test_nothing_waits_of_a_company_that_one_is_in(client, acme, max_):
    """S7: through another entry; there would be nothing to accept at each log-in."""
    acme.memberships.filter(pk=max_.pk).update(email="m.weber@acme.example")
    invite(add_entry(acme, "max@acme.example"))
    assert log_in(client, "max@acme.example").url == acme.get_absolute_url()
    assert client.get(WAITING).url == reverse("companies:select")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "revoked", "settled_at": "2026-01-01T00:00Z"},
        {"sent_at": "2020-01-01T00:00Z", "expires_at": "2020-01-02T00:00Z"},
        {"held_at": "2026-01-01T00:00Z"},
        {"sent_to": "somebody@globex.example"},
    ],
)
def test_what_can_not_be_accepted_is_not_offered(waiting, max_, as_, change):
    """T4, T5, T18b."""
    Invitation.objects.filter(pk=waiting.pk).update(**change)
    client = as_(max_)
    assert client.get(WAITING).url == reverse("companies:select")
    assert accept(client, waiting).status_code == 404


def test_an_unproven_account_is_offered_none(client, gina, terms):
    """S6: it has shown no mailbox."""
    user = add_user("zoe@subco.example")
    user.emailaddress_set.update(verified=False)
    waiting = invite(add_entry(gina.company, "zoe@subco.example"), gina.user)
    answer = log_in(client, "zoe@subco.example")
    assert is_logged_in(client)
    assert answer.url == reverse("companies:select")
    assert client.get(WAITING).url == reverse("companies:select")
    assert accept(client, waiting).status_code == 404
    assert not gina.company.has_member(user)


def test_a_stranger_is_asked_to_log_in(client, waiting):
    """S15."""
    assert client.get(WAITING).url == f"{reverse('account_login')}?next={WAITING}"
