"""The demo: what it loads, once and again, and that it loads nothing elsewhere."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Company, Membership, Project, ProjectMembership
from desk.status import with_status
from invitations.models import Delivery, Invitation, Terms, TermsAcceptance
from procore_site.management.commands import demo
from tests.cast import link_in, work
from tests.desk.lists import planned

MOMENT = timedelta(minutes=1)


@pytest.fixture
def debug(settings):
    settings.DEBUG = True


def run():
    out = StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


def counts():
    models = Company, Membership, Project, ProjectMembership, User, Terms, Delivery
    return [model.objects.count() for model in models]


def test_a_second_run_changes_nothing(db, debug):
    assert "The demo data is loaded." in run()
    loaded = counts()
    assert loaded == [2, 23, 15, 31, 12, 1, 21]
    assert "is left as it was" in run()
    assert counts() == loaded


def test_every_status_of_an_invitation_can_be_seen(db, debug):
    run()
    entries = with_status(Membership.objects.all(), timezone.now())
    statuses = set(entries.values_list("status", flat=True))
    assert statuses == {
        "declined",
        "expired",
        "invited",
        "joined",
        "mail_refused",
        "new_link_asked",
        "not_invited",
        "revoked",
    }


def test_the_history_is_dated_like_the_rows(db, debug):
    """Who joined in September has accepted, and agreed to the terms, in September."""
    run()
    for entry in Membership.objects.exclude(user=None):
        accepted = AuditEvent.objects.about(entry).get(
            kind=AuditEvent.Kind.INVITATION_ACCEPTED
        )
        assert abs(accepted.at - entry.joined_at) < MOMENT
    for agreed in TermsAcceptance.objects.all():
        assert agreed.accepted_at - agreed.user.joined_at < MOMENT
    for invitation in Invitation.objects.all():
        sent = AuditEvent.objects.about(invitation.membership).get(
            kind=AuditEvent.Kind.INVITATION_SENT
        )
        [mail] = invitation.deliveries.all()
        assert sent.at - invitation.sent_at < MOMENT
        assert mail.created_at - invitation.sent_at < MOMENT


def test_the_history_stands_in_the_order_of_time(db, debug):
    """As it is read, by its keys; and nothing of it is still to come."""
    run()
    days = list(AuditEvent.objects.order_by("pk").values_list("at", flat=True))
    assert days == sorted(days)
    assert days[0] < timezone.now() - timedelta(days=90)
    assert days[-1] <= timezone.now()


def test_the_list_to_import_shows_what_a_dry_run_tells(db, debug):
    """A file that people have: German headers, one row per person, two mistakes."""
    run()
    host = Company.objects.get(name="Harbor & Pine Construction")
    source = planned(host, (demo.DATA / "crew.csv").read_bytes())
    assert [row.kind for row in source.rows.all()] == [
        *("new", "new", "link", "new", "refused", "refused", "ignored")
    ]


def test_only_open_invitations_reach_the_mailbox(db, debug, mailoutbox, client):
    run()
    assert DBTaskResult.objects.count() == 3
    work()
    assert sorted(letter.to[0].partition("@")[0] for letter in mailoutbox) == [
        "cole.bishop",
        "joy.abara",
        "lena.brandt",
    ]
    [letter] = [each for each in mailoutbox if each.to[0].startswith("lena")]
    page = client.get(link_in(letter), follow=True)
    assert "Create a Password" in page.content.decode()


def test_the_printed_log_ins_work(db, debug):
    for email in re.findall(r"\S+@\S+", run()):
        form = {"login": email, "password": demo.PASSWORD}
        answer = Client().post("/accounts/login/", form, follow=True)
        assert answer.wsgi_request.user.email == email
        assert not answer.redirect_chain[-1][0].startswith("/terms/")


def test_what_is_not_there_is_said_by_our_page(db, debug, client):
    """As people will read it, though DEBUG is on; what has no view Django explains."""
    run()
    client.force_login(User.objects.get(email="priya.raman@ramanstone.example"))
    foreign = Project.objects.get(number="NL-102").get_absolute_url()
    for address, words in [(foreign, "There is nothing here"), ("/x/", "URLconf")]:
        answer = client.get(address)
        assert answer.status_code == 404
        assert words in answer.content.decode()


def test_it_is_refused_without_debug(db, settings):
    """Its passwords are known to everybody."""
    settings.DEBUG = False
    with pytest.raises(CommandError, match="only with DEBUG on"):
        run()
    assert counts() == [0] * 7
