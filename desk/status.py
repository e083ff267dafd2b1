"""Where each person of a directory stands: the same word for list, filter and count."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Case, Count, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from companies.models import Membership, ProjectMembership
from invitations.models import Delivery, Invitation


class Status(models.TextChoices):
    NOT_INVITED = "not_invited", "Not invited"
    INVITED = "invited", "Invited"
    ADDRESS_CORRECTED = "address_corrected", "Address corrected"
    MAIL_REFUSED = "mail_refused", "Not accepted by the mail server"
    NEW_LINK_ASKED = "new_link_asked", "Asked for a new link"
    NEEDS_CONFIRMATION = "needs_confirmation", "Needs confirmation"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"
    DECLINED = "declined", "Declined"
    JOINED = "joined", "Joined"
    INACTIVE = "inactive", "Inactive"


# What one asks besides: about several statuses at once, or about a part of one.
NOT_IN_YET = "not_in_yet"
EXPIRING = "expiring"
QUESTIONS = [
    (NOT_IN_YET, "Can’t get in yet"),
    (EXPIRING, "Expires within two days"),
]
EXPIRING_WITHIN = timedelta(days=2)


def of_pending(now: datetime) -> Case:
    """What a pending invitation tells of its entry: the first condition that fits.

    One that went to another address than the entry has by now opens nothing, whatever
    else is true of it.
    """
    elsewhere = ~Q(sent_to=OuterRef("email"))
    mails = Delivery.objects.filter(invitation=OuterRef("pk")).order_by("-pk")
    newest_mail = Subquery(mails.values("state")[:1])
    refused = Value(Delivery.State.REFUSED.value)
    return Case(
        When(elsewhere, then=Value(Status.ADDRESS_CORRECTED.value)),
        When(held_at__isnull=False, then=Value(Status.NEEDS_CONFIRMATION.value)),
        When(new_link_asked_at__isnull=False, then=Value(Status.NEW_LINK_ASKED.value)),
        When(expires_at__lte=now, then=Value(Status.EXPIRED.value)),
        When(Exact(newest_mail, refused), then=Value(Status.MAIL_REFUSED.value)),
        default=Value(Status.INVITED.value),
        output_field=models.CharField(),
    )


def of_waiting(now: datetime) -> Coalesce:
    """The status of an entry that is active and hasn't joined.

    The pending invitation decides, of which there is one at most; else how the last one
    ended. Both are looked up entry by entry: what PostgreSQL would make of EXISTS takes
    it minutes while it has no statistics of a directory, as after an import.
    """
    invitations = Invitation.objects.filter(membership=OuterRef("pk"))
    pending = invitations.pending().annotate(told=of_pending(now))
    ended = invitations.filter(
        state__in=[Invitation.State.DECLINED, Invitation.State.REVOKED]
    )
    return Coalesce(
        Subquery(pending.values("told")[:1]),
        Subquery(ended.order_by("-pk").values("state")[:1]),
        Value(Status.NOT_INVITED.value),
        output_field=models.CharField(),
    )


def of_entry(now: datetime) -> Case:
    """What an administrator has to know about a person now, in one word."""
    return Case(
        When(is_active=False, then=Value(Status.INACTIVE.value)),
        When(user__isnull=False, then=Value(Status.JOINED.value)),
        default=of_waiting(now),
        output_field=models.CharField(),
    )


def in_status(
    entries: models.QuerySet[Any], wanted: str, now: datetime
) -> models.QuerySet[Any]:
    """Those that have this status, or of which one of the questions is true."""
    match wanted:
        case Status.INACTIVE:
            return entries.filter(is_active=False)
        case Status.JOINED:
            return entries.filter(is_active=True, user__isnull=False)
    waiting = entries.filter(is_active=True, user=None)
    if wanted == NOT_IN_YET:
        return waiting
    if wanted == EXPIRING:
        soon = Q(invitations__expires_at__lte=now + EXPIRING_WITHIN)
        invited = in_status(entries, Status.INVITED, now)
        return invited.filter(soon, invitations__state=Invitation.State.PENDING)
    found: models.QuerySet[Any] = waiting.alias(standing=of_waiting(now))
    return found.filter(standing=wanted)


def count_by_status(
    entries: models.QuerySet[Membership], now: datetime
) -> dict[str, int]:
    """How many of these people have which status.

    Most have joined: only of the others is asked what became of their invitations.
    """
    entries = entries.order_by()
    waiting = in_status(entries, NOT_IN_YET, now).annotate(standing=of_waiting(now))
    counts = dict(waiting.values_list("standing").annotate(count=Count("pk")))
    counts |= entries.aggregate(
        joined=Count("pk", Q(user__isnull=False, is_active=True)),
        inactive=Count("pk", Q(is_active=False)),
    )
    return {status: count for status, count in counts.items() if count}


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
        .annotate(status=of_entry(now))
    )
