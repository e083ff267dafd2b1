"""The invitations of a company: what was sent, and what became of it."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join

from audit.admin import SEARCH_LENGTH
from companies.desk import desk_company
from companies.models import Membership
from desk.admin.progress import ProgressPages
from desk.admin.repair import RepairPages
from invitations.models import Invitation

State = Invitation.State


class InvitationState(models.TextChoices):
    """What a reader tells apart: a pending invitation may need something."""

    OPEN = "open", "Open"
    NEEDS_CONFIRMATION = "needs_confirmation", "Needs confirmation"
    EXPIRED = "expired", "Expired"
    ACCEPTED = State.ACCEPTED.value, "Accepted"
    REVOKED = State.REVOKED.value, "Revoked"
    DECLINED = State.DECLINED.value, "Declined"

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationState":
        if invitation.state != State.PENDING:
            return cls(invitation.state)
        if invitation.held_at:
            return cls.NEEDS_CONFIRMATION
        return cls.EXPIRED if invitation.is_expired else cls.OPEN

    def condition(self, now: datetime) -> Q:
        """The same for a query."""
        pending, held = Q(state=State.PENDING), Q(held_at__isnull=False)
        expired = Q(expires_at__lte=now)
        match self:
            case InvitationState.OPEN:
                return pending & ~held & ~expired
            case InvitationState.NEEDS_CONFIRMATION:
                return pending & held
            case InvitationState.EXPIRED:
                return pending & ~held & expired
        return Q(state=self.value)


class InvitationStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(InvitationState.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        if wanted not in InvitationState.values:
            return queryset
        return queryset.filter(InvitationState(wanted).condition(timezone.now()))


@admin.register(Invitation)
class InvitationAdmin(ProgressPages, RepairPages):
    """To be read: the verbs are in the directory."""

    list_display = [
        "membership",
        "sent_to",
        "standing",
        "sent_at",
        "expires_at",
    ]
    list_filter = [InvitationStateFilter]
    list_select_related = ["company", "membership__user"]
    search_fields = ["sent_to"]  # with what the directory is searched by
    search_help_text = "Search by name, e-mail address or firm."
    fields = [
        "membership",
        "sent_to",
        "inviter",
        "standing",
        "sent_at",
        "expires_at",
        "settled_at",
        "held_at",
        "new_link_asked_at",
        "mails",
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> Any:
        """By the person; the address of a version is nearly always theirs."""
        term = search_term[:SEARCH_LENGTH].strip()
        if not term:
            return queryset, False
        people = Membership.objects.matching(term, desk_company(request))
        found = queryset.filter(membership__in=people.order_by().values("pk"))
        return found, False

    @admin.display(description="state", ordering="state")
    def standing(self, invitation: Invitation) -> str:
        return str(InvitationState.of(invitation).label)

    @admin.display(description="invited by")
    def inviter(self, invitation: Invitation) -> str:
        return invitation.inviter or "the operator"

    @admin.display(description="mails")
    def mails(self, invitation: Invitation) -> str:
        return format_html_join(
            "",
            "<div>{}: {} {}</div>",
            (
                (
                    date_format(timezone.localtime(mail.created_at), "DATETIME_FORMAT"),
                    mail.get_state_display(),
                    mail.reason,
                )
                for mail in invitation.deliveries.all()
            ),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
