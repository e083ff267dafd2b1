"""Why somebody has the level that they have, in words, without acting as them."""

from dataclasses import dataclass
from datetime import date

from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.formats import date_format

from companies.models import Membership, Project, ProjectMembership
from companies.models.templates import effective
from companies.tools import TOOLS, Level, Scope

# Of so many projects one reads the level on each tool, of more a sentence for each.
EXPLAINED_AT_ONCE = 50


@dataclass(frozen=True)
class Explanation:
    """The level on one tool of a project, and the reason for it."""

    level: Level
    reason: str

    def __str__(self) -> str:
        return f"{self.level.label}: {self.reason}"


class Explainer:
    """Explains an entry's levels on a project, tool by tool.

    Args:
        grant: the entry's grant on the project, if there is one.
    """

    def __init__(
        self,
        entry: Membership,
        project: Project,
        grant: ProjectMembership | None,
        today: date | None = None,
    ) -> None:
        self.entry = entry
        self.grant = grant
        self.today = today or timezone.localdate()
        self.obstacle = obstacle(entry, project)
        self.is_administrator = entry.template.makes_administrator
        self.given = effective(grant.template.level_of()) if grant else {}

    @classmethod
    def of(cls, entry: Membership, project: Project) -> "Explainer":
        grants = ProjectMembership.objects.filter(membership=entry, project=project)
        return cls(entry, project, grants.select_related("template").first())

    def explain(self, tool: str) -> Explanation:
        """Say the level on a tool, and why."""
        if self.obstacle:
            return Explanation(Level.NONE, self.obstacle)
        if self.is_administrator:
            reason = f"company administrator by template {self.entry.template}"
            return Explanation(Level.ADMIN, reason)
        if self.grant is None:
            return Explanation(Level.NONE, "not on this project")
        level = Level(self.given[tool])
        reason = f"by template {self.grant.template}{days(self.grant)}"
        if ended := self.why_not_in_force(self.grant):
            return Explanation(Level.NONE, f"{level.label} {reason}; {ended}")
        return Explanation(level, reason)

    def explain_all(self) -> list[tuple[str, Explanation]]:
        return [
            (tool.label, self.explain(key))
            for key, tool in TOOLS[Scope.PROJECT].items()
        ]

    def why_not_in_force(self, grant: ProjectMembership) -> str:
        if grant.suspended_at:
            since = spoken(timezone.localdate(grant.suspended_at))
            return f"suspended since {since}: {grant.suspension_reason}"
        if grant.starts_on and grant.starts_on > self.today:
            return "it has not begun"
        return "it is over" if grant.ends_on and grant.ends_on < self.today else ""

    @property
    def is_open(self) -> bool:
        """Whether the person sees the project at all today."""
        if self.obstacle:
            return False
        if self.is_administrator:
            return True
        return self.grant is not None and not self.why_not_in_force(self.grant)

    @property
    def summary(self) -> str:
        """What holds for all tools of the project, in a sentence."""
        if self.obstacle:
            return f"No access: {self.obstacle}."
        if self.is_administrator:
            return f"Admin on all tools: {self.explain('').reason}."
        if self.grant is None:
            return "No access: not on this project."
        words = f"{self.grant.template}{days(self.grant)}"
        if ended := self.why_not_in_force(self.grant):
            return f"No access now: {words}; {ended}."
        return f"{words}."


def explain_grants(entry: Membership) -> list[tuple[Project, Explainer]]:
    """All projects that an entry was ever put on, each with its explanation."""
    prefetch_related_objects([entry], "template__levels", "company", "user")
    grants = entry.project_memberships.select_related(
        "project__company", "template"
    ).prefetch_related("template__levels")
    return [
        (grant.project, Explainer(entry, grant.project, grant))
        for grant in grants.order_by("project__name", "pk")
    ]


def obstacle(entry: Membership, project: Project) -> str:
    """What keeps the person from everything in the company or on the project."""
    if not entry.company.is_active:
        return "the company is not active"
    if not project.is_active:
        return "the project is not active"
    if entry.user is None:
        return "the person has not joined yet"
    if not entry.user.is_active:
        return "the person’s log-in is switched off"
    return "" if entry.is_active else "the entry in the directory is not active"


def days(grant: ProjectMembership) -> str:
    first, last = grant.starts_on, grant.ends_on
    if first and last:
        return f", from {spoken(first)} to {spoken(last)}"
    if first:
        return f", from {spoken(first)}"
    return f", until {spoken(last)}" if last else ""


def spoken(day: date) -> str:
    return date_format(day, "j F Y")
