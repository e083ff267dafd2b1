"""What people enter at the log-in page, when they join, and at the terms."""

from typing import Any

from allauth.account.forms import (
    AddEmailForm,
    LoginForm,
    ResetPasswordKeyForm,
    UserTokenForm,
)
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from django import forms
from django.contrib.auth.forms import SetPasswordMixin
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.addresses import CanonicalEmailFormField
from accounts.models import User
from audit.models import AuditEvent
from invitations import handover
from invitations.handover import Opened
from invitations.models import Invitation, LinkRequest, Terms
from invitations.models.invitation import prove


def email_field(autocomplete: str) -> CanonicalEmailFormField:
    return CanonicalEmailFormField(
        widget=forms.EmailInput(attrs={"autocomplete": autocomplete})
    )


class LogInForm(LoginForm):
    """E-mail address and password (S3), or an address and a first password (S6)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = email_field("username")
        self.order_fields(["login", "password"])

    def login(
        self, request: HttpRequest, redirect_url: str | None = None
    ) -> HttpResponse:
        if self.user.pk is None:
            return self.lead_to_create_a_password(request)
        response: HttpResponse = super().login(request, redirect_url)
        return response

    def lead_to_create_a_password(self, request: HttpRequest) -> HttpResponse:
        """Go where a first password leads, and nowhere else: nobody is logged in."""
        invitation = Invitation.objects.with_first_password(self.user.email)
        if invitation is None:  # it died between the check and here
            return redirect("account_login")
        invitation.record(AuditEvent.Kind.FIRST_PASSWORD_USED)
        handover.remember(
            request,
            invitation,
            invitation.version,
            first_password=invitation.first_password_made_at,
        )
        return redirect(reverse("invitations:join", query={"i": invitation.public_id}))


class ForgotOrFirstTimeForm(AllauthResetPasswordForm):
    """One question for both: a new password, or the invitation once more (S5)."""

    email = email_field("email")  # type: ignore[assignment]

    def clean_email(self) -> str:
        """Look nothing up: the page is the same for everybody (T21)."""
        return str(self.cleaned_data["email"])

    @transaction.atomic
    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email = str(self.cleaned_data["email"])
        AuditEvent.record(
            AuditEvent.Kind.RESET_ASKED, None, None, email, {"email": email}
        )
        LinkRequest.objects.ask(email)
        return email


class ResetLinkForm(UserTokenForm):
    """Whose password a link resets: nobody's any more who was switched off (T34)."""

    def _get_user(self, uidb36: str) -> User | None:
        user: User | None = super()._get_user(uidb36)  # type: ignore[no-untyped-call]
        return user if user and user.is_active else None


class ResetPasswordForm(ResetPasswordKeyForm):
    """A new password by a mailed link, which also proves the address (S6)."""

    @transaction.atomic
    def save(self) -> None:
        super().save()
        prove(self.user)


class ChangeAddressForm(AddEmailForm):
    """Another address for the own log-in; it counts when its mailbox has confirmed it.

    Nothing is looked up: an address that is taken fails when it is confirmed, and only
    its reader learns of it (T36).
    """

    email = email_field("email")  # type: ignore[assignment]

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if self.user and email == self.user.get_username():
            raise ValidationError("This is your address already.", code="same_address")
        return email


def password_field(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class JoinForm(SetPasswordMixin[User], forms.Form):
    """'Create a Password' (S9 to S13): accepts the invitation that it names.

    It works on the log-in that is to be: a new one that isn't saved, or the one that a
    first password made; so the validators see whose password it is.
    """

    error_messages = {
        "password_mismatch": "The two passwords differ. Type the same in both fields.",
        "first_password": "Choose another password than the one handed to you.",
    }

    invitation = forms.CharField(widget=forms.HiddenInput)
    password1 = password_field("Password", "The requirements stand below.")
    password2 = password_field("Confirm")
    newsletter = forms.BooleanField(
        label="Send me the Construction Newsletter and product updates", required=False
    )

    def __init__(self, *args: Any, opened: Opened, user: User, **kwargs: Any) -> None:
        self.opened = opened
        self.user = user
        kwargs["initial"] = {"invitation": opened.invitation.public_id}
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        self.validate_passwords()
        self.validate_password_for_user(self.user, "password1")
        first_password = self.opened.invitation.first_password
        chosen = self.cleaned_data.get("password1")
        if chosen and first_password and check_password(chosen, first_password):
            self.add_error("password1", self.refusal("first_password"))
        return self.cleaned_data

    def refusal(self, code: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code)

    def save(self) -> User:
        """Join.

        Raises:
            ValidationError: when the invitation can't be accepted any more.
        """
        self.user.set_password(self.cleaned_data["password1"])
        self.opened.invitation.accept(
            self.user, version=self.opened.version, is_proven=self.opened.is_proven
        )
        if self.cleaned_data["newsletter"]:
            self.user.subscribe()
        return self.user


class TermsForm(forms.Form):
    """'I Agree to the Terms and Conditions' (S14), to the version that was shown."""

    agree = forms.BooleanField(
        label="I Agree to the Terms and Conditions",
        error_messages={"required": "Tick the box to go on, or log out."},
    )
    version = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, terms: Terms, **kwargs: Any) -> None:
        self.terms = terms
        kwargs["initial"] = {"version": terms.version}
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("version") != self.terms.version:
            # Shown again, the form names the version that is shown with it.
            self.data = {"version": self.terms.version}
            raise ValidationError(
                "There is a newer version. Read it below, then agree to it.",
                code="terms_changed",
            )
        return self.cleaned_data

    def save(self, user: User) -> None:
        self.terms.accept(user)
