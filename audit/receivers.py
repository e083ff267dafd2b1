"""What Django and allauth tell by signals: each becomes an event."""

from typing import Any

from django.core.exceptions import ValidationError

from accounts.addresses import canonical_email
from audit.models import AuditEvent

Kind = AuditEvent.Kind


def record_for_user(kind: AuditEvent.Kind, sender: Any, **given: Any) -> None:
    """Record what a person did to the own log-in."""
    address = given.get("email_address") or given.get("to_email_address")
    user = given.get("user") or (address.user if address else None)
    if user is None:  # a log-out without a log-in
        return
    facts = {"email": address.email} if address else {}
    AuditEvent.record(kind, user, None, user, facts)


def record_refusal(sender: Any, credentials: dict[str, Any], **given: Any) -> None:
    """Record a refused log-in with the address, once it is one, and never the password.

    Whether the address has an account is looked up by nobody here: the answer to the
    stranger must take the same time in each case (T20).
    """
    try:
        email = canonical_email(credentials.get("email") or "")
    except ValidationError:
        email = ""
    AuditEvent.record(Kind.LOG_IN_REFUSED, None, None, email, {"email": email})
