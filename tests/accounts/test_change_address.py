"""Another address for the own log-in: allauth's pages, our rules (T36)."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from invitations.models import Delivery
from tests.cast import PASSWORD, add_user, link_in, work
from tests.steps import is_logged_in, log_in, text

NEW = "weber@acme.example"
PAGE = reverse("account_email")


@pytest.fixture
def logged_in(client, max_):
    log_in(client, "max@acme.example")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def ask(client, email):
    return client.post(PAGE, {"email": email, "action_add": ""}, follow=True)


def confirm(client, mailoutbox):
    """Follow the link to the new address, and confirm."""
    [letter] = [mail for mail in mailoutbox if "Confirm" in mail.subject]
    link = link_in(letter)
    page = client.get(link)
    return page, client.post(link, follow=True)


def test_the_password_is_asked_again_first(client, max_):
    """T36: what was typed is kept meanwhile."""
    log_in(client, "max@acme.example")
    answer = client.post(PAGE, {"email": NEW, "action_add": ""})
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert not max_.user.emailaddress_set.filter(email=NEW).exists()
    client.post(answer.url, {"password": PASSWORD})
    assert max_.user.emailaddress_set.filter(email=NEW).exists()


def test_it_counts_once_its_mailbox_has_confirmed_it(logged_in, max_, mailoutbox):
    """T36: the new one is asked, the old one is told."""
    page = ask(logged_in, " Weber@ACME.example")
    assert "is waiting to be confirmed" in text(page)
    work()
    assert User.objects.get(pk=max_.user.pk).email == "max@acme.example"
    page, answer = confirm(logged_in, mailoutbox)
    assert NEW in text(page)
    user = User.objects.get(pk=max_.user.pk)
    assert user.email == NEW
    assert user.is_proven
    assert list(user.emailaddress_set.values_list("email", "primary")) == [(NEW, True)]
    work()
    assert [mail.to for mail in mailoutbox if "changed" in mail.subject] == [
        ["max@acme.example"]
    ]
    kinds = AuditEvent.objects.filter(actor=user).values_list("kind", flat=True)
    assert AuditEvent.Kind.ADDRESS_CHANGED in kinds
    logged_in.post(reverse("account_logout"))
    log_in(logged_in, "max@acme.example")
    assert not is_logged_in(logged_in)
    log_in(logged_in, NEW)
    assert is_logged_in(logged_in)


def test_opening_the_link_confirms_nothing(logged_in, max_, mailoutbox):
    """T1."""
    ask(logged_in, NEW)
    work()
    link = link_in(mailoutbox[-1])
    for open_it in (logged_in.get, logged_in.head):
        open_it(link)
    assert User.objects.get(pk=max_.user.pk).email == "max@acme.example"


def test_a_taken_address_answers_like_a_free_one(logged_in, ada, max_, mailoutbox):
    """T36: only the reader of its mailbox learns of it."""
    answers = []
    for email in ("ada@acme.example", NEW):
        page = text(ask(logged_in, email)).replace(email, "…")
        assert "is waiting to be confirmed" in page
        answers.append((page.count("…"), "taken" in page, "already" in page))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("is_proven", [True, False])
def test_a_collision_changes_nothing(logged_in, max_, mailoutbox, is_proven):
    """T36, S6: the other log-in has come meanwhile, proven or not."""
    ask(logged_in, NEW)
    work()
    other = add_user(NEW)
    other.emailaddress_set.update(verified=is_proven)
    _, answer = confirm(logged_in, mailoutbox)
    assert answer.status_code == 200
    assert "can’t become your address" in text(answer)
    user = User.objects.get(pk=max_.user.pk)
    assert user.email == "max@acme.example"
    assert user.is_proven
    assert user.emailaddress_set.get(primary=True).email == "max@acme.example"
    assert User.objects.get(email=NEW) == other


def test_nothing_changes_about_a_log_in_that_was_switched_off(
    logged_in, max_, mailoutbox
):
    """T34, T36: also by a link that was sent before."""
    ask(logged_in, NEW)
    work()
    rows = User.objects.filter(pk=max_.user.pk)
    rows.update(is_active=False)
    _, answer = confirm(Client(), mailoutbox)
    assert "can’t become your address" in text(answer)
    assert rows.get().email == "max@acme.example"
    assert max_.user.emailaddress_set.get(primary=True).email == "max@acme.example"
    rows.update(is_active=True)
    confirm(Client(), mailoutbox)
    assert rows.get().email == NEW


def test_a_change_can_be_cancelled(logged_in, max_):
    """T36."""
    ask(logged_in, NEW)
    answer = logged_in.post(PAGE, {"email": NEW, "action_remove": ""}, follow=True)
    assert f"The change to {NEW} is cancelled." in text(answer)
    assert max_.user.emailaddress_set.get().email == "max@acme.example"


@pytest.mark.parametrize("action", ["action_remove", "action_primary"])
def test_the_log_in_can_not_be_left_without_an_address(logged_in, max_, action):
    """T36."""
    given = {"email": "max@acme.example", action: ""}
    assert logged_in.post(PAGE, given, follow=True).status_code == 200
    assert max_.user.emailaddress_set.get().email == "max@acme.example"
    assert User.objects.get(pk=max_.user.pk).email == "max@acme.example"


@pytest.mark.parametrize(
    "email", ["", "max@acme.example", "no", "\0", "müller@a.example"]
)
def test_bad_input_gets_the_form_again(logged_in, email):
    """T11."""
    answer = ask(logged_in, email)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not Delivery.objects.filter(letter__contains="confirmation").exists()
