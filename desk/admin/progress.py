"""What becomes of the mails of one sending, while one looks."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from companies.admin import CompanyScopedAdmin
from invitations.models import Delivery
from invitations.models.delivery import DeliveryQuerySet
from invitations.models.sending import Sending

State = Delivery.State
# What a reader of a sending tells apart; being sent is on its way too.
GROUPS = {
    "waiting": ("On their way", [State.QUEUED, State.SENDING]),
    "deferred": ("To be tried again", [State.DEFERRED]),
    "refused": ("Refused by the mail server", [State.REFUSED]),
    "accepted": ("Accepted by the mail server", [State.ACCEPTED]),
    "dropped": ("Not sent, no longer needed", [State.DROPPED]),
}


def on_their_way(sending: Sending, one: str, many: str) -> str:
    """Say how many mails are, and where one sees it; nothing where none is.

    Args:
        one: the sentence for a single one.
        many: what follows the number of several.
    """
    count = len(sending.sent)
    if not count:
        return ""
    done = one if count == 1 else f"{count} {many}"
    url = reverse("admin:invitations_invitation_progress", args=[sending.batch])
    them = "it" if count == 1 else "them"
    return format_html('{} <a href="{}">See {} arrive</a>', done, url, them)


@dataclass(frozen=True)
class Progress:
    """How far one sending has come."""

    counts: dict[str, int]  # of each group

    @classmethod
    def of(cls, mails: DeliveryQuerySet) -> Self:
        rows = mails.order_by().values_list("state").annotate(Count("pk"))
        by_state: dict[str, int] = dict(rows)
        return cls(
            {
                key: sum(by_state.get(state, 0) for state in states)
                for key, (_, states) in GROUPS.items()
            }
        )

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def settled(self) -> int:
        return self.total - self.counts["waiting"] - self.counts["deferred"]

    @property
    def is_settled(self) -> bool:
        return self.settled == self.total

    @property
    def groups(self) -> list[tuple[str, str, int]]:
        return [(key, GROUPS[key][0], count) for key, count in self.counts.items()]


class ProgressPages(CompanyScopedAdmin):
    """The page of a sending, beside the list of invitations."""

    def get_urls(self) -> list[Any]:
        progress = self.own("progress/<uuid:batch>/", self.progress, "progress")
        return [progress, *super().get_urls()]

    def progress(self, request: HttpRequest, batch: UUID) -> HttpResponse:
        """What has become of the mails of one sending; it renews itself until all is
        settled (static/live.js)."""
        mails = Delivery.objects.filter(
            batch=batch, invitation__in=self.get_queryset(request)
        )
        progress = Progress.of(mails)
        if not (progress.total and self.has_view_permission(request)):
            raise Http404
        shown = request.GET.get("state", "")
        if shown in GROUPS:
            mails = mails.filter(state__in=GROUPS[shown][1])
        rows = mails.select_related("invitation__membership__user").order_by("pk")
        pages = self.get_paginator(request, rows, self.list_per_page)
        return self.page(
            request,
            "desk/progress.html",
            "Progress of the invitations",
            progress=progress,
            shown=shown,
            mails=pages.get_page(request.GET.get("p")),
        )
