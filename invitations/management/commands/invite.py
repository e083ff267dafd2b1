from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.addresses import canonical_email
from audit.models import AuditEvent
from companies.models import (
    Company,
    Membership,
    PermissionTemplate,
    Project,
    ProjectMembership,
)
from companies.tools import MEMBER, SUBCONTRACTOR, Scope
from invitations.emails import moment
from invitations.management.reports import ReportingCommand
from invitations.models import Invitation

LISTED = 10


class Command(ReportingCommand):
    help = (
        "Invite somebody to a company, or invite them again. An entry in the directory "
        "is made where there is none; projects are added to it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument(
            "--template",
            metavar="NAME",
            help=f"company template of a new entry (default: {MEMBER})",
        )
        parser.add_argument(
            "--project",
            action="append",
            default=[],
            metavar="NUMBER[:TEMPLATE]",
            help=f"may be given again; the template is {SUBCONTRACTOR} by default",
        )
        super().add_arguments(parser)

    @transaction.atomic
    def handle(
        self,
        *,
        email: str,
        company: str,
        template: str | None,
        project: list[str],
        json: bool,
        **_: Any,
    ) -> None:
        host = find(Company.objects.all(), "company", slug=company)
        entry = self.entry(host, canonical_email(email), template)
        for wanted in project:
            self.grant(entry, *wanted.partition(":")[::2])
        sending = Invitation.objects.send([entry], None)
        for _entry, sentence in sending.refused:
            raise CommandError(sentence)
        [invitation] = sending.sent
        self.report(
            json,
            f"{entry.email} is invited to {host} until "
            f"{moment(invitation.expires_at)}.",
            email=entry.email,
            company=host.slug,
            version=invitation.version,
            expires_at=invitation.expires_at.isoformat(),
        )

    def entry(self, company: Company, email: str, template: str | None) -> Membership:
        """Find the entry with this address, or make it."""
        entry = Membership.objects.filter(company=company, email=email).first()
        if entry and template:
            raise CommandError(
                f"{email} is in the directory already: change the template there."
            )
        if entry:
            return entry
        templates = PermissionTemplate.objects.filter(company=company)
        entry = Membership(
            company=company,
            email=email,
            template=find(
                templates.filter(scope=Scope.COMPANY),
                "company template",
                name__iexact=template or MEMBER,
            ),
        )
        entry.full_clean()
        entry.save()
        AuditEvent.record(AuditEvent.Kind.ENTRY_ADDED, None, company, entry)
        return entry

    def grant(self, entry: Membership, number: str, template: str) -> None:
        """Put the person on a project; being on it already changes nothing.

        Raises:
            CommandError: when they are on it in another way than is asked for.
        """
        project = find(
            Project.objects.filter(company=entry.company),
            "project",
            number__iexact=number,
        )
        templates = PermissionTemplate.objects.filter(company=entry.company)
        given = find(
            templates.filter(scope=Scope.PROJECT),
            "project template",
            name__iexact=template or SUBCONTRACTOR,
        )
        granting = ProjectMembership.objects.grant([(entry, project, given)], None)
        is_asked_for = all(
            grant.suspended_at is None and (not template or grant.template == given)
            for grant in granting.there
        )
        for _entry, sentence in granting.refused if is_asked_for else granting.not_made:
            raise CommandError(f"{project}: {sentence} Change that in the directory.")


def find(rows: Any, what: str, **wanted: str) -> Any:
    """Find the one row that was named.

    Raises:
        CommandError: with what was looked for, and what there is.
    """
    if row := rows.filter(**wanted).first():
        return row
    [(lookup, name)] = wanted.items()
    column = lookup.partition("__")[0]
    there = list(rows.order_by(column).values_list(column, flat=True)[: LISTED + 1])
    more = ", …" if len(there) > LISTED else "."
    listed = f" There are: {', '.join(there[:LISTED])}{more}" if there else ""
    raise CommandError(f"There is no {what} ‘{name}’.{listed}")
