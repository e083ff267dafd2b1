"""Why somebody has the level that they have, in words, without acting as them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, Q, QuerySet, Value, When, prefetch_related_objects
from django.utils import timezone
from django.utils.formats import date_format

from companies.conditions import in_force
from companies.models import Membership, Project, ProjectMembership
from companies.models.grants import GrantState
from companies.models.templates import effective
from companies.tools import TOOLS, Level, Scope

# So many projects are explained on a page, each tool by tool.
GRANTS_PER_PAGE = 50


@dataclass(frozen=True)
class Explanation:
    """The level on one tool, and the reason for it."""

    level: Level
    reason: str

    def __str__(self) -> str:
        return f"{self.level.label}: {self.reason}"


@dataclass(frozen=True)
class Verdict:
    """What holds for all tools together.

    Args:
        levels: what the reason gives on each tool, were it not ended.
        ended: why it gives nothing today; empty while it holds.
        summary: the whole in a sentence.
    """

    levels: Mapping[str, int]
    reason: str
    summary: str
    is_open: bool = True
    ended: str = ""

    def on(self, tool: str) -> Explanation:
        level = Level(self.levels[tool])
        if self.ended:
            reason = f"{level.label} {self.reason}; {self.ended}"
            return Explanation(Level.NONE, reason)
        return Explanation(level, self.reason)


class Explainer:
    """Explains an entry's levels tool by tool, as `has_perm` would answer.

    Args:
        project: whose tools are meant; without one, the company's.
        grant: the entry's grant on the project, if there is one.
    """

    def __init__(
        self,
        entry: Membership,
        project: Project | None = None,
        grant: ProjectMembership | None = None,
    ) -> None:
        prefetch_related_objects([entry], "template__levels", "company", "user")
        self.entry = entry
        self.grant = grant
        self.scope = Scope.PROJECT if project else Scope.COMPANY
        self.obstacle = obstacle(entry, project)

    @classmethod
    def of(cls, entry: Membership, project: Project) -> "Explainer":
        grants = ProjectMembership.objects.filter(membership=entry, project=project)
        return cls(entry, project, grants.select_related("template").first())

    def explain(self, tool: str) -> Explanation:
        """Say the level on a tool, and why."""
        return self.verdict.on(tool)

    def explain_all(self) -> list[tuple[str, Explanation]]:
        tools = TOOLS[self.scope].items()
        return [(tool.label, self.verdict.on(key)) for key, tool in tools]

    @property
    def is_open(self) -> bool:
        """Whether the person sees it at all today."""
        return self.verdict.is_open

    @property
    def summary(self) -> str:
        """What holds for all tools, in a sentence."""
        return self.verdict.summary

    @cached_property
    def verdict(self) -> Verdict:
        """What decides, beginning with those whom nothing limits."""
        if self.unlimited:
            summary = f"Admin on all tools: {self.unlimited}."
            return Verdict(self.on_all(Level.ADMIN), self.unlimited, summary)
        if self.obstacle:
            return self.nothing(self.obstacle)
        if self.scope == Scope.COMPANY:
            template = self.entry.template
            levels = effective(template.level_of())
            return Verdict(levels, f"by template {template}", f"{template}.")
        if self.grant is None:
            return self.nothing("not on this project")
        return self.granted(self.grant)

    @cached_property
    def unlimited(self) -> str:
        """Why no grant limits the person; empty for those whom one does.

        Of an operator a company learns no more than that there is one (T45).
        """
        user = self.entry.user
        if user and user.is_superuser and user.is_active:
            return "by the operator of the installation"
        if self.obstacle or not self.entry.template.makes_administrator:
            return ""
        return f"company administrator by template {self.entry.template}"

    def on_all(self, level: Level) -> dict[str, int]:
        return dict.fromkeys(TOOLS[self.scope], int(level))

    def nothing(self, reason: str) -> Verdict:
        summary = f"No access: {reason}."
        return Verdict(self.on_all(Level.NONE), reason, summary, is_open=False)

    def granted(self, grant: ProjectMembership) -> Verdict:
        levels = effective(grant.template.level_of())
        words = f"{grant.template}{days(grant)}"
        if ended := why_not_in_force(grant):
            summary = f"No access now: {words}; {ended}."
        else:
            summary = f"{words}."
        return Verdict(levels, f"by template {words}", summary, not ended, ended)


def everywhere(entry: Membership) -> str:
    """What holds on all projects for somebody whom no grant limits, in a sentence.

    It is empty for everybody else.
    """
    reason = Explainer(entry).unlimited
    if not (reason and entry.user):
        return ""
    projects = Project.objects.visible_to(entry.user).filter(company=entry.company)
    active = "" if entry.user.is_superuser else "active "
    return f"Admin on all tools of all {active}projects ({projects.count()}): {reason}."


def grants_of(entry: Membership) -> QuerySet[ProjectMembership]:
    """All that an entry was ever given on projects, what is open today first."""
    is_open = in_force(timezone.localdate()) & Q(project__is_active=True)
    order = Case(When(is_open, then=Value(0)), default=Value(1))
    grants = entry.project_memberships.select_related("project__company", "template")
    return grants.order_by(order, "project__name", "pk")


def explain_grants(
    entry: Membership, grants: Iterable[ProjectMembership]
) -> list[tuple[Project, Explainer]]:
    """Explain some of the projects that an entry was ever put on."""
    rows = list(grants)
    prefetch_related_objects(rows, "template__levels")
    return [(grant.project, Explainer(entry, grant.project, grant)) for grant in rows]


def explain_page(
    entry: Membership, number: str | None, search: str = ""
) -> dict[str, Any]:
    """What a page about somebody's access shows: the company, and some projects.

    Of those whom no grant limits it says so; the others' grants are listed.
    """
    sentence = everywhere(entry)
    grants = grants_of(entry).none() if sentence else grants_of(entry)
    if search:
        found = Project.objects.filter(company=entry.company_id).matching(search)
        grants = grants.filter(project__in=found)
    page = Paginator(grants, GRANTS_PER_PAGE).get_page(number)
    return {
        "own": Explainer(entry),
        "everywhere": sentence,
        "page": page,
        "rows": explain_grants(entry, page),
    }


def obstacle(entry: Membership, project: Project | None) -> str:
    """What keeps the person from everything in the company or on the project."""
    if project and project.company_id != entry.company_id:
        return "the project is of another company"
    if not entry.company.is_active:
        return "the company is not active"
    if project and not project.is_active:
        return "the project is not active"
    if entry.user is None:
        return "the person has not joined yet"
    if not entry.user.is_active:
        return "the person’s log-in is switched off"
    return "" if entry.is_active else "the entry in the directory is not active"


def why_not_in_force(grant: ProjectMembership) -> str:
    """Why a grant lets nobody in today; empty while it does."""
    match grant.state_on(timezone.localdate()):
        case GrantState.SUSPENDED if grant.suspended_at:
            since = spoken(timezone.localdate(grant.suspended_at))
            return f"suspended since {since}: {grant.suspension_reason.rstrip('.')}"
        case GrantState.NOT_BEGUN:
            return "it has not begun"
        case GrantState.OVER:
            return "it is over"
    return ""


def days(grant: ProjectMembership) -> str:
    first, last = grant.starts_on, grant.ends_on
    if first and last:
        return f", from {spoken(first)} to {spoken(last)}"
    if first:
        return f", from {spoken(first)}"
    return f", until {spoken(last)}" if last else ""


def spoken(day: date) -> str:
    return date_format(day, "j F Y")
