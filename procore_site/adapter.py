"""How allauth's pages meet ours."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from invitations import handover
from invitations.models import Delivery, Invitation

# What a letter about an account may say; the links are made when it is written.
FACTS = {"timestamp", "ip", "user_agent", "from_email", "to_email", "deleted_email"}


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up (S1); mails are queued; after a log-in, where the person was going."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
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

    def should_send_confirmation_mail(
        self, request: HttpRequest, email_address: EmailAddress, signup: bool
    ) -> bool:
        """Only a new password proves an unproven account, never a click (S6)."""
        return False

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
        """An opened invitation first; then the safe target; waiting ones; companies."""
        if public_id := handover.newest_open(request):
            return reverse("invitations:join", query={"i": public_id})
        if target:
            return target
        if Invitation.objects.waiting_for(request.user).exists():
            return reverse("invitations:waiting")
        return reverse("companies:select")


class MFAAdapter(DefaultMFAAdapter):
    """Keeps the secrets of authenticator apps encrypted in the database."""

    def encrypt(self, text: str) -> str:
        return fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return fernet().decrypt(encrypted_text.encode()).decode()


def fernet() -> MultiFernet:
    """A cipher with a key of its own, made from SECRET_KEY, that reads what the
    SECRET_KEY_FALLBACKS wrote."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(f"mfa:{secret}".encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
