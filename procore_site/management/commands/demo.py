import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Company, Membership, Project, ProjectMembership, Vendor
from invitations.models import Delivery, Invitation, Terms

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

  1. Be invited: open the mail to Lena Brandt in the mailbox and choose Get Started.
  2. Invite: log in as Marta Kowalski, open Administration and the Directory, tick
     Sam Delgado and run the action Invite. The mail is in the mailbox in a moment.
  3. Import: as Marta Kowalski, choose Import people in the Directory, and the file
     procore_site/demo/crew.csv.
  4. Repair: Finn Hale's mail was refused; follow Needs attention on the first page.
  5. Log in as Priya Raman: she selects a company and sees her projects there only.

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
    text = (DATA / "terms.txt").read_text("utf-8").strip()
    terms = Terms.objects.publish("2026-01", text, None)
    terms.accept(User.objects.create_superuser(OPERATOR, PASSWORD))
    directories: dict[str, list[tuple[Membership, str]]] = {}
    for row in rows("people"):
        directories.setdefault(row["company"], []).append(add_person(row))
    for row in rows("projects"):
        Project(company=company(row["company"]), **pick(row, "number name city")).save()
    for row in rows("grants"):
        put_on_project(row)
    for people in directories.values():
        invite_all(people, terms)


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pick(row: dict[str, str], names: str) -> dict[str, str]:
    return {name: row[name] for name in names.split()}


def company(name: str) -> Company:
    found, is_new = Company.objects.get_or_create(name=name)
    if is_new:
        AuditEvent.record(AuditEvent.Kind.COMPANY_CREATED, None, found, found)
    return found


def add_person(row: dict[str, str]) -> tuple[Membership, str]:
    """Add somebody to a directory; return also what is to become of the invitation."""
    host = company(row["company"])
    entry = Membership(
        company=host,
        created_at=timezone.now() - timedelta(days=91),
        template=host.permissiontemplates.get(name=row["template"]),
        **pick(row, "email first_name last_name job_title phone"),
    )
    if row["vendor"]:
        entry.vendor, _ = Vendor.objects.get_or_create(company=host, name=row["vendor"])
    entry.full_clean()
    entry.save()
    AuditEvent.record(AuditEvent.Kind.ENTRY_ADDED, None, host, entry)
    return entry, row["fate"]


def put_on_project(row: dict[str, str]) -> None:
    """Put a person on a project; first and last day are counted from today."""
    host = company(row["company"])
    entry = Membership.objects.get(company=host, email=row["email"])
    project = Project.objects.get(company=host, number=row["project"])
    ProjectMembership.objects.grant(
        [(entry, project, host.permissiontemplates.get(name=row["template"]))],
        None,
        starts_on=days_from_now(row["first_day"]),
        ends_on=days_from_now(row["last_day"]),
    )
    if row["suspension"]:
        entry.project_memberships.filter(project=project).suspend(
            row["suspension"], None
        )


def days_from_now(days: str) -> Any:
    return timezone.localdate() + timedelta(int(days)) if days else None


def invite_all(people: list[tuple[Membership, str]], terms: Terms) -> None:
    """Let the operator invite the first of a company, who then invites the others."""
    (first, _), *others = people
    long_ago = timezone.now() - timedelta(days=90)
    [invitation] = Invitation.objects.send([first], None).sent
    answer(invitation, "joined", terms, long_ago)
    first.refresh_from_db()
    fates = {entry.pk: fate for entry, fate in others if fate}
    entries = Membership.objects.filter(pk__in=fates)
    sent = Invitation.objects.send(entries, first.user).sent
    for day, invitation in enumerate(sent, 1):
        at = long_ago + timedelta(days=3 * day)
        answer(invitation, fates[invitation.membership_id], terms, at)


def answer(invitation: Invitation, fate: str, terms: Terms, at: datetime) -> None:
    """Let happen what is to happen, and move it into the past.

    Only the mails of the invitations that are open stay in the queue.
    """
    match fate:
        case "open":
            return
        case "refused":
            invitation.deliveries.update(
                state=Delivery.State.REFUSED, settled_at=timezone.now(), reason=REFUSAL
            )
            return
        case "joined":
            join(invitation, terms)
        case "revoked":
            Invitation.objects.filter(pk=invitation.pk).revoke(invitation.invited_by)
        case "declined":
            invitation.decline(invitation.version)
    move_back(invitation, at)
    if fate == "asked":
        Invitation.objects.ask_again(invitation.sent_to)


def join(invitation: Invitation, terms: Terms) -> None:
    """Join with the demo's password, or with the log-in that another company led to."""
    user = User.objects.filter(email=invitation.sent_to).first()
    if user is None:
        user = User(email=invitation.sent_to)
        user.set_password(PASSWORD)
    invitation.accept(user, version=invitation.version, is_proven=True)
    terms.accept(user)


def move_back(invitation: Invitation, at: datetime) -> None:
    """Make an invitation one of the past, with its mail sent and its answer given."""
    answered_at = at + timedelta(days=1, hours=3)
    invitation.deliveries.update(
        state=Delivery.State.ACCEPTED, created_at=at, due_at=at, settled_at=at
    )
    Membership.objects.filter(pk=invitation.membership_id, user__isnull=False).update(
        joined_at=answered_at
    )
    stored = Invitation.objects.filter(pk=invitation.pk)
    stored.update(
        created_at=at,
        sent_at=at,
        expires_at=at + timedelta(days=settings.INVITATION_DAYS),
    )
    stored.exclude(state=Invitation.State.PENDING).update(settled_at=answered_at)
