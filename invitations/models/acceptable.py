"""Which invitations are open, may be accepted, or wait for somebody."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import User
from companies.models import AnyUser, Membership

if TYPE_CHECKING:
    from invitations.models.invitation import Invitation


def is_proven(user: User) -> Q:
    return Q(Exists(User.objects.proven().filter(pk=user.pk)))


class AcceptableQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> Self:
        return self.filter(state=self.model.State.PENDING)

    def open(self, now: datetime) -> Self:
        """Those that are pending and have not expired."""
        return self.pending().filter(expires_at__gt=now)

    def acceptable(self, now: datetime) -> Self:
        """The one definition of an invitation that may be accepted at this moment.

        The conditions on other tables are subqueries, so that an UPDATE with them
        compares the row's own columns again after it has waited for a lock.
        """
        entries = Membership.objects.filter(
            pk=OuterRef("membership"),
            is_active=True,
            company__is_active=True,
            user=None,
            email=OuterRef("sent_to"),
        )
        return self.open(now).filter(Exists(entries), held_at=None)

    def waiting_for(self, user: AnyUser) -> Self:
        """Invitations that a person who has logged in can accept at once.

        Of a company that they are in there is none, also through another entry. An
        account made with a first password has none: it has shown no mailbox.
        """
        if not user.is_authenticated:
            return self.none()
        is_in = Exists(
            Membership.objects.filter(company=OuterRef("company"), user=user)
        )
        waiting = self.acceptable(timezone.now()).filter(~is_in, sent_to=user.email)
        return waiting.filter(is_proven(user))

    def of_visitor(self, user: AnyUser) -> Self:
        """What somebody who has logged in may ask after, whatever became of it.

        What has let them in; and what was sent to the address that they have proven.
        """
        if not user.is_authenticated:
            return self.none()
        is_theirs = Q(sent_to=user.email) & is_proven(user)
        return self.filter(Q(membership__user=user) | is_theirs)

    def with_first_password(self, email: str) -> "Invitation | None":
        """The invitation that a first password for this address would belong to (S6).

        Of several companies only the newest one's counts.
        """
        now = timezone.now()
        live = self.acceptable(now).with_live_first_password(now).filter(sent_to=email)
        return live.order_by("-first_password_made_at", "-pk").first()

    def with_live_first_password(self, now: datetime) -> Self:
        """Those whose first password still opens something (T55)."""
        made_after = now - settings.FIRST_PASSWORD_LIFE
        return self.filter(first_password_made_at__gt=made_after)
