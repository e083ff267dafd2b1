"""What becomes of a log-in while its password is set is not undone by it (T34)."""

from functools import partial

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from tests.cast import PASSWORD, add_entry, invite, link_in, work
from tests.invitations.test_first_password import handed, unproven, zoe  # noqa: F401
from tests.meanwhile import just_before
from tests.steps import CHOSEN, FORGOT, follow, is_logged_in, set_password, text

WRITTEN = 'UPDATE "accounts_user" SET "password"'
ANOTHER = "Another-Word-9"


def change_it(as_, user, mailoutbox, monkeypatch):
    given = {"oldpassword": PASSWORD, "password1": CHOSEN, "password2": CHOSEN}
    return partial(as_(user).post, reverse("account_change_password"), given)


def reset_it(as_, user, mailoutbox, monkeypatch):
    client = Client()
    client.post(FORGOT, {"email": user.email})
    work()
    form = client.get(link_in(mailoutbox[0]), follow=True).redirect_chain[-1][0]
    return partial(client.post, form, {"password1": CHOSEN, "password2": CHOSEN})


def command(as_, user, mailoutbox, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda *prompt: CHOSEN)
    return partial(call_command, "changepassword", user.email, verbosity=0)


@pytest.fixture(params=[change_it, reset_it, command])
def set_anew(request, as_, max_, mailoutbox, monkeypatch):
    """One way of setting Max's password, ready to be gone."""
    return request.param(as_, max_.user, mailoutbox, monkeypatch)


def test_who_is_switched_off_while_the_password_is_set_stays_so(set_anew, max_):
    """T34: and an address that was confirmed at that moment stands (T36)."""
    rows = User.objects.filter(pk=max_.user_id)
    happens = partial(rows.update, is_active=False, email="weber@acme.example")
    with just_before(WRITTEN, happens):
        set_anew()
    user = rows.get()
    assert (user.is_active, user.email) == (False, "weber@acme.example")
    assert user.check_password(CHOSEN)
    assert user.password_history.count() == 2


@pytest.fixture
def thief(max_):
    """An address that Max's log-in is to change to, once its mailbox confirms it."""
    return max_.user.emailaddress_set.create(email="thief@subco.example").email


def test_a_change_of_address_that_waits_ends_with_the_old_password(
    thief, set_anew, max_
):
    """T36: whoever has asked for it may be the one whom the new password shuts out."""
    set_anew()
    assert max_.user.emailaddress_set.get().email == max_.user.email
    event = AuditEvent.objects.get(kind=AuditEvent.Kind.ADDRESS_REMOVED)
    assert (event.about_id, event.facts) == (max_.user_id, {"email": thief})


def test_who_changes_the_password_is_told_of_the_address_that_waited(thief, as_, max_):
    """T36: it may be news to them, or what they have asked for themselves."""
    change = change_it(as_, max_.user, [], None)
    assert f"The change to {thief} is cancelled." in text(change(follow=True))


@pytest.fixture
def welcome(unproven, gina):  # noqa: F811
    """A mailed link, to which Zoe's unproven account counts as none."""
    return invite(add_entry(gina.company, unproven.email), gina.user)


BEGUN = "SAVEPOINT"  # of the transaction that accepts: it has read nothing yet


def test_a_welcome_link_sets_no_password_of_who_is_proven_at_that_moment(
    welcome,
    unproven,  # noqa: F811
):
    """T10, T18: as by a reset link in another browser."""

    def proven():
        user = User.objects.get(pk=unproven.pk)
        user.change_password("By-Reset-99!")
        user.prove()

    mailbox = Client()
    follow(mailbox, welcome)
    with just_before(BEGUN, proven):
        answer = set_password(mailbox, welcome, ANOTHER)
    assert "You have an account already" in text(answer)
    assert not is_logged_in(mailbox)
    assert User.objects.get(pk=unproven.pk).check_password("By-Reset-99!")
    welcome.refresh_from_db()
    assert welcome.state == "pending"


def test_nor_of_who_is_switched_off_at_that_moment(welcome, unproven):  # noqa: F811
    """T18, T34."""
    rows = User.objects.filter(pk=unproven.pk)
    mailbox = Client()
    follow(mailbox, welcome)
    with just_before(BEGUN, partial(rows.update, is_active=False)):
        answer = set_password(mailbox, welcome, ANOTHER)
    assert "You have an account already" in text(answer)
    assert not is_logged_in(mailbox)
    user = rows.get()
    assert (user.is_active, user.is_proven) == (False, False)
    assert user.check_password(CHOSEN)
