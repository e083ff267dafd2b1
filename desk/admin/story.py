"""'Why can't she get in?': the page of one person, and the search that leads to it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.requests import UserRequest
from companies.admin import CompanyScopedAdmin
from companies.explanations import everywhere
from companies.models import Membership
from companies.models.grants import GrantState
from desk.status import Status
from desk.steps import LIFT, Finding, Step
from desk.story import Story
from desk.timeline import timeline

STORY = "admin:companies_membership_story"
FOUND_AT_ONCE = 20
ADMINISTRATORS_NAMED = 3
# Where an operator does what others ask for.
OPERATORS_PAGES = {
    Finding.LOG_IN_OFF: ("admin:accounts_user_change", "user_id"),
    Finding.COMPANY_CLOSED: ("admin:companies_company_change", "company_id"),
}


class StoryPages(CompanyScopedAdmin):
    """The pages of the story, beside the directory."""

    def get_urls(self) -> list[Any]:
        story = self.own("<int:pk>/story/", self.story, "story")
        return [story, *super().get_urls()]

    def story(self, request: UserRequest, pk: int) -> HttpResponse:
        """Tell what happened, why the person can't get in, and what helps."""
        entry = self.find(request, pk)
        story = Story(entry, request.user)
        return self.page(
            request,
            "desk/story.html",
            f"Why can’t {entry} get in?",
            original=entry,
            story=story,
            step=self.offer(request, story),
            moments=timeline(story),
            sections=sections(story),
            everywhere=everywhere(entry),
        )

    def why(self, request: UserRequest) -> HttpResponse:
        """Search for somebody; the only one found is told about at once."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        query = request.GET.get("q", "").strip()
        found = self.search(request, query) if query else []
        if len(found) == 1:
            return redirect(STORY, found[0].pk)
        people = [(entry, Status(entry.status).label) for entry in found]
        return self.page(
            request,
            "desk/why.html",
            "Why can’t somebody get in?",
            query=query,
            people=people[:FOUND_AT_ONCE],
            has_more=len(people) > FOUND_AT_ONCE,
        )

    def search(self, request: HttpRequest, query: str) -> list[Any]:
        """The people of the directory whom the words fit, and one more than shown.

        Found first, and read then: what is told of them is made up for no others.
        """
        rows = self.scope(Membership.objects.all(), request)
        found, _ = self.get_search_results(request, rows, query)
        keys = list(found.values_list("pk", flat=True)[: FOUND_AT_ONCE + 1])
        return list(self.entries(request).filter(pk__in=keys))

    def entries(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With the status of each."""
        entries = self.get_queryset(request)
        return self.with_details(entries.select_related("company", "template", "user"))

    def offer(self, request: UserRequest, story: Story) -> dict[str, Any]:
        """The next step: a button for who may take it; for others, whom to ask."""
        entry, step = story.entry, story.finding.step
        offered: dict[str, Any] = {"label": step.label}
        page = OPERATORS_PAGES.get(story.finding)
        if page and request.user.is_superuser:
            name, column = page
            url = reverse(name, args=[getattr(entry, column)])
            return {"label": "Open and switch on again", "url": url}
        if not step.permission:
            return offered
        if not self.may_take(request, step.permission, entry):
            return offered | {"ask": administrators(entry)}
        if step.action in self.get_actions(request):
            return offered | {"action": step.action}
        return offered | {"url": where(step, entry)}

    def may_take(self, request: UserRequest, permission: str, entry: Any) -> bool:
        """Whether the reader may take a step that asks for this permission."""
        if permission == "change":
            return self.has_change_permission(request, entry)
        may_invite = request.user.has_perm("companies.invite_membership", entry)
        return self.has_invite_permission(request) and may_invite


def where(step: Step, entry: Membership) -> str:
    """The page on which a step is taken: of a suspension the list of their grants."""
    if step == LIFT:
        query = {"membership__id__exact": entry.pk, "state": GrantState.SUSPENDED}
        return reverse("admin:companies_projectmembership_changelist", query=query)
    return reverse("admin:companies_membership_change", args=[entry.pk])


def sections(story: Story) -> list[tuple[str, list[Any]]]:
    """The projects that are seen today, and those that are not, with the reasons."""
    rows = story.projects
    return [
        ("Sees today", [row for row in rows if row[1].is_open]),
        ("Does not see today", [row for row in rows if not row[1].is_open]),
    ]


def administrators(entry: Membership) -> list[Membership]:
    """Whom to ask for what one may not do oneself."""
    keepers = Membership.objects.keepers().filter(company=entry.company_id)
    return list(keepers.select_related("user")[:ADMINISTRATORS_NAMED])
