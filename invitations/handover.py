"""What a session remembers of the invitations whose links were opened in it.

The link's token never stays in an address: the first request moves what it says into
the session, and the pages name the invitation by its public id, which is no secret and
works only with the session (T2). Up to five are kept, so that the links of several
companies can be open in several tabs.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest
from django.utils import timezone

from invitations.models import Invitation

KEY = "invitations"
KEPT = 5


@dataclass(frozen=True)
class Opened:
    """One invitation that this session may answer."""

    invitation: Invitation
    version: int
    is_proven: bool  # by a mailed link; a first password shows no mailbox


def remember(
    request: HttpRequest, public_id: str, version: int, *, is_proven: bool
) -> None:
    """Keep what a link or a first password has shown. A mailed link counts for more."""
    kept: dict[str, Any] = request.session.get(KEY, {})
    known_version, known_proven = kept.pop(public_id, (0, False))
    is_proven = is_proven or (known_proven and known_version == version)
    kept[public_id] = (version, is_proven)
    request.session[KEY] = dict(list(kept.items())[-KEPT:])


def forget(request: HttpRequest, public_id: str) -> None:
    kept = request.session.get(KEY, {})
    if kept.pop(public_id, None):
        request.session[KEY] = kept


def opened(request: HttpRequest, public_id: str) -> Opened | None:
    """Find the invitation that a page names, if this session may answer it.

    Somebody who has logged in may answer those that wait for their address without
    having opened the mail.
    """
    rows = Invitation.objects.select_related("company", "membership")
    kept = request.session.get(KEY, {}).get(public_id)
    if kept:
        invitation = rows.filter(public_id=public_id).first()
        return Opened(invitation, *kept) if invitation else None
    if request.user.is_authenticated:
        waiting = rows.waiting_for(request.user).filter(public_id=public_id).first()
        return Opened(waiting, waiting.version, True) if waiting else None
    return None


def newest_open(request: HttpRequest) -> str | None:
    """The public id to come back to after a log-in, of the link opened last."""
    kept = request.session.get(KEY)
    if not kept:
        return None
    rows = Invitation.objects.acceptable(timezone.now()).filter(public_id__in=kept)
    versions = dict(rows.values_list("public_id", "version"))
    for public_id, (version, _) in reversed(kept.items()):
        if versions.get(public_id) == version:
            return str(public_id)
    return None


def log_out(request: HttpRequest) -> None:
    """Log out and keep what was opened ('Sign out and continue')."""
    kept = request.session.get(KEY, {})
    logout(request)
    request.session[KEY] = kept
