"""What people do at the same moment, with real threads on both engines."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Membership
from invitations.models import Delivery, Invitation, Terms, TermsAcceptance
from tests.cast import add_entry, invite, let_an_hour_pass

ROUNDS = 30


def race(*actions):
    """Do all of these at once, and return their answers in the same order."""
    start = Barrier(len(actions))

    def run(action):
        try:
            start.wait()
            return action()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def password(number):
    return f"Gravel-Pit-{number}"


def join(invitation, number):
    """Open the link in a browser of its own; return what sets the password there."""
    client = Client()
    client.get(reverse("invitations:link", args=[invitation.token]))
    form = {
        "invitation": invitation.public_id,
        "password1": password(number),
        "password2": password(number),
    }
    return partial(client.post, reverse("invitations:join"), form)


def winner_of(answers):
    """The number of the one answer that goes on; the others say why they don't."""
    [winner] = [n for n, answer in enumerate(answers) if answer.status_code == 302]
    for number, answer in enumerate(answers):
        page = answer.content.decode()
        assert (
            number == winner
            or "This invitation was used already" in page
            or "You have an account already" in page
        )
    return winner


def tab_of(client):
    """Another tab of the same browser."""
    tab = Client()
    tab.cookies.load(client.cookies.output(header=""))
    return tab


def agree(client):
    form = {"version": Terms.objects.current().version, "agree": "on"}
    return client.post(reverse("invitations:terms"), form)


def test_one_link_joined_by_twenty_browsers_at_once(transactional_db, acme, ada):
    """T8: one user with the winner's password, one membership, one terms row."""
    for round_ in range(ROUNDS):
        entry = add_entry(acme, f"ivo{round_}@subco.example")
        invitation = invite(entry, ada.user)
        answers = race(*(join(invitation, number) for number in range(20)))
        winner = winner_of(answers)

        user = User.objects.get(email=entry.email)
        assert user.check_password(password(winner))
        assert user.password_history.count() == 1
        entry.refresh_from_db()
        assert entry.user == user
        tabs = [tab_of(answers[winner].client) for _ in range(20)]
        agreed = race(*(partial(agree, tab) for tab in tabs))
        assert {answer.status_code for answer in agreed} == {302}
        assert TermsAcceptance.objects.filter(user=user).count() == 1
    assert Membership.objects.count() == 1 + ROUNDS
    assert User.objects.count() == 1 + ROUNDS
    accepted = AuditEvent.objects.filter(kind=AuditEvent.Kind.INVITATION_ACCEPTED)
    assert accepted.count() == ROUNDS
    agreed = AuditEvent.objects.filter(kind=AuditEvent.Kind.TERMS_ACCEPTED)
    assert agreed.exclude(actor=ada.user).count() == ROUNDS


def test_two_companies_joined_at_once_by_a_new_person(
    transactional_db, acme, globex, ada, gina
):
    """T10: one account; the first password stands; then the other one is accepted."""
    for round_ in range(ROUNDS):
        email = f"ivo{round_}@subco.example"
        invitations = [
            invite(add_entry(company, email), by.user)
            for company, by in [(acme, ada), (globex, gina)]
        ]
        answers = race(*(join(each, n) for n, each in enumerate(invitations)))
        winner = winner_of(answers)
        user = User.objects.get(email=email)
        assert user.check_password(password(winner))
        assert user.memberships.get().company == invitations[winner].company

        other = Invitation.objects.get(pk=invitations[1 - winner].pk)
        assert other.state == Invitation.State.PENDING
        other.accept(user, version=other.version, is_proven=True)
        assert user.memberships.count() == 2


@pytest.mark.parametrize("verb", ["send", "revoke", "decline"])
def test_accepting_while_the_invitation_changes(transactional_db, acme, ada, verb):
    """T4, T8: either the person is in, or the link is dead; never both or neither."""
    for round_ in range(ROUNDS):
        entry = add_entry(acme, f"ivo{round_}@subco.example")
        invitation = invite(entry, ada.user)
        let_an_hour_pass(entry)
        verbs = {
            "send": partial(Invitation.objects.send, [entry], ada.user),
            "revoke": partial(
                Invitation.objects.filter(pk=invitation.pk).revoke, ada.user
            ),
            "decline": partial(invitation.decline, invitation.version),
        }
        answer, _ = race(join(invitation, 1), verbs[verb])
        is_in = answer.status_code == 302
        entry.refresh_from_db()
        invitation.refresh_from_db()
        assert entry.has_joined == is_in
        assert User.objects.filter(email=entry.email).exists() == is_in
        assert (invitation.state == Invitation.State.ACCEPTED) == is_in
        assert (invitation.version == 2) == (verb == "send" and not is_in)
        assert entry.invitations.count() == 1


def test_sending_to_one_entry_at_once(transactional_db, acme, ada):
    """One pending row, and one mail: the others come too soon after it (T27)."""
    for round_ in range(ROUNDS):
        entry = add_entry(acme, f"ivo{round_}@subco.example")
        race(*[partial(Invitation.objects.send, [entry], ada.user)] * 4)
        invitation = entry.invitations.get()
        assert invitation.version == 1
        assert invitation.deliveries.count() == 1


def test_accepting_two_invitations_of_one_account_at_once(
    transactional_db, acme, globex, ada, gina
):
    """Somebody who has an account accepts in two tabs, and each once more."""
    for round_ in range(ROUNDS):
        user = User.objects.create_user(
            f"una{round_}@subco.example", password(0), is_proven=True
        )
        invitations = [
            invite(add_entry(company, user.email), by.user)
            for company, by in [(acme, ada), (globex, gina)]
        ]

        def accept(invitation, user=user):
            fresh = Invitation.objects.get(pk=invitation.pk)
            try:
                fresh.accept(user, version=1, is_proven=True)
            except ValidationError as error:
                return error.code
            return "in"

        codes = race(*(partial(accept, each) for each in invitations * 2))
        assert sorted(codes) == ["accepted", "accepted", "in", "in"]
        assert user.memberships.count() == 2


def test_workers_that_claim_at_once(transactional_db, acme, ada):
    """F8: no mail to two of them, and none to nobody."""
    entries = [add_entry(acme, f"person{n}@subco.example") for n in range(60)]
    Invitation.objects.send(entries, ada.user)
    for _ in range(ROUNDS):
        Delivery.objects.update(state=Delivery.State.QUEUED, leased_until=None)
        batches = race(*[partial(Delivery.objects.claim, 15)] * 4)
        claimed = [delivery.pk for batch in batches for delivery in batch]
        assert len(claimed) == len(set(claimed)) == 60
