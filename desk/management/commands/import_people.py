import time
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from companies.models import Company, Membership, PermissionTemplate
from companies.tools import Scope
from desk.imports.steps import facts, step
from desk.models import Import, ImportRow
from invitations.management.commands.invite import find
from invitations.management.commands.publish_terms import read_bytes
from invitations.management.reports import ReportingCommand
from invitations.models import Invitation

# While a worker is at the same import, which does no harm.
WAIT = 0.2  # seconds


class Command(ReportingCommand):
    help = (
        "Bring a list of people (CSV or XLSX) into the directory of a company. Without "
        "--apply it only says what it would do, and changes nothing. Needs no worker."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--apply", action="store_true", help="do it")
        parser.add_argument("--invite", action="store_true", help="invite them, too")
        parser.add_argument(
            "--all-or-nothing",
            action="store_true",
            help="do nothing when a row is refused",
        )
        parser.add_argument("--sheet", default="", help="which one, of several")
        parser.add_argument(
            "--dates",
            choices=Import.DateOrder.values[1:],
            default="",
            help="what comes first in dates such as 3/4/2027",
        )
        parser.add_argument(
            "--project-template",
            metavar="NAME",
            help="for projects of which the file doesn't say it",
        )
        super().add_arguments(parser)

    def handle(self, *, apply: bool, **options: Any) -> None:
        if apply:
            self.apply(bring(**options), options["json"])
            return
        with transaction.atomic():
            source = bring(**options)
            self.tell(source, options["json"], to_invite(source))
            transaction.set_rollback(True)  # a dry run leaves nothing behind

    def apply(self, source: Import, is_json: bool) -> None:
        begun_at = timezone.now()
        try:
            source.apply(None)
        except ValidationError:
            self.tell(source, is_json, to_invite(source))
            raise
        finish(source)
        self.tell(source, is_json, invited(source, begun_at))
        if refused := source.rows.refused().count():
            raise CommandError(f"Refused: {refused}. The other rows are done.")

    def tell(self, source: Import, is_json: bool, invited: int) -> None:
        is_applied = source.state == Import.State.APPLIED
        counts = facts(source)
        if source.has_invitations:
            counts |= {"Invited" if is_applied else "To be invited": invited}
        said = ", ".join(f"{kind}: {count}" for kind, count in counts.items())
        rows = list(source.rows.exclude(kind=ImportRow.Kind.UNCHANGED))
        lines = [
            *source.notes,
            *(f"Row {r.number}, {r.label}: {' · '.join(told(r))}" for r in rows),
            f"{'Done' if is_applied else 'Dry run, nothing is changed'}. {said}.",
        ]
        self.report(
            is_json,
            "\n".join(lines),
            is_applied=is_applied,
            counts=source.counts(),
            notes=source.notes,
            new_firms=source.rows.new_firms(),
            invited=invited,
            rows=[as_facts(row) for row in rows],
        )


def bring(
    *,
    file: Path,
    company: str,
    invite: bool,
    all_or_nothing: bool,
    sheet: str,
    dates: str,
    project_template: str | None,
    **_: Any,
) -> Import:
    """Bring the file in, and compare it."""
    host = find(Company.objects.all(), "company", slug=company)
    templates = PermissionTemplate.objects.filter(
        company=host, scope=Scope.PROJECT, project=None
    )
    given = project_template and find(
        templates, "project template", name__iexact=project_template
    )
    source = Import.objects.bring(
        host,
        file.name,
        read_bytes(file),
        None,
        sheet=sheet,
        date_order=dates,
        project_template=given or None,
        is_all_or_nothing=all_or_nothing,
        has_invitations=invite,
    )
    if source.state == Import.State.UPLOADED:
        source.cancel()
        sheets = ", ".join(source.sheets)
        raise CommandError(f"Choose one of the sheets with --sheet: {sheets}.")
    finish(source)
    return source


def finish(source: Import) -> None:
    """Do its steps here, or wait for the worker that does one."""
    while source.is_working:
        if claimed := Import.objects.filter(pk=source.pk).claim():
            step(claimed)
        else:
            time.sleep(WAIT)
        source.refresh_from_db()
    if source.state == Import.State.FAILED:
        raise CommandError(source.problem)


def to_invite(source: Import) -> int:
    """How many people would be invited: who isn't yet, and neither has joined."""
    if not source.has_invitations:
        return 0
    emails = source.rows.filter(kind__in=ImportRow.DOING).order_by().values("email")
    is_open = Invitation.objects.open(timezone.now()).filter(membership=OuterRef("pk"))
    left_out = Membership.objects.filter(
        Q(is_active=False) | Q(user__isnull=False) | Exists(is_open),
        Q(email__in=emails) | Q(user__email__in=emails),
        company=source.company,
    )
    return emails.distinct().count() - left_out.count()


def invited(source: Import, since: datetime) -> int:
    rows = source.rows.filter(outcome__in=ImportRow.DOING)
    invitations = Invitation.objects.filter(membership__in=rows.values("membership"))
    return invitations.filter(sent_at__gte=since).count()


def told(row: ImportRow) -> list[str]:
    """What it would do or did, and what else is to be said of it."""
    reason = row.reason.replace(f"Row {row.number}, ", "")  # the line begins with it
    parts = (row.email or row.address, *row.difference, reason)
    return [part for part in parts if part]


def as_facts(row: ImportRow) -> dict[str, Any]:
    return {
        "row": row.number,
        "email": row.email or row.address,
        "kind": row.outcome or row.kind,
        "difference": row.difference,
        "reason": row.reason,
    }
