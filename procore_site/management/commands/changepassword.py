from typing import Any

from django.contrib.auth.management.commands import changepassword

from accounts.models import User
from audit.models import AuditEvent
from invitations.management.reports import refusals_as_errors


class Command(changepassword.Command):
    """Django's, which leaves an event, and a sentence for what is no address."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        with refusals_as_errors():
            said = super().handle(*args, **options)
        user = User.objects.get_by_natural_key(options["username"])
        AuditEvent.record(AuditEvent.Kind.PASSWORD_CHANGED, None, None, user)
        return said
