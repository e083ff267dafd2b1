"""Where each person of a directory stands: the same word for list, filter and count."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from companies.models import Membership, ProjectMembership
from invitations.models import Delivery, Invitation


class Status(models.TextChoices):
    NOT_INVITED = "not_invited", "Not invited"
    INVITED = "invited", "Invited"
    MAIL_REFUSED = "mail_refused", "Not accepted by the mail server"
    NEW_LINK_ASKED = "new_link_asked", "Asked for a new link"
    NEEDS_CONFIRMATION = "needs_confirmation", "Needs confirmation"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"
    DECLINED = "declined", "Declined"
    JOINED = "joined", "Joined"
    INACTIVE = "inactive", "Inactive"


# All statuses of people who can't get in yet, as one choice of the filter.
NOT_IN_YET = "not_in_yet"


def conditions(now: datetime) -> dict[Status, Any]:
    """When an entry has which status: the first condition that fits, in this order.

    It is what an administrator has to know about the person now. A pending invitation
    is always the newest one, and there is one at most.
    """
    invitations = Invitation.objects.filter(membership=OuterRef("pk"))
    pending = invitations.pending()
    states = Invitation.State
    return {
        Status.INACTIVE: Q(is_active=False),
        Status.JOINED: Q(user__isnull=False),
        Status.NEEDS_CONFIRMATION: Exists(pending.filter(held_at__isnull=False)),
        Status.NEW_LINK_ASKED: Exists(pending.filter(new_link_asked_at__isnull=False)),
        Status.EXPIRED: Exists(pending.filter(expires_at__lte=now)),
        Status.MAIL_REFUSED: Exists(pending.filter(newest_mail_refused())),
        Status.INVITED: Exists(pending),
        Status.DECLINED: Exists(newest(invitations.filter(state=states.DECLINED))),
        Status.REVOKED: Exists(newest(invitations.filter(state=states.REVOKED))),
        Status.NOT_INVITED: Q(),
    }


def newest(invitations: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Those of these that no later one of the same entry follows."""
    later = Invitation.objects.filter(
        membership=OuterRef("membership"), pk__gt=OuterRef("pk")
    )
    return invitations.filter(~Exists(later))


def newest_mail_refused() -> Exists:
    later = Delivery.objects.filter(
        invitation=OuterRef("invitation"), pk__gt=OuterRef("pk")
    )
    refused = Delivery.objects.filter(
        invitation=OuterRef("pk"), state=Delivery.State.REFUSED
    )
    return Exists(refused.filter(~Exists(later)))


def in_status(
    entries: models.QuerySet[Any], wanted: str, now: datetime
) -> models.QuerySet[Any]:
    """Those that have this status, or that aren't in yet."""
    if wanted == NOT_IN_YET:
        return entries.filter(user=None, is_active=True)
    for status, condition in conditions(now).items():
        if status == wanted:
            return entries.filter(condition)
        entries = entries.filter(~condition)
    return entries.none()


def count_by_status(
    entries: models.QuerySet[Membership], now: datetime
) -> dict[str, int]:
    """How many have which status; most have joined, and are counted as they stand."""
    entries = entries.order_by()
    waiting = in_status(entries, NOT_IN_YET, now).annotate(status=status_of(now))
    counts = dict(waiting.values_list("status").annotate(count=Count("pk")))
    counts |= entries.aggregate(
        joined=Count("pk", Q(user__isnull=False, is_active=True)),
        inactive=Count("pk", Q(is_active=False)),
    )
    return {status: count for status, count in counts.items() if count}


def status_of(now: datetime) -> Case:
    return Case(
        *(
            When(condition, then=Value(status.value))
            for status, condition in conditions(now).items()
            if condition
        ),
        default=Value(Status.NOT_INVITED.value),
        output_field=models.CharField(),
    )


def with_status(
    entries: models.QuerySet[Membership], now: datetime
) -> models.QuerySet[Any]:
    """Add to each entry its status and what a reader asks next: when, until, why."""
    invitation = Invitation.objects.filter(membership=OuterRef("pk")).order_by("-pk")[
        :1
    ]
    mail = Delivery.objects.filter(invitation=OuterRef("invitation_id")).order_by(
        "-pk"
    )[:1]
    projects = (
        ProjectMembership.objects.filter(membership=OuterRef("pk"))
        .order_by()
        .values("membership")
        .annotate(count=models.Count("pk"))
        .values("count")
    )
    return (
        entries.annotate(
            invitation_id=Subquery(invitation.values("pk")),
            invitation_state=Subquery(invitation.values("state")),
            invited_at=Subquery(invitation.values("sent_at")),
            expires_at=Subquery(invitation.values("expires_at")),
            settled_at=Subquery(invitation.values("settled_at")),
            held_at=Subquery(invitation.values("held_at")),
            new_link_asked_at=Subquery(invitation.values("new_link_asked_at")),
            project_count=Coalesce(Subquery(projects), 0),
        )
        .annotate(
            mail_state=Subquery(mail.values("state")),
            mail_reason=Subquery(mail.values("reason")),
        )
        .annotate(status=status_of(now))
    )
