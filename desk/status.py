"""Where each person of a directory stands: the same word for list, filter and count."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from companies.models import Company, Membership, ProjectMembership
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


def of_pending(now: datetime) -> dict[Status, Any]:
    """What a pending invitation tells of its entry: the first condition that fits."""
    mails = Delivery.objects.filter(invitation=OuterRef("pk")).order_by("-pk")
    # The newest mail, looked up row by row: as EXISTS it would read all companies'.
    state = Subquery(mails.values("state")[:1])
    return {
        Status.NEEDS_CONFIRMATION: Q(held_at__isnull=False),
        Status.NEW_LINK_ASKED: Q(new_link_asked_at__isnull=False),
        Status.EXPIRED: Q(expires_at__lte=now),
        Status.MAIL_REFUSED: Exact(state, Value(Delivery.State.REFUSED.value)),
        Status.INVITED: Q(pk__isnull=False),
    }


def conditions(now: datetime, company: Company | None) -> dict[Status, Any]:
    """When an entry has which status: the first condition that fits, in this order.

    It is what an administrator has to know about the person now. A pending invitation
    is always the newest one, and there is one at most.

    Args:
        company: whose entries are asked about, where it is one's: then the database
            looks at that company's invitations only.
    """
    ours = Invitation.objects.all() if company is None else company.invitations.all()
    invitations = ours.filter(membership=OuterRef("pk"))
    pending = invitations.pending()
    states = Invitation.State
    return {
        Status.INACTIVE: Q(is_active=False),
        Status.JOINED: Q(user__isnull=False),
        **{
            status: Exists(pending.filter(condition))
            for status, condition in of_pending(now).items()
        },
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


def in_status(
    entries: models.QuerySet[Any],
    wanted: str,
    now: datetime,
    company: Company | None = None,
) -> models.QuerySet[Any]:
    """Those that have this status, or that aren't in yet."""
    if wanted == NOT_IN_YET:
        return entries.filter(user=None, is_active=True)
    for status, condition in conditions(now, company).items():
        if status == wanted:
            return entries.filter(condition)
        entries = entries.filter(~condition)
    return entries.none()


def count_by_status(company: Company, now: datetime) -> dict[str, int]:
    """How many people of a company have which status.

    Counted from the invitations, since most people have joined.
    """
    states = Invitation.State
    invitations = company.invitations.filter(
        membership__user=None, membership__is_active=True
    ).order_by()
    pending = invitations.pending().annotate(status=first_of(of_pending(now)))
    ended = newest(invitations.filter(state__in=[states.DECLINED, states.REVOKED]))
    counts = dict(pending.values_list("status").annotate(count=Count("pk")))
    counts |= dict(ended.values_list("state").annotate(count=Count("pk")))
    all_people = company.memberships.order_by().aggregate(
        waiting=Count("pk", Q(user=None, is_active=True)),
        joined=Count("pk", Q(user__isnull=False, is_active=True)),
        inactive=Count("pk", Q(is_active=False)),
    )
    not_invited = all_people.pop("waiting") - sum(counts.values())
    counts |= {**all_people, Status.NOT_INVITED.value: not_invited}
    return {status: count for status, count in counts.items() if count}


def first_of(conditions: dict[Status, Any]) -> Case:
    """The status whose condition is the first that fits."""
    return Case(
        *(
            When(condition, then=Value(status.value))
            for status, condition in conditions.items()
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
        .annotate(status=first_of(conditions(now, None)))
    )
