"""What becomes of each mail at a real SMTP server that also refuses, breaks or is down.

The worker runs here and now (`work`); as a process of its own it is in test_worker.
"""

import re
from datetime import timedelta

import pytest
from django.db import DataError
from django.db.models import F
from django.tasks import TaskResultStatus
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Company, Membership
from invitations.models import Delivery, Invitation
from invitations.tasks import deliver, deliver_due
from tests.cast import PASSWORD, add_entry, add_user, invite, work

State = Delivery.State


@pytest.fixture
def people(acme, ada):
    """Five entries of Acme that haven't joined."""
    return [add_entry(acme, f"person{n}@subco.example") for n in range(5)]


def states():
    return dict(Delivery.objects.order_by("pk").values_list("recipient", "state"))


def parts(letter):
    """Its text and its HTML."""
    return [letter.get_body([kind]).get_content() for kind in ("plain", "html")]


def links(part):
    """Which invitation, and which version of it, each link in it is about."""
    tokens = re.findall(r"/invitations/([^/]+)/", part)
    return {Invitation.read_token(token) for token in tokens}


def let_time_pass(delta=timedelta(hours=2)):
    """As if all that is due, leased or late had been so for this long."""
    Delivery.objects.update(
        due_at=F("due_at") - delta,
        created_at=F("created_at") - delta,
        leased_until=F("leased_until") - delta,
    )
    deliver_due.enqueue()


def test_each_mail_is_delivered_once(mail_server, ada, people):
    """S8: to the right person, over one connection."""
    Invitation.objects.send(people, ada.user)
    work()
    work()
    assert mail_server.received == dict.fromkeys((e.email for e in people), 1)
    assert mail_server.connections == 1
    assert set(states().values()) == {State.ACCEPTED}
    for letter in mail_server.letters:
        invitation = Invitation.objects.get(sent_to=str(letter["To"]))
        assert str(letter["Subject"]) == "Welcome to Procore"
        assert letter["Auto-Submitted"] == "auto-generated"
        for part in parts(letter):
            assert links(part) == {(invitation.public_id, 1)}


def test_server_down_while_a_hundred_are_invited(mail_server, as_, acme, ada):
    """F1: pages answer as usual; all is delivered, once each, after it is back."""
    entries = [add_entry(acme, f"person{n}@subco.example") for n in range(100)]
    mail_server.stop()
    directory = reverse("admin:companies_membership_changelist")
    data = {"action": "invite", "_selected_action": [entry.pk for entry in entries]}
    answer = as_(ada).post(directory, data | {"apply": "Invite"}, follow=True)
    assert "100 invitations are on their way." in answer.content.decode()

    work()
    deferred = Delivery.objects.filter(
        state=State.DEFERRED, reason__startswith="The mail server could not be used"
    )
    assert deferred.count() == 100
    let_time_pass(timedelta())
    work()
    assert deferred.filter(attempts=1).count() == 100, "nothing is due yet"

    mail_server.start()
    let_time_pass()
    work()
    assert mail_server.received == {entry.email: 1 for entry in entries}
    assert set(states().values()) == {State.ACCEPTED}


def test_tries_are_further_and_further_apart(mail_server, ivo):
    """F1: 1, 2, 4 … minutes and at most an hour, give or take a tenth."""
    mail_server.stop()
    delivery = ivo.deliveries.get()
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60]:
        before = timezone.now()
        work()
        delivery.refresh_from_db()
        wait = (delivery.due_at - before) / timedelta(minutes=1)
        assert 0.9 * minutes <= wait <= 1.15 * minutes
        let_time_pass()


def test_late_mail_is_warned_of(mail_server, ivo, caplog):
    """F1: the operator reads of it after 15 minutes, not before."""
    mail_server.stop()
    work()
    assert "over 15 minutes" not in caplog.text
    let_time_pass(timedelta(minutes=16))
    work()
    assert "Mail has been waiting for over 15 minutes" in caplog.text


@pytest.mark.parametrize("step", ["at_rcpt", "at_data"])
def test_mail_put_off_by_the_server_is_tried_again(mail_server, ada, people, step):
    """F3: 4xx for one recipient defers that one only."""
    busy = people[1].email
    getattr(mail_server, step)[busy] = "450 4.2.1 Mailbox is busy"
    Invitation.objects.send(people, ada.user)
    work()
    delivery = Delivery.objects.get(state=State.DEFERRED)
    assert (delivery.recipient, delivery.reason) == (busy, "450 4.2.1 Mailbox is busy")
    assert len(mail_server.received) == 4
    assert mail_server.connections == 1

    getattr(mail_server, step).clear()
    let_time_pass()
    work()
    assert mail_server.received == {entry.email: 1 for entry in people}


def test_what_was_put_off_is_tried_again_when_it_is_due(
    mail_server, ada, people, time_machine
):
    """F1, F3: by one task for the batch, which nobody has to wake."""
    for entry in people[:2]:
        mail_server.at_rcpt[entry.email] = "450 4.2.1 Mailbox is busy"
    Invitation.objects.send(people, ada.user)
    work()
    put_off = Delivery.objects.filter(state=State.DEFERRED).order_by("due_at")
    later = DBTaskResult.objects.get(status=TaskResultStatus.READY)
    assert later.run_after == put_off[0].due_at

    mail_server.at_rcpt.clear()
    time_machine.move_to(put_off[1].due_at)
    work()
    assert mail_server.received == {entry.email: 1 for entry in people}
    assert not DBTaskResult.objects.filter(status=TaskResultStatus.READY).exists()


@pytest.mark.parametrize("step", ["at_rcpt", "at_data"])
def test_refused_mail_is_shown_and_not_tried_again(mail_server, as_, ada, people, step):
    """F4: the administrator reads the reason, and can send again."""
    refused = people[1]
    getattr(mail_server, step)[refused.email] = "550 5.1.1 No such <user>"
    Invitation.objects.send(people, ada.user)
    work()
    let_time_pass()
    work()
    delivery = Delivery.objects.get(state=State.REFUSED)
    assert (delivery.recipient, delivery.attempts) == (refused.email, 1)
    assert mail_server.received == {
        entry.email: 1 for entry in people if entry != refused
    }
    page = as_(ada).get(reverse("admin:companies_membership_changelist"))
    assert "550 5.1.1 No such &lt;user&gt;" in page.content.decode()

    event = AuditEvent.objects.get(kind=AuditEvent.Kind.MAIL_REFUSED)
    assert (event.company, event.about_id) == (ada.company, refused.pk)
    assert event.facts == {
        "email": refused.email,
        "reason": "550 5.1.1 No such <user>",
    }

    getattr(mail_server, step).clear()
    invite(refused, ada.user)
    work()
    assert mail_server.received[refused.email] == 1


def test_connection_lost_after_the_mail_was_taken(mail_server, ada, people):
    """F5: doubled once at most, with the same Message-ID and link; others go on."""
    lost = people[1].email
    mail_server.cut.add(lost)
    Invitation.objects.send(people, ada.user)
    work()
    assert Delivery.objects.get(state=State.DEFERRED).recipient == lost
    assert len(mail_server.received) == 5, "the rest went over a new connection"

    let_time_pass()
    work()
    assert mail_server.received.pop(lost) == 2
    assert set(states().values()) == {State.ACCEPTED}
    first, second = (each for each in mail_server.letters if each["To"] == lost)
    assert first["Message-ID"] == second["Message-ID"]
    assert links(parts(first)[0]) == links(parts(second)[0])


def test_server_that_closes_while_answering(mail_server, ada, people):
    """RFC 5321: 421 is an answer about the server, not about the recipient."""
    mail_server.at_rcpt[people[0].email] = "421 4.3.2 Shutting down"
    Invitation.objects.send(people, ada.user)
    work()
    delivery = Delivery.objects.get(state=State.DEFERRED)
    assert delivery.reason == (
        "The mail server could not be used: 421 4.3.2 Shutting down"
    )
    assert len(mail_server.received) == 4


def test_server_that_stays_silent_does_not_get_all_mails(mail_server, ada, people):
    """F2: after two failures in a row the rest is deferred, untried."""
    mail_server.at_rcpt = {e.email: "421 4.3.2 Shutting down" for e in people}
    Invitation.objects.send(people, ada.user)
    work()
    assert set(states().values()) == {State.DEFERRED}
    assert mail_server.connections == 2


def test_mail_is_never_sent_in_clear_where_tls_is_wanted(mail_server, settings, ivo):
    """F7: STARTTLS stripped by somebody in between."""
    settings.MAILERS["default"]["OPTIONS"]["use_tls"] = True
    work()
    delivery = ivo.deliveries.get()
    assert (delivery.state, mail_server.letters) == (State.DEFERRED, [])
    assert "STARTTLS" in delivery.reason


# The lease


def test_no_two_workers_get_the_same_mail(ada, people):
    """F8"""
    Invitation.objects.send(people, ada.user)
    first = Delivery.objects.claim(3)
    second = Delivery.objects.claim(3)
    assert [len(first), len(second), len(Delivery.objects.claim(3))] == [3, 2, 0]
    assert not {each.pk for each in first} & {each.pk for each in second}


def test_lease_that_ran_out_is_due_again(mail_server, ivo):
    """F6: what a killed worker held is sent by another one, and settled once."""
    [held] = Delivery.objects.claim(50)
    work()
    assert mail_server.letters == []
    let_time_pass()
    work()
    assert len(mail_server.letters) == 1

    # The first worker was only slow: it neither sends nor writes any more.
    deliver([held])
    assert len(mail_server.letters) == 1
    held.settle(State.REFUSED, "550 too late")
    held.defer("too late")
    assert states() == {ivo.sent_to: State.ACCEPTED}
    assert not AuditEvent.objects.filter(kind=AuditEvent.Kind.MAIL_REFUSED).exists()


def test_lease_is_prolonged_mail_by_mail(ivo):
    """F2, F8: a batch at a slow server takes longer than a lease."""
    [held] = Delivery.objects.claim(50)
    let_time_pass(timedelta(minutes=4))
    assert held.hold()
    let_time_pass(timedelta(minutes=4))
    assert not Delivery.objects.claim(50)


def test_oldest_mail_goes_first(mail_server, ada, people):
    """F22"""
    for entry in people:
        invite(entry, ada.user)
    last = Delivery.objects.get(recipient=people[-1].email)
    Delivery.objects.filter(pk=last.pk).update(
        due_at=timezone.now() - timedelta(hours=1)
    )
    work()
    order = [str(letter["To"]) for letter in mail_server.letters]
    assert order == [entry.email for entry in [people[-1], *people[:-1]]]


# Mails that nobody wants any more


def replace(ivo):
    invite(ivo.membership)
    Delivery.objects.filter(version=2).delete()


def correct_the_address(ivo):
    Membership.objects.filter(pk=ivo.membership_id).update(email="new@subco.example")


def expire(ivo):
    now = timezone.now()
    Invitation.objects.filter(pk=ivo.pk).update(
        sent_at=now - timedelta(days=8), expires_at=now
    )


def accept(ivo):
    user = User(email=ivo.sent_to)
    user.set_password(PASSWORD)
    ivo.accept(user, version=ivo.version, is_proven=True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda ivo: Invitation.objects.revoke(None), id="revoked"),
        pytest.param(lambda ivo: ivo.decline(ivo.version), id="declined"),
        pytest.param(
            lambda ivo: Company.objects.update(is_active=False), id="company closed"
        ),
        pytest.param(
            lambda ivo: Membership.objects.filter(pk=ivo.membership_id).update(
                is_active=False
            ),
            id="entry inactive",
        ),
        replace,
        correct_the_address,
        expire,
        accept,
    ],
)
def test_unwanted_mail_is_dropped(mail_server, ivo, change):
    """F22: nothing for what was revoked, replaced, expired or accepted meanwhile."""
    change(ivo)
    work()
    assert mail_server.letters == []
    delivery = ivo.deliveries.get()
    assert (delivery.state, delivery.reason) == (
        State.DROPPED,
        "It was no longer needed.",
    )


def test_mail_about_an_account_is_dropped_after_a_day(mail_server, ada):
    Delivery.objects.queue_about(
        ada.user, "account/email/password_reset_key", ada.email
    )
    let_time_pass(timedelta(days=1))
    work()
    assert states() == {ada.email: State.DROPPED}


@pytest.mark.parametrize(
    "fields", [{"email": "new@acme.example"}, {"is_active": False}]
)
def test_reset_link_goes_to_no_former_address(mail_server, ada, fields):
    """T13, T36: nor to somebody who was deactivated meanwhile."""
    Delivery.objects.queue_about(
        ada.user, "account/email/password_reset_key", ada.email
    )
    User.objects.filter(pk=ada.user.pk).update(**fields)
    work()
    assert mail_server.letters == []
    assert states() == {ada.email: State.DROPPED}


def test_mail_that_cannot_be_written_stops_no_other(mail_server, ada, people, caplog):
    """T16: it is deferred with its reason, and an operator finds the traceback."""
    Delivery.objects.queue_about(ada.user, "account/email/no_such_letter", ada.email)
    Invitation.objects.send(people, ada.user)
    work()
    assert mail_server.received == {entry.email: 1 for entry in people}
    delivery = Delivery.objects.get(recipient=ada.email)
    assert delivery.state == State.DEFERRED
    assert delivery.reason == "It could not be written (TemplateDoesNotExist)."
    assert f"Delivery {delivery.pk} can't be written" in caplog.text


def test_what_a_server_says_is_kept_without_what_no_database_takes(
    mail_server, ada, people
):
    """F4: PostgreSQL takes no NUL, and no reader a terminal's commands."""
    odd = people[1].email
    mail_server.at_rcpt[odd] = "550 5.1.1 No\0such \x1b[1mmailbox"
    Invitation.objects.send(people, ada.user)
    work()
    delivery = Delivery.objects.get(recipient=odd)
    assert delivery.state == State.REFUSED
    assert delivery.reason == "550 5.1.1 Nosuch [1mmailbox"
    assert len(mail_server.received) == 4


def test_what_became_of_a_mail_stops_no_other(mail_server, ada, people, monkeypatch):
    """F3, F4: that can't be written down either, whatever the reason."""
    settle = Delivery.settle

    def fails(delivery, state, reason=""):
        if delivery.recipient == people[1].email:
            raise DataError("out of range")
        settle(delivery, state, reason)

    mail_server.at_rcpt[people[1].email] = "550 5.1.1 No such mailbox"
    monkeypatch.setattr(Delivery, "settle", fails)
    Invitation.objects.send(people, ada.user)
    work()
    assert len(mail_server.received) == 4
    delivery = Delivery.objects.get(state=State.DEFERRED)
    assert delivery.recipient == people[1].email
    assert delivery.reason == "It could not be written (DataError)."


def test_no_row_holds_a_link(mail_server, ivo):
    """T2: tokens are made when the mail is written, and rest nowhere."""
    user = add_user("una@subco.example")
    Delivery.objects.queue_about(user, "account/email/password_reset_key", user.email)
    work()
    assert len(mail_server.letters) == 2
    stored = [(each.facts, each.reason) for each in Delivery.objects.all()]
    assert stored == [({}, ""), ({}, "")]
