from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from accounts.models import User
from audit.models import AuditEvent


class Command(changepassword.Command):
    """Django's, which leaves an event, and a sentence for what is no address."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        try:
            said = super().handle(*args, **options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        user = User.objects.get_by_natural_key(options["username"])
        AuditEvent.record(AuditEvent.Kind.PASSWORD_CHANGED, None, None, user)
        return said
