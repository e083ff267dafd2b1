"""Inviting one person or a thousand: what is written, and what is refused."""

import re
from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Company, Membership, Project, ProjectMembership
from companies.tools import MEMBER
from invitations.models import Delivery, Invitation
from tests.cast import add_entry, invite, let_an_hour_pass, put_on, template


def add_entries(company, count):
    return Membership.objects.bulk_create(
        Membership(
            company=company,
            email=f"person{n}@subco.example",
            template=template(company, MEMBER),
        )
        for n in range(count)
    )


def inserts(captured):
    found = (re.match(r'INSERT INTO "(\w+)"', q["sql"]) for q in captured)
    return Counter(match[1] for match in found if match)


@pytest.mark.parametrize("count", [1, 1000])
def test_sending_is_one_insert_per_table_and_one_task(acme, ada, count):
    """Also for those who are invited again; F10."""
    entries = add_entries(acme, count)
    with CaptureQueriesContext(connection) as first:
        sending = Invitation.objects.send(entries, ada.user)
    let_an_hour_pass(*entries)
    with CaptureQueriesContext(connection) as again:
        Invitation.objects.send(entries, ada.user)
    assert len(sending.sent) == count
    written = {
        "invitations_invitation": 1,
        "invitations_delivery": 1,
        "audit_auditevent": 1,
        DBTaskResult._meta.db_table: 1,
    }
    assert inserts(first.captured_queries) == written
    del written["invitations_invitation"]
    assert inserts(again.captured_queries) == written
    assert len(first) <= 25
    assert Delivery.objects.count() == 2 * count


def test_sending_again_is_the_same_row_in_a_new_version(ivo):
    """T4: the same row, a new expiry, and one more mail."""
    again = invite(ivo.membership)
    assert again.pk == ivo.pk
    assert again.version == ivo.version + 1
    assert again.expires_at > ivo.expires_at
    assert ivo.problem(ivo.version) == ""
    assert again.problem(ivo.version) == "replaced"
    versions = again.deliveries.order_by("pk").values_list("version", flat=True)
    assert list(versions) == [1, 2]


def test_sending_again_forgets_what_belonged_to_the_older_version(ivo):
    """T55: a first password dies with its version; a confirmation is given anew."""
    ivo.keep_first_password("hash", None)
    ivo.wait_for_confirmation(ivo.version)
    again = invite(ivo.membership)
    assert again.first_password == ""
    assert again.held_at is None


def test_mail_goes_to_the_address_of_the_entry(ivo):
    """T13: a corrected address gets the new version, the old one nothing more."""
    Membership.objects.filter(pk=ivo.membership_id).update(email="new@subco.example")
    again = invite(ivo.membership)
    assert again.sent_to == "new@subco.example"
    assert again.deliveries.get(version=2).recipient == "new@subco.example"


def test_each_one_is_audited(acme, ada):
    """T56: with actor, company, person, address and version."""
    Invitation.objects.send(add_entries(acme, 3), ada.user)
    events = AuditEvent.objects.filter(kind=AuditEvent.Kind.INVITATION_SENT)
    assert {event.about_label for event in events} == {
        f"person{n}@subco.example" for n in range(3)
    }
    for event in events:
        assert (event.actor, event.company) == (ada.user, acme)
        assert event.facts == {"email": event.about_label, "version": 1}


def test_refusals_touch_nobody_else(acme, globex, ada, max_):
    """T41: each refused entry with its sentence; the others are invited."""
    left = add_entry(acme, "left@acme.example", is_active=False)
    foreign = add_entry(globex, "foreign@globex.example")
    fresh = add_entry(acme, "fresh@subco.example")
    sending = Invitation.objects.send([max_, left, foreign, fresh], ada.user)
    assert [invitation.membership for invitation in sending.sent] == [fresh]
    assert dict(sending.refused) == {
        max_: "Joined already.",
        left: "The entry is not active: activate it first.",
        foreign: "You may not hand out the templates of this entry.",
    }
    assert Delivery.objects.get().recipient == fresh.email


def test_inactive_company_invites_nobody(acme):
    Company.objects.filter(pk=acme.pk).update(is_active=False)
    sending = Invitation.objects.send([add_entry(acme, "ivo@subco.example")], None)
    assert [sentence for _, sentence in sending.refused] == [
        "The company is not active."
    ]
    assert not Delivery.objects.exists()


def test_nobody_is_invited_before_there_are_terms(db):
    """The operator reads what to run; nothing is written."""
    company = Company.objects.create(name="Acme Construction")
    entry = add_entry(company, "ivo@subco.example")
    with pytest.raises(ValidationError, match="publish_terms VERSION FILE"):
        Invitation.objects.send([entry], None)
    assert not Invitation.objects.exists()


def test_a_plain_member_invites_nobody(acme, max_):
    """T44"""
    entry = add_entry(acme, "ivo@subco.example")
    assert not Invitation.objects.send([entry], max_.user).sent


def test_who_works_on_very_many_projects_invites(acme, cora):
    """T18b: asked in one condition for each template that is held, not each project."""
    held = cora.project_memberships.get().template
    projects = Project.objects.bulk_create(
        Project(company=acme, name=f"Lot {n}", number=f"L{n}") for n in range(1_100)
    )
    ProjectMembership.objects.grant([(cora, each, held) for each in projects], None)
    entry = add_entry(acme, "ivo@subco.example")
    put_on(entry, projects[-1], "Subcontractor – External")
    by = User.objects.get(pk=cora.user_id)
    assert Invitation.objects.send([entry], by).sent


def test_an_interrupted_sending_leaves_nothing(acme, ada):
    """F10: invitation, mail, audit and task stand or fall together."""
    events = AuditEvent.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        Invitation.objects.send(add_entries(acme, 3), ada.user)
        raise RuntimeError
    assert not Invitation.objects.exists()
    assert not Delivery.objects.exists()
    assert not DBTaskResult.objects.exists()
    assert AuditEvent.objects.count() == events


def test_sending_to_nobody_writes_nothing(acme, ada):
    assert not Invitation.objects.send([], ada.user).sent
    assert not DBTaskResult.objects.exists()


def test_somebody_who_has_joined_elsewhere_is_invited_like_anybody(acme, ada, gina):
    """T22: the sender can't tell whether an address has an account."""
    known = add_entry(acme, gina.email)
    fresh = add_entry(acme, "fresh@subco.example")
    sending = Invitation.objects.send([known, fresh], ada.user)
    states = {(each.state, each.version) for each in sending.sent}
    assert states == {(Invitation.State.PENDING, 1)}
    assert len(sending.sent) == 2


def test_sequence_of_asked_mails_is_counted_by_version(acme, ivo):
    """T27: asking again is one more mail of the same version, 60 s apart."""
    Invitation.objects.ask_again(ivo.sent_to)
    Invitation.objects.ask_again(ivo.sent_to)
    asked = ivo.deliveries.filter(kind=Delivery.Kind.ASKED)
    assert list(asked.values_list("version", "sequence")) == [(1, 1)]
