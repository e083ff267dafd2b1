"""Which signals of Django and allauth become audit events: the only use of signals."""

from functools import partial

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

        from audit.receivers import Kind, record_for_user, record_refusal

        table: list[tuple[Signal, Kind]] = [
            (user_logged_in, Kind.LOGGED_IN),
            (user_logged_out, Kind.LOGGED_OUT),
            (account.password_set, Kind.PASSWORD_CHANGED),
            (account.password_changed, Kind.PASSWORD_CHANGED),
            (account.password_reset, Kind.PASSWORD_RESET),
            (account.email_added, Kind.ADDRESS_ADDED),
            (account.email_changed, Kind.ADDRESS_CHANGED),
            (account.email_confirmed, Kind.ADDRESS_CONFIRMED),
            (account.email_removed, Kind.ADDRESS_REMOVED),
            (mfa.authenticator_added, Kind.FACTOR_ADDED),
            (mfa.authenticator_removed, Kind.FACTOR_REMOVED),
            (mfa.authenticator_reset, Kind.FACTOR_RESET),
        ]
        for signal, kind in table:
            signal.connect(
                partial(record_for_user, kind), weak=False, dispatch_uid=f"audit_{kind}"
            )
        user_login_failed.connect(record_refusal, dispatch_uid="audit_refusal")
