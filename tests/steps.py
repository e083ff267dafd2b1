"""The steps that people take over HTTP, and what the database looks like meanwhile."""

from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from invitations.models import Invitation, Terms
from tests.cast import PASSWORD

CHOSEN = "Gravel-Pit-22"
JOIN = reverse("invitations:join")
LOG_IN = reverse("account_login")
TERMS = reverse("invitations:terms")
FORGOT = reverse("account_reset_password")


def link_of(invitation: Invitation) -> str:
    return reverse("invitations:link", args=[invitation.token])


def join_page(invitation: Invitation) -> str:
    return reverse("invitations:join", query={"i": invitation.public_id})


def follow(client: Client, invitation: Invitation, **extra: Any) -> Any:
    """Follow the link of the mail, to the page that it leads to."""
    return client.get(link_of(invitation), follow=True, **extra)


def set_password(
    client: Client, invitation: Invitation, password: str = CHOSEN, **more: str
) -> Any:
    """Send the form 'Create a Password'."""
    given = {
        "invitation": invitation.public_id,
        "password1": password,
        "password2": password,
    }
    return client.post(JOIN, given | more)


def accept(client: Client, invitation: Invitation) -> Any:
    return client.post(JOIN, {"invitation": invitation.public_id})


def log_in(client: Client, email: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(LOG_IN, {"login": email, "password": password} | more)


def agree(client: Client, **more: str) -> Any:
    """Agree to the current terms."""
    terms = Terms.objects.current()
    assert terms
    return client.post(TERMS, {"version": terms.version, "agree": "on"} | more)


def is_logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def text(answer: Any) -> str:
    return str(answer.content.decode())


def headers(answer: Any) -> dict[str, str]:
    """The headers that must not differ: the clock and the nonce may.

    Expires is the second in which the answer was written; two answers of one kind
    may lie on both sides of its turn.
    """
    own = ("Content-Length", "Content-Security-Policy", "Expires", "Set-Cookie")
    return {key: value for key, value in answer.headers.items() if key not in own}


def rows() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables but the sessions'."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model is not Session
    }
