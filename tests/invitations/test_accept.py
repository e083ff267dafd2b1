"""Accepting with an account that is there already (T3, T18)."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from invitations.models import Invitation
from tests.cast import PASSWORD, add_entry, invite
from tests.invitations.test_races import tab_of
from tests.steps import (
    JOIN,
    LOG_IN,
    accept,
    follow,
    is_logged_in,
    join_page,
    link_of,
    log_in,
    set_password,
    text,
)


@pytest.fixture
def second(gina, max_):
    """Globex invites Max, who is a member of Acme and has an account."""
    return invite(add_entry(gina.company, "max@acme.example"), gina.user)


def test_who_has_an_account_is_asked_to_log_in(client, second):
    """T18: the page has no password field."""
    page = text(follow(client, second))
    assert "Log in to accept" in page
    assert "Globex Builders" in page
    assert "password1" not in page
    assert LOG_IN in page


def test_posted_passwords_are_ignored(client, second, max_):
    """T18: the hash stays, and nobody is logged in."""
    before = max_.user.password
    follow(client, second)
    answer = set_password(client, second, "Another-Word-9", newsletter="on")
    assert "Log in to accept" in text(answer)
    max_.user.refresh_from_db()
    assert max_.user.password == before
    assert max_.user.newsletter_since is None
    assert not is_logged_in(client)
    assert not second.company.has_member(max_.user)


def test_also_of_an_account_that_was_switched_off(client, second, max_):
    """T18: proven or not, its password is out of reach."""
    for is_proven in (True, False):
        max_.user.emailaddress_set.update(verified=is_proven)
        User.objects.filter(pk=max_.user.pk).update(is_active=False)
        before = max_.user.password
        follow(client, second)
        answer = set_password(client, second, "Another-Word-9")
        assert "Log in to accept" in text(answer)
        max_.user.refresh_from_db()
        assert max_.user.password == before
        log_in(client, "max@acme.example")
        assert not is_logged_in(client)


def test_after_the_log_in_the_person_comes_back_and_accepts(client, second, max_):
    """T18: the session keeps the invitation; the password stays."""
    follow(client, second)
    answer = log_in(client, "max@acme.example")
    assert answer.url == join_page(second)
    assert "You are logged in as max@acme.example" in text(client.get(answer.url))
    answer = accept(client, second)
    assert answer.url == second.company.get_absolute_url()
    assert client.get(answer.url).status_code == 200
    assert second.company.has_member(max_.user)
    max_.user.refresh_from_db()
    assert max_.user.check_password(PASSWORD)
    event = AuditEvent.objects.get(kind=AuditEvent.Kind.INVITATION_ACCEPTED)
    assert (event.actor, event.company) == (max_.user, second.company)


def test_opening_the_page_accepts_nothing(second, max_, as_):
    """T1: also for somebody who has logged in."""
    client = as_(max_)
    follow(client, second)
    client.head(join_page(second))
    second.refresh_from_db()
    assert second.state == Invitation.State.PENDING


def test_accepting_twice_is_no_error(second, max_, as_):
    """T8: whoever presses the button again goes on."""
    client = as_(max_)
    follow(client, second)
    for _ in range(2):
        accept(client, second)
        answer = accept(client, second)
        assert answer.url == reverse("companies:select")
        follow(client, second)
    assert max_.user.memberships.count() == 2


def revoked(invitation):
    Invitation.objects.filter(pk=invitation.pk).revoke(None)


def expired(invitation):
    Invitation.objects.filter(pk=invitation.pk).update(
        sent_at="2020-01-01T08:00Z", expires_at="2020-01-08T08:00Z"
    )


@pytest.mark.parametrize("is_opened", [True, False])
@pytest.mark.parametrize(
    ("happens", "sentence"),
    [
        (revoked, "no longer valid"),
        (expired, "This invitation has expired"),
        (lambda invitation: invitation.wait_for_confirmation(1), "has to be confirmed"),
        (lambda invitation: invitation.decline(1), "This invitation was declined"),
    ],
)
def test_who_answers_too_late_reads_what_became_of_it(
    second, max_, as_, happens, sentence, is_opened
):
    """T4, T8: not that the link should be opened again, which nobody did perhaps."""
    client = as_(max_)
    if is_opened:
        follow(client, second)
    happens(second)
    given = {"invitation": second.public_id}
    for page in (JOIN, reverse("invitations:decline")):
        answer = client.post(page, given)
        assert answer.status_code == 404
        assert sentence in text(answer)


def token_of(page):
    return str(page.context["csrf_token"])


def test_what_is_sent_from_a_window_opened_before_the_log_in_goes_on(client, second):
    """T46: the form has lost its worth; what it was about is shown anew."""
    client = Client(enforce_csrf_checks=True)
    other_window = follow(client, second)
    form = client.get(LOG_IN)
    log_in(client, "max@acme.example", csrfmiddlewaretoken=token_of(form))
    old = {"csrfmiddlewaretoken": token_of(other_window)}
    answer = set_password(client, second, **old)
    assert answer.url == join_page(second)
    page = client.get(answer.url)
    assert "You are logged in as max@acme.example" in text(page)
    # Once it is accepted, what the others send leads on as well.
    answer = client.post(
        JOIN, {"invitation": second.public_id} | {"csrfmiddlewaretoken": token_of(page)}
    )
    assert answer.url == second.company.get_absolute_url()
    answer = set_password(client, second, **old)
    assert client.get(answer.url).url == reverse("companies:select")


def test_nothing_is_taken_without_the_token_of_the_page(second, max_, as_):
    """T46: neither from who is logged in, nor from others, who read what may be why."""
    client = Client(enforce_csrf_checks=True)
    follow(client, second)
    answer = accept(client, second)
    assert answer.status_code == 403
    assert "in another window of this browser" in text(answer)
    client.force_login(max_.user, "invitations.backends.AuthenticationBackend")
    assert accept(client, second).url == join_page(second)
    assert not second.company.has_member(max_.user)


def test_two_links_opened_at_once_leave_one_logged_in(second, max_, as_, globex, acme):
    """T31: the second request comes with the cookie that the first one had."""
    client = as_(max_)
    tab = tab_of(client)
    follow(client, second)
    follow(tab, second)
    assert is_logged_in(client)
    assert is_logged_in(tab)


def test_a_link_for_somebody_else_joins_nothing_to_who_is_here(ivo, max_, as_):
    """T3: the address is not shown in full, and nobody is logged out silently."""
    client = as_(max_)
    answer = client.get(link_of(ivo), follow=True)
    assert "This invitation is for another address" in text(answer)
    assert "i…@subco.example" in text(answer)
    assert "ivo@subco.example" not in text(answer)
    assert "max@acme.example" in text(answer)
    for answer in (accept(client, ivo), set_password(client, ivo)):
        assert "This invitation is for another address" in text(answer)
    assert client.session["_auth_user_id"] == str(max_.user.pk)
    assert not User.objects.filter(email="ivo@subco.example").exists()
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.PENDING


def test_held_for_who_has_an_account_too(second, max_, gina, as_):
    """T18b."""
    type(gina).objects.filter(pk=gina.pk).update(is_active=False)
    client = as_(max_)
    follow(client, second)
    answer = accept(client, second)
    assert answer.status_code == 404
    assert "has to be confirmed" in text(answer)
    assert not second.company.has_member(max_.user)


def test_an_operators_invitation_needs_no_confirmation(max_, globex, as_):
    """T18b: a command has no inviter who could have lost a right."""
    invitation = invite(add_entry(globex, "max@acme.example"))
    client = as_(max_)
    follow(client, invitation)
    assert accept(client, invitation).url == globex.get_absolute_url()


def test_a_new_session_has_to_open_the_link_again(client, second):
    """Design, section 2: without the session, one sentence and the next step."""
    answer = client.get(join_page(second))
    assert answer.status_code == 404
    assert "This browser does not hold the link any more" in text(answer)
    assert reverse("account_reset_password") in text(answer)
