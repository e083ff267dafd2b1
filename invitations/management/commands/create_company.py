from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from audit.models import AuditEvent
from companies.models import Company, Membership
from companies.tools import COMPANY_ADMINISTRATOR
from invitations.management.reports import print_report, refusals_as_errors
from invitations.models import Invitation


class Command(BaseCommand):
    help = "Make a company with the shipped templates; invite its first administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name", help="as people read it, such as 'Acme Construction'"
        )
        parser.add_argument("--administrator", required=True, metavar="EMAIL")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    @transaction.atomic
    def handle(self, *, name: str, administrator: str, json: bool, **_: Any) -> None:
        with refusals_as_errors():
            company = Company(name=name)
            company.full_clean()
            company.save()
            AuditEvent.record(AuditEvent.Kind.COMPANY_CREATED, None, company, company)
            template = company.permissiontemplates.get(name=COMPANY_ADMINISTRATOR)
            entry = Membership(company=company, email=administrator, template=template)
            entry.full_clean()
            entry.save()
            AuditEvent.record(AuditEvent.Kind.ENTRY_ADDED, None, company, entry)
            Invitation.objects.send([entry], None)
        print_report(
            self.stdout,
            json,
            f"{company} ({company.slug}) is made, and {entry.email} is invited.",
            company=company.slug,
            administrator=entry.email,
        )
