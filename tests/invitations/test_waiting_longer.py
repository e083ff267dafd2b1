"""Reminding people of their invitation, extending it, and how often a mail may go."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from companies.models import Membership
from companies.tools import MEMBER
from invitations.emails import moment
from invitations.models import Delivery, Invitation
from tests.cast import (
    add_entry,
    add_user,
    invite,
    let_an_hour_pass,
    link_in,
    template,
    work,
)
from tests.steps import follow, link_of, set_password

Kind = Delivery.Kind


def let_days_pass(days, *invitations):
    """Since they were sent; they stay open."""
    rows = Invitation.objects.filter(pk__in=[each.pk for each in invitations])
    rows.update(sent_at=F("sent_at") - timedelta(days=days))
    mails = Delivery.objects.filter(invitation__in=invitations)
    mails.update(created_at=F("created_at") - timedelta(days=days))


def expire(invitation):
    Invitation.objects.filter(pk=invitation.pk).update(
        sent_at="2020-01-01T08:00Z", expires_at="2020-01-08T08:00Z"
    )
    let_an_hour_pass(invitation.membership)


def remind(*entries, days=3, by=None):
    return Invitation.objects.remind(entries, by, days=days)


def extend(*entries, days=10, by=None):
    return Invitation.objects.extend(entries, by, days=days)


def reasons(sending):
    return [sentence for _, sentence in sending.refused]


# Reminding


def test_a_reminder_is_the_same_link_once_more(ivo, ada, client, mailoutbox):
    """Version and expiry stay; the mail says since when, and until when."""
    work()
    let_days_pass(4, ivo)
    before = Invitation.objects.filter(pk=ivo.pk).values().get()
    sending = remind(ivo.membership, by=ada.user)
    assert sending.sent == [ivo]
    assert Invitation.objects.filter(pk=ivo.pk).values().get() == before
    work()
    first, second = mailoutbox
    assert second.subject == "Reminder: Welcome to Procore"
    assert second.to == first.to
    assert link_in(second) == link_in(first) == link_of(ivo)
    ivo.refresh_from_db()
    [(html, _)] = second.alternatives
    for body in (second.body, html):
        assert f"waiting for you since {moment(ivo.sent_at)}" in body
        assert moment(ivo.expires_at) in body
        assert "Get Started" in body
    assert "Reminder" not in first.subject


def test_who_has_an_account_is_reminded_to_log_in(ada, gina, mailoutbox):
    """T18: as in the first mail."""
    invitation = invite(add_entry(ada.company, gina.email), ada.user)
    let_days_pass(4, invitation)
    remind(invitation.membership)
    work()
    assert "Log in to accept" in mailoutbox[-1].body
    assert "Create a password" not in mailoutbox[-1].body


def test_reminders_are_numbered_and_audited(ivo, ada):
    for _ in range(2):
        let_days_pass(4, ivo)
        remind(ivo.membership, by=ada.user)
    reminders = ivo.deliveries.filter(kind=Kind.REMINDER).order_by("pk")
    assert list(reminders.values_list("version", "sequence")) == [(1, 1), (1, 2)]
    events = AuditEvent.objects.filter(kind=AuditEvent.Kind.INVITATION_REMINDED)
    assert {(event.actor, event.about_label) for event in events} == {
        (ada.user, "Ivo Novak")
    }


def lately(ivo):
    let_days_pass(-2, ivo)


def corrected(ivo):
    Membership.objects.filter(pk=ivo.membership_id).update(email="new@subco.example")


def switched_off(ivo):
    Membership.objects.filter(pk=ivo.membership_id).update(is_active=False)


def joined(ivo):
    ivo.membership.join(add_user(ivo.membership.email), timezone.now())


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (lately, "Was invited more recently than that."),
        (expire, "The invitation has expired: extend it, or send it again."),
        (corrected, "The last mail is of no use any more: send the invitation again."),
        (
            lambda ivo: ivo.wait_for_confirmation(1),
            "The last mail is of no use any more: send the invitation again.",
        ),
        (lambda ivo: ivo.decline(1), "No open invitation: use ‘Invite’."),
        (switched_off, "The entry is not active: activate it first."),
        (joined, "Joined already."),
    ],
)
def test_who_is_not_reminded_is_told_why(ivo, happens, reason):
    let_days_pass(4, ivo)
    happens(ivo)
    sending = remind(ivo.membership)
    assert (sending.sent, reasons(sending)) == ([], [reason])
    assert not ivo.deliveries.filter(kind=Kind.REMINDER).exists()


# Extending


def test_an_expired_link_works_again_when_it_is_extended(ivo, ada, client):
    """T5: in the same version; who asked for a new link has it by that."""
    expire(ivo)
    Invitation.objects.ask_again(ivo.sent_to)
    extend(ivo.membership, by=ada.user)
    ivo.refresh_from_db()
    assert (ivo.version, ivo.new_link_asked_at) == (1, None)
    assert ivo.expires_at - timezone.now() > timedelta(days=9, hours=23)
    follow(client, ivo)
    assert set_password(client, ivo).status_code == 302
    event = AuditEvent.objects.get(kind=AuditEvent.Kind.INVITATION_EXTENDED)
    assert (event.actor, event.about_label) == (ada.user, "Ivo Novak")
    assert event.facts["until"][:10] == ivo.expires_at.date().isoformat()


def test_nothing_is_shortened_and_thirty_days_are_the_most(ivo):
    """T5"""
    before = ivo.expires_at
    sending = extend(ivo.membership, days=1)
    assert reasons(sending) == ["The invitation is open for longer already."]
    ivo.refresh_from_db()
    assert ivo.expires_at == before
    extend(ivo.membership, days=400)
    ivo.refresh_from_db()
    assert ivo.expires_at <= timezone.now() + timedelta(days=30)


@pytest.mark.parametrize("happens", [switched_off, joined, lambda ivo: ivo.decline(1)])
def test_only_what_is_open_is_extended(ivo, happens):
    happens(ivo)
    sending = extend(ivo.membership, days=20)
    assert not sending.sent
    assert len(sending.refused) == 1
    after = Invitation.objects.get(pk=ivo.pk)
    assert after.expires_at == ivo.expires_at


# Who, how many, how often


@pytest.mark.parametrize("verb", [remind, extend])
def test_who_may_not_invite_may_do_neither(ivo, max_, gina, verb):
    """T41, T44."""
    let_days_pass(4, ivo)
    for by in (max_.user, gina.user):
        sending = verb(ivo.membership, by=by)
        assert reasons(sending) == ["You may not hand out the templates of this entry."]


@pytest.mark.parametrize("verb", [remind, extend])
def test_a_hundred_cost_as_many_queries_as_one(acme, ada, verb):
    entries = Membership.objects.bulk_create(
        Membership(
            company=acme, email=f"p{n}@acme.example", template=template(acme, MEMBER)
        )
        for n in range(100)
    )
    let_days_pass(4, *Invitation.objects.send(entries, ada.user).sent)
    with CaptureQueriesContext(connection) as one:
        verb(entries[0], by=ada.user)
    with CaptureQueriesContext(connection) as many:
        assert len(verb(*entries[1:], by=ada.user).sent) == 99
    assert len(many) == len(one) < 20


def test_a_minute_lies_between_two_mails(ivo, ada):
    """T27: the first link goes on working."""
    sending = Invitation.objects.send([ivo.membership], ada.user)
    reason = "Got a mail within the last minute: wait a minute, and repeat."
    assert (sending.sent, reasons(sending)) == ([], [reason])
    ivo.refresh_from_db()
    assert ivo.version == 1
    assert reasons(remind(ivo.membership, days=0)) == [reason]


def test_five_mails_a_day_are_the_most(ivo):
    """T27: by any verb; neither revoking nor another invitation steps round it."""
    invite(ivo.membership)
    let_an_hour_pass(ivo.membership)
    remind(ivo.membership, days=0)
    Invitation.objects.filter(pk=ivo.pk).revoke(None)
    for _ in range(2):
        invite(ivo.membership)
    let_an_hour_pass(ivo.membership)
    sending = Invitation.objects.send([ivo.membership], None)
    assert reasons(sending) == ["Got five mails within a day: try again tomorrow."]


def test_what_was_refused_is_tried_again_at_once(ivo):
    """As when a mailbox was full; but not for ever."""
    for _ in range(4):
        [mail] = Delivery.objects.claim(1)
        mail.settle(Delivery.State.REFUSED, "552 Mailbox full")
        assert len(Invitation.objects.send([ivo.membership], None).sent) == 1
    [mail] = Delivery.objects.claim(1)
    mail.settle(Delivery.State.REFUSED, "552 Mailbox full")
    sending = Invitation.objects.send([ivo.membership], None)
    assert reasons(sending) == ["Got five mails within a day: try again tomorrow."]


def test_another_address_gets_its_mail_at_once(ivo):
    """Correcting an address sends a fresh invitation, whatever went to the old one."""
    corrected(ivo)
    assert len(Invitation.objects.send([ivo.membership], None).sent) == 1


def test_each_sending_is_a_batch_of_its_own(acme, ada, ivo):
    """So that a page can show what becomes of it."""
    entries = [add_entry(acme, f"p{n}@acme.example") for n in range(3)]
    sending = Invitation.objects.send(entries, ada.user)
    assert Delivery.objects.filter(batch=sending.batch).count() == 3
    assert ivo.deliveries.get().batch not in (None, sending.batch)
    let_an_hour_pass(*entries)
    again = Invitation.objects.remind(entries, None, days=0, batch=sending.batch)
    assert again.batch == sending.batch
    assert Delivery.objects.filter(batch=sending.batch).count() == 6
