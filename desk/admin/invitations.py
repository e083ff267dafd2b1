"""The invitations of a company: what was sent, and what became of it."""

from typing import Any

from django.contrib import admin
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


@admin.register(Invitation)
class InvitationAdmin(ProgressPages, RepairPages):
    """To be read: the verbs are in the directory."""

    list_display = [
        "membership",
        "sent_to",
        "state",
        "version",
        "sent_at",
        "expires_at",
    ]
    list_filter = ["state"]
    list_select_related = ["company", "membership__user"]
    search_fields = ["sent_to"]  # with what the directory is searched by
    search_help_text = "Search by name, e-mail address or firm."
    fields = [
        "membership",
        "sent_to",
        "inviter",
        "state",
        "version",
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
