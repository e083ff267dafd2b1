"""What each mail says: one function a letter, which returns a message to be sent.

Links are built from BASE_URL, never from a request (T14). No line break gets into a
header: a subject is made one line, and names hold none (T16).
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format

from accounts.models import User

if TYPE_CHECKING:
    from invitations.models import Invitation

PROJECTS_NAMED = 5


def welcome(invitation: "Invitation") -> EmailMultiAlternatives:
    """'Welcome to Procore' for somebody who creates a password (S8)."""
    return about_invitation("invitations/email/welcome", invitation)


def welcome_back(invitation: "Invitation") -> EmailMultiAlternatives:
    """'Welcome to Procore' for somebody who has an account and logs in (T18)."""
    return about_invitation("invitations/email/welcome_back", invitation)


def reminder(invitation: "Invitation", *, is_known: bool) -> EmailMultiAlternatives:
    """The same link once more: since when it waits, and until when."""
    facts = {"sent_at": moment(invitation.sent_at), "is_known": is_known}
    return about_invitation("invitations/email/reminder", invitation, **facts)


def about_invitation(
    name: str, invitation: "Invitation", **more: Any
) -> EmailMultiAlternatives:
    link = absolute("invitations:link", invitation.token)
    facts = invitation_facts(invitation) | {
        "company": invitation.company.name,
        "first_name": invitation.membership.first_name,
        "expires_at": moment(invitation.expires_at),
        "link": link,
        "decline_link": f"{link}?decline",
    }
    return letter(name, invitation.sent_to, facts | more)


def invitation_facts(invitation: "Invitation") -> dict[str, Any]:
    """Who invites, and to which projects: said by the mail and by the pages."""
    projects = list(invitation.projects)
    return {
        "inviter": invitation.inviter,
        "projects": projects[:PROJECTS_NAMED],
        "more_projects": len(projects[PROJECTS_NAMED:]),
    }


def about_account(
    name: str, user: User, recipient: str, facts: dict[str, Any]
) -> EmailMultiAlternatives | None:
    """One of allauth's letters; None when the address that it is about has gone.

    A link in it is made here, when the mail is written, so that none is ever stored.
    """
    if name == "account/email/password_reset_key":
        if user.email != recipient or not user.is_active:
            return None
        key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
        link = absolute("account_reset_password_from_key", uidb36="UID", key="KEY")
        facts = {"password_reset_url": link.replace("UID-KEY", key)}
    elif name.startswith("account/email/email_confirmation"):
        address = EmailAddress.objects.filter(
            user=user, email=recipient, verified=False
        ).first()
        if address is None:
            return None
        key = EmailConfirmationHMAC(address).key
        facts = {"activate_url": absolute("account_confirm_email", key)}
    elif "timestamp" in facts:
        facts = facts | {"timestamp": parse_datetime(facts["timestamp"])}
    return letter(name, recipient, facts, body="_message")


def letter(
    name: str, recipient: str, facts: dict[str, Any], *, body: str = ""
) -> EmailMultiAlternatives:
    """Fill the templates of a letter: `<name>_subject.txt`, `.txt` and `.html`."""
    context = {
        "site_name": settings.SITE_NAME,
        "address": recipient,
        "email": recipient,
    }
    context |= facts
    subject = render_to_string(f"{name}_subject.txt", context)
    message = EmailMultiAlternatives(
        " ".join(subject.split()),
        render_to_string(f"{name}{body}.txt", context).strip() + "\n",
        to=[recipient],
        headers={"Auto-Submitted": "auto-generated"},  # no out-of-office replies
    )
    html = render_to_string(f"{name}{body}.html", context)
    message.attach_alternative(html, "text/html")
    return message


def absolute(name: str, *args: str, **kwargs: str) -> str:
    return settings.BASE_URL + reverse(name, args=args, kwargs=kwargs)


def moment(at: datetime) -> str:
    """A date that needs no calendar and no guess: '1 December 2026, 14:30 CET'."""
    return date_format(timezone.localtime(at), "j F Y, H:i T")


def message_id(reference: UUID) -> str:
    return f"<{reference.hex}@{urlsplit(settings.BASE_URL).hostname}>"
