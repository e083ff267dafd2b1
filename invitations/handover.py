"""What a session remembers of the invitations whose links were opened in it.

The link's token never stays in an address: the first request moves what it says into
the session, and the pages name the invitation by its public id, which is no secret and
works only with the session (T2). Up to five are kept, so that the links of several
companies can be open in several tabs.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest
from django.utils import timezone

from accounts.requests import renew_session
from companies.models import AnyUser
from invitations.models import Invitation

KEY = "invitations"
KEPT = 5
PARENTS = ("company", "membership")


@dataclass(frozen=True)
class Opened:
    """One invitation that this session may answer."""

    invitation: Invitation
    version: int
    first_password: str | None  # that was typed: when it was made

    @property
    def is_proven(self) -> bool:
        """Whether a mailed link was followed; a first password shows no mailbox."""
        return self.first_password is None

    @property
    def problem(self) -> str:
        """Name the reason why this session can't answer it, if there is one."""
        code = self.invitation.problem(self.version)
        return code or ("" if self.is_proven or self.is_live else "first_password_over")

    @property
    def is_live(self) -> bool:
        """Whether the first password that was typed here is still the one (T55)."""
        made_at = self.invitation.first_password_made_at
        is_same = made_at is not None and made_at.isoformat() == self.first_password
        return is_same and self.invitation.has_first_password


def remember(
    request: HttpRequest,
    invitation: Invitation,
    version: int,
    *,
    first_password: datetime | None,
) -> None:
    """Keep what a link or a first password has shown. A mailed link counts for more.

    In a session with a new id: whoever has planted the old one in this browser must not
    answer the invitation as well (T31). But whoever is logged in with the address that
    it went to answers it without the link, and could have two of them opened at once,
    of which the second would come with an id that is gone, and end the session.

    Args:
        first_password: when the one that was typed was made; None for a mailed link.
    """
    kept: dict[str, Any] = request.session.get(KEY, {})
    is_new = not request.session.session_key  # it only begins here
    if not (is_new or is_addressee(request.user, invitation)):
        renew_session(request)
    entry = version, first_password and first_password.isoformat()
    known = tuple(kept.pop(invitation.public_id, entry))
    kept[invitation.public_id] = known if known == (version, None) else entry
    request.session[KEY] = dict(list(kept.items())[-KEPT:])


def is_addressee(visitor: AnyUser, invitation: Invitation) -> bool:
    """Whether somebody has logged in who has shown that they read its mailbox."""
    return (
        visitor.is_authenticated
        and visitor.email == invitation.sent_to
        and visitor.is_proven
    )


def forget(request: HttpRequest, public_id: str) -> None:
    kept = request.session.get(KEY, {})
    if kept.pop(public_id, None):
        request.session[KEY] = kept


def opened(request: HttpRequest, public_id: str) -> Opened | None:
    """Find the invitation that a page names, if this session may answer it.

    Somebody who has logged in may answer those that wait for their address without
    having opened the mail; and who presses a button again, or in another window, reads
    what has become of theirs (T8).
    """
    rows = Invitation.objects.select_related(*PARENTS)
    kept = request.session.get(KEY, {}).get(public_id)
    if kept:
        invitation = rows.filter(public_id=public_id).first()
        return Opened(invitation, *kept) if invitation else None
    own = rows.of_visitor(request.user).filter(public_id=public_id).first()
    return Opened(own, own.version, None) if own else None


def newest_open(request: HttpRequest) -> str | None:
    """The public id to come back to after a log-in, of the link opened last.

    In a browser that several people use others may have been opened, too: only what was
    sent to who has logged in is theirs to answer.
    """
    kept = request.session.get(KEY)
    if not (kept and request.user.is_authenticated):
        return None
    rows = Invitation.objects.acceptable(timezone.now()).filter(public_id__in=kept)
    own = rows.filter(sent_to=request.user.email)
    invitations = {row.public_id: row for row in own.select_related(*PARENTS)}
    for public_id, entry in reversed(kept.items()):
        invitation = invitations.get(public_id)
        if invitation and not Opened(invitation, *entry).problem:
            return str(public_id)
    return None


def log_out(request: HttpRequest) -> None:
    """Log out and keep what was opened ('Sign out and continue')."""
    kept = request.session.get(KEY, {})
    logout(request)
    request.session[KEY] = kept
