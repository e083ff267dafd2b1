from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.addresses import canonical_email
from audit.models import AuditEvent
from companies.models import Company, Membership
from companies.tools import COMPANY_ADMINISTRATOR
from invitations.management.reports import ReportingCommand
from invitations.models import Invitation


class Command(ReportingCommand):
    help = "Make a company with the shipped templates; invite its first administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name", help="as people read it, such as 'Acme Construction'"
        )
        parser.add_argument("--administrator", required=True, metavar="EMAIL")
        super().add_arguments(parser)

    @transaction.atomic
    def handle(self, *, name: str, administrator: str, json: bool, **_: Any) -> None:
        company = Company(name=name.strip())
        company.full_clean()
        check_is_new(company)
        company.save()
        AuditEvent.record(AuditEvent.Kind.COMPANY_CREATED, None, company, company)
        entry = Membership(
            company=company,
            email=canonical_email(administrator),
            template=company.permissiontemplates.get(name=COMPANY_ADMINISTRATOR),
        )
        entry.full_clean()
        entry.save()
        AuditEvent.record(AuditEvent.Kind.ENTRY_ADDED, None, company, entry)
        Invitation.objects.send([entry], None)
        self.report(
            json,
            f"{company} ({company.slug}) is made, and {entry.email} is invited.",
            company=company.slug,
            administrator=entry.email,
        )


def check_is_new(company: Company) -> None:
    """Refuse a name that is there: it is hardly meant twice, and none is ever deleted.

    Raises:
        CommandError: with the slug of the company that has it.
    """
    if there := Company.objects.filter(name__iexact=company.name).first():
        raise CommandError(
            f"There is a company {there} ({there.slug}) already: invite to it with "
            f"‘invite EMAIL --company {there.slug}’, or choose another name."
        )
