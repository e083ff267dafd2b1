import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Company, Membership, Project, ProjectMembership, Vendor
from invitations.models import Delivery, Invitation, Terms

type Row = dict[str, str]
type Step = tuple[datetime, Callable[[], object]]

DATA = Path(__file__).resolve().parent.parent.parent / "demo"
PASSWORD = "Level-Best-24"  # noqa: S105
OPERATOR = "operator@procore.example"
REFUSAL = "550 5.1.2 The domain of the recipient is not known here"
INTRODUCTION = """
{loaded}

  Site     {site}/
  Admin    {site}/admin/
  Mailbox  {site}/mailbox/

Log in as one of these, each with the password {password}

  operator@procore.example           operator of the installation
  marta.kowalski@harborpine.example  administers Harbor & Pine Construction
  helen.strand@northline.example     administers Northline Builders
  priya.raman@ramanstone.example     architect, a member of both companies
  luis.ortega@harborpine.example     superintendent, on two projects today
  owen.pryce@harborpine.example      coordinator: adds people and invites them

What to try first

  1. Be invited: open the mail to Lena Brandt (lena.brandt) in the mailbox and choose
     Get Started.
  2. Invite: log in as Marta Kowalski, open Administration and the Directory, tick
     Sam Delgado and run the action Invite. The mail is in the mailbox in a moment.
  3. Import: as Marta Kowalski, choose Import people in the Directory, and the file
     procore_site/demo/crew.csv.
  4. Repair: Finn Hale's mail was refused; follow Needs attention on the first page.
  5. Log in as Priya Raman: she selects a company and sees her projects there only.
     The address of any other project leads her to nothing.

Ctrl-C stops the site and its worker.
"""


class Command(BaseCommand):
    help = "Load demo data into an empty database, and say what there is to be tried."

    def handle(self, **_: Any) -> None:
        """Load it once: a second run keeps what has been tried out meanwhile."""
        if not settings.DEBUG:
            raise CommandError(
                "Everybody knows the demo's passwords: it is loaded only with DEBUG on."
            )
        if Company.objects.exists():
            loaded = "Data was there already and is left as it was."
        else:
            load()
            loaded = "The demo data is loaded."
        self.stdout.write(
            INTRODUCTION.format(
                loaded=loaded, site=settings.BASE_URL, password=PASSWORD
            )
        )


@transaction.atomic
def load() -> None:
    """Let the story happen, each step at its time.

    What has happened is never changed afterwards (T56), so its dates are right from the
    start. It is written in the order of time, as the history reads it.
    """
    from time_machine import travel  # of requirements-dev.txt, as `./dev` installs it

    time_of = itemgetter(0)
    for at, steps in groupby(sorted(story(timezone.now()), key=time_of), time_of):
        with travel(at):
            for _, step in steps:
                step()


def story(now: datetime) -> Iterator[Step]:
    """What happens when. Directories and projects first, then the invitations."""
    begun = now - timedelta(days=91)
    yield begun, publish_terms
    for row in rows("people"):
        yield begun, partial(add_person, row)
    for row in rows("projects"):
        yield begun, partial(add_project, row)
    for row in rows("grants"):
        yield begun, partial(put_on_project, row, timezone.localdate(now))
        if row["suspension"]:
            yield now - timedelta(days=9), partial(suspend, row)
    for _, people in groupby(rows("people"), itemgetter("company")):
        for number, row in enumerate(people):
            at = begun + timedelta(days=1 + 3 * number)
            yield from invited(row, at, now)


def invited(row: Row, at: datetime, now: datetime) -> Iterator[Step]:
    """How somebody is invited, and what becomes of it.

    Only the mails of the invitations that are open stay in the queue.
    """
    answered_at = at + timedelta(days=1, hours=3)
    match row["fate"]:
        case "":
            return
        case "open":
            yield now, partial(invite, row)
            return
        case "refused":
            at = now - timedelta(hours=1)
            yield at, partial(invite, row)
            yield at, partial(settle_mails, Delivery.State.REFUSED, REFUSAL)
            return
        case "asked":
            yield now - timedelta(days=2), partial(ask_again, row)
        case "joined" | "revoked" | "declined" as fate:
            yield answered_at, partial(ANSWERS[fate], row)
    yield at, partial(invite, row)
    yield at, partial(settle_mails, Delivery.State.ACCEPTED)


def rows(name: str) -> list[Row]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pick(row: Row, names: str) -> Row:
    return {name: row[name] for name in names.split()}


# What is there ----------------------------------------------------------------


def publish_terms() -> None:
    text = (DATA / "terms.txt").read_text("utf-8").strip()
    terms = Terms.objects.publish("2026-01", text, None)
    terms.accept(User.objects.create_superuser(OPERATOR, PASSWORD))


def company(row: Row) -> Company:
    found, is_new = Company.objects.get_or_create(name=row["company"])
    if is_new:
        AuditEvent.record(AuditEvent.Kind.COMPANY_CREATED, None, found, found)
    return found


def add_person(row: Row) -> None:
    host = company(row)
    entry = Membership(
        company=host,
        template=host.permissiontemplates.get(name=row["template"]),
        **pick(row, "email first_name last_name job_title phone"),
    )
    if row["vendor"]:
        entry.vendor, _ = Vendor.objects.get_or_create(company=host, name=row["vendor"])
    entry.full_clean()
    entry.save()
    AuditEvent.record(AuditEvent.Kind.ENTRY_ADDED, None, host, entry)


def person(row: Row) -> Membership:
    return Membership.objects.get(company=company(row), email=row["email"])


def add_project(row: Row) -> None:
    Project(company=company(row), **pick(row, "number name city")).save()


def put_on_project(row: Row, today: date) -> None:
    """Put a person on a project; first and last day are counted from today."""
    host = company(row)
    project = Project.objects.get(company=host, number=row["project"])
    template = host.permissiontemplates.get(name=row["template"])
    first, last = (
        today + timedelta(int(row[name])) if row[name] else None
        for name in ("first_day", "last_day")
    )
    ProjectMembership.objects.grant(
        [(person(row), project, template)], None, starts_on=first, ends_on=last
    )


def suspend(row: Row) -> None:
    grants = person(row).project_memberships.filter(project__number=row["project"])
    grants.suspend(row["suspension"], None)


# What becomes of the invitations ----------------------------------------------


def invite(row: Row) -> None:
    """The operator invites the first of a company, who then invites the others."""
    administrator = company(row).memberships.administrators().first()
    by = administrator.user if administrator else None
    Invitation.objects.send([person(row)], by)


def settle_mails(state: str, reason: str = "") -> None:
    """Let the mails that are due be taken, or not, without a mail server."""
    for delivery in Delivery.objects.claim(1):
        delivery.settle(state, reason)
    DBTaskResult.objects.ready().delete()  # nothing is left to do for the worker


def invitation(row: Row) -> Invitation:
    return Invitation.objects.pending().get(membership=person(row))


def join(row: Row) -> None:
    """Join with the demo's password, or with the log-in that another company led to."""
    asked = invitation(row)
    user = User.objects.filter(email=asked.sent_to).first()
    if user is None:
        user = User(email=asked.sent_to)
        user.set_password(PASSWORD)
    asked.accept(user, version=asked.version, is_proven=True)
    terms = Terms.objects.current()
    assert terms  # noqa: S101
    terms.accept(user)


def revoke(row: Row) -> None:
    asked = invitation(row)
    Invitation.objects.filter(pk=asked.pk).revoke(asked.invited_by)


def decline(row: Row) -> None:
    asked = invitation(row)
    asked.decline(asked.version)


def ask_again(row: Row) -> None:
    Invitation.objects.ask_again(row["email"])


ANSWERS = {"joined": join, "revoked": revoke, "declined": decline}
