"""Where each person of a directory stands: the same word for list and filter."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, OuterRef, Subquery, Value, When
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
            held_at=Subquery(invitation.values("held_at")),
            new_link_asked_at=Subquery(invitation.values("new_link_asked_at")),
            project_count=Coalesce(Subquery(projects), 0),
        )
        .annotate(
            mail_state=Subquery(mail.values("state")),
            mail_reason=Subquery(mail.values("reason")),
        )
        .annotate(status=status(now))
    )


def status(now: datetime) -> Case:
    """The first that fits: what an administrator has to know about it now."""
    states = Invitation.State
    return Case(
        When(is_active=False, then=Value(Status.INACTIVE)),
        When(user__isnull=False, then=Value(Status.JOINED)),
        When(invitation_state=None, then=Value(Status.NOT_INVITED)),
        When(invitation_state=states.DECLINED, then=Value(Status.DECLINED)),
        When(invitation_state=states.REVOKED, then=Value(Status.REVOKED)),
        When(held_at__isnull=False, then=Value(Status.NEEDS_CONFIRMATION)),
        When(new_link_asked_at__isnull=False, then=Value(Status.NEW_LINK_ASKED)),
        When(expires_at__lte=now, then=Value(Status.EXPIRED)),
        When(mail_state=Delivery.State.REFUSED, then=Value(Status.MAIL_REFUSED)),
        default=Value(Status.INVITED),
        output_field=models.CharField(),
    )
