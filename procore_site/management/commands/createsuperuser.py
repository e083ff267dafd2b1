from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from accounts.models import User
from audit.models import AuditEvent


class Command(createsuperuser.Command):
    """Django's, which leaves an event; the manager refuses a password below the rules.

    In a dialogue the address is known to Django's command only, so the new operator is
    who wasn't there before.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        operators = User.objects.filter(is_superuser=True)
        known = list(operators.values_list("pk", flat=True))
        super().handle(*args, **options)
        for operator in operators.exclude(pk__in=known):
            facts = {"operator": "yes"}
            kind = AuditEvent.Kind.ACCOUNT_CREATED
            AuditEvent.record(kind, None, None, operator, facts)
