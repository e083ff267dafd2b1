"""How allauth's pages meet ours."""

import base64
import hashlib
from contextlib import suppress
from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import EmailAddress
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Company
from invitations import handover
from invitations.models import Delivery, Invitation

Kind = AuditEvent.Kind

# What a letter about an account may say; the links are made when it is written.
FACTS = {"timestamp", "ip", "user_agent", "from_email", "to_email", "deleted_email"}
# What a session takes along when its person logs in (T31): the invitations in progress,
# what allauth notes about how they logged in, and what they are to read.
CARRIED = {
    handover.KEY,
    "account_authentication_methods",
    "account_authentication_methods_user",
    "_messages",
}


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up (S1); mails are queued; after a log-in, where the person was going."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": (
            "The address or the password is not right. Try again, or follow ‘Forgot "
            "password, or first time here?’."
        ),
        "too_many_login_attempts": (
            "Too many attempts. Wait five minutes, then try again."
        ),
        "enter_current_password": "This is not your current password. Type it again.",
        "incorrect_password": "This is not your password. Type it again.",
        "invalid_password_reset": (
            "This link can’t be used any more. Ask for a new one."
        ),
        "rate_limited": "Too many attempts. Wait a minute, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Lead on only to paths of our own, never to a named host (T15)."""
        is_path = bool(url) and str(url).startswith("/")
        return is_path and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def set_password(self, user: User, password: str) -> None:  # type: ignore[override]
        """Change it, and tell which change of address has ended with the old one."""
        template = "account/messages/email_deleted.txt"
        for email in change_password(user, password, by=user):
            self.add_message(self.request, messages.INFO, template, {"email": email})

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Change the address of a log-in: all of it, or nothing (T36).

        The address may have become another log-in's since the mail was sent, also one
        that is not proven, which allauth doesn't look for. And nothing changes about
        a log-in that was switched off (T34).
        """
        with suppress(IntegrityError), transaction.atomic():
            if email_address.user.is_active:
                return bool(super().confirm_email(request, email_address))
        facts = {"email": email_address.email}
        template = "account/messages/email_confirmation_failed.txt"
        self.add_message(request, messages.ERROR, template, facts)
        return False

    def send_mail(
        self, template_prefix: str, email: str, context: dict[str, Any]
    ) -> None:
        """Queue the mail: the page's time doesn't tell whether one is sent (T21)."""
        user = context.get("user") or self.request.user
        facts = {name: context[name] for name in FACTS & context.keys()}
        Delivery.objects.queue_about(user, template_prefix, email, facts)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        context = {"user": user, **(context or {})}
        super().send_notification_mail(template_prefix, user, context, email)

    def get_login_stages(self) -> list[str]:
        """Only the second factor comes between a right password and the way in.

        No mail is sent to confirm an address: only a new password proves an unproven
        account, never a click (S6).
        """
        return ["allauth.mfa.stages.AuthenticateStage"]

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Log in, in a session with a new id that holds nothing of an older one.

        But nobody who was switched off since the password was right, while the second
        factor was asked (T34).
        """
        if not user.is_active:
            self.refuse(request, user)
        for key in set(request.session.keys()) - CARRIED:
            del request.session[key]
        super().login(request, user)

    def refuse(self, request: HttpRequest, user: AbstractBaseUser) -> NoReturn:
        """Answer as to a wrong password (T20)."""
        credentials = {"email": user.get_username()}
        user_login_failed.send(__name__, credentials=credentials, request=request)
        clear_login(request)
        messages.error(request, self.error_messages["email_password_mismatch"])
        raise ImmediateHttpResponse(redirect("account_login"))

    def post_login(
        self,
        request: HttpRequest,
        user: AbstractBaseUser,
        *,
        redirect_url: str | None,
        **kwargs: Any,
    ) -> HttpResponse:
        target = self.landing_url(request, redirect_url)
        return super().post_login(request, user, redirect_url=target, **kwargs)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return self.landing_url(request, get_next_redirect_url(request))

    def landing_url(self, request: HttpRequest, target: str | None) -> str:
        """An opened invitation first; then the safe target; waiting ones; companies.

        With one company straight in (S7).
        """
        if public_id := handover.newest_open(request):
            return reverse("invitations:join", query={"i": public_id})
        if target:
            return target
        if Invitation.objects.waiting_for(request.user).exists():
            return reverse("invitations:waiting")
        companies = Company.objects.visible_to(request.user)[:2]
        if len(companies) == 1:
            return companies[0].get_absolute_url()
        return reverse("companies:select")


@transaction.atomic
def change_password(user: User, password: str, *, by: User | None) -> list[str]:
    """Change a password, and write down which change of address has ended with it."""
    emails = user.change_password(password)
    for email in emails:
        AuditEvent.record(Kind.ADDRESS_REMOVED, by, None, user, {"email": email})
    return emails


class MFAAdapter(DefaultMFAAdapter):
    """Keeps the secrets of authenticator apps encrypted in the database."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": (
            "This code is not right, or it was used already. Type the next one."
        ),
        "unverified_email": (
            "Show first that your address is yours: open the link in the mail that we "
            "sent there, or ask for one with ‘Forgot password, or first time here?’."
        ),
    }

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """Tell a change of the address that waits from an address that isn't shown."""
        if code == "unverified_email":
            addresses = self.request.user.emailaddress_set
            if change := addresses.filter(primary=False, verified=False).first():
                return ValidationError(change_waits(change.email), code=code)
        error: ValidationError = super().validation_error(code, *args)
        return error

    def encrypt(self, text: str) -> str:
        return fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return fernet().decrypt(encrypted_text.encode()).decode()


def change_waits(email: str) -> str:
    return format_html(
        "Confirm or cancel the change to {} first, on the page "
        '<a href="{}">E-mail address</a>.',
        email,
        reverse("account_email"),
    )


def fernet() -> MultiFernet:
    """A cipher with a key of its own, made from SECRET_KEY, that reads what the
    SECRET_KEY_FALLBACKS wrote."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(f"mfa:{secret}".encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
