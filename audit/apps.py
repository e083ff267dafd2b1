"""Which signals of Django and allauth become audit events: the only use of signals."""

from functools import partial
from typing import Any

from django.apps import AppConfig
from django.dispatch import Signal


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "What happened"

    def ready(self) -> None:
        from allauth.account import signals as account
        from allauth.mfa import signals as mfa
        from django.contrib.auth.signals import (
            user_logged_in,
            user_logged_out,
            user_login_failed,
        )

        from audit.models import AuditEvent

        kinds = AuditEvent.Kind
        table: list[tuple[Signal, AuditEvent.Kind]] = [
            (user_logged_in, kinds.LOGGED_IN),
            (user_logged_out, kinds.LOGGED_OUT),
            (account.password_set, kinds.PASSWORD_CHANGED),
            (account.password_changed, kinds.PASSWORD_CHANGED),
            (account.password_reset, kinds.PASSWORD_RESET),
            (account.email_added, kinds.ADDRESS_ADDED),
            (account.email_changed, kinds.ADDRESS_CHANGED),
            (account.email_confirmed, kinds.ADDRESS_CONFIRMED),
            (account.email_removed, kinds.ADDRESS_REMOVED),
            (mfa.authenticator_added, kinds.FACTOR_ADDED),
            (mfa.authenticator_removed, kinds.FACTOR_REMOVED),
            (mfa.authenticator_reset, kinds.FACTOR_RESET),
        ]
        for signal, kind in table:
            signal.connect(
                partial(record_for_user, kind), weak=False, dispatch_uid=f"audit_{kind}"
            )
        user_login_failed.connect(record_refusal, dispatch_uid="audit_refusal")


def record_for_user(kind: str, sender: Any, **given: Any) -> None:
    """Record what a person did to the own log-in."""
    from audit.models import AuditEvent

    address = given.get("email_address") or given.get("to_email_address")
    user = given.get("user") or (address.user if address else None)
    if user is None:  # a log-out without a log-in
        return
    facts = {"email": address.email} if address else {}
    AuditEvent.record(AuditEvent.Kind(kind), user, None, user, facts)


def record_refusal(sender: Any, credentials: dict[str, Any], **given: Any) -> None:
    """Record a refused log-in with the address, once it is one, and never the password.

    Whether the address has an account is looked up by nobody here: the answer to the
    stranger must take the same time in each case (T20).
    """
    from django.core.exceptions import ValidationError

    from accounts.addresses import canonical_email
    from audit.models import AuditEvent

    try:
        email = canonical_email(credentials.get("email") or "")
    except ValidationError:
        email = ""
    AuditEvent.record(
        AuditEvent.Kind.LOG_IN_REFUSED, None, None, email, {"email": email}
    )
