"""What one person may do in one company: loaded once a request, then looked up.

The querysets `visible_to` and `with_level` say the same in SQL; both are made of
companies/conditions.py, and tests/companies/test_access.py compares them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, Self

from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from companies.conditions import in_force, level_given, of_known_tool
from companies.models import (
    HandOut,
    Membership,
    PermissionLevel,
    PermissionTemplate,
    Project,
    ProjectMembership,
)
from companies.tools import CompanyTool, Level, Scope

DIRECTORY = CompanyTool.DIRECTORY.value


# These two queries are only ever filtered: making them anew for each request would take
# a third of the time that the first question takes.
@lru_cache(maxsize=1)
def all_levels() -> QuerySet[PermissionLevel, Any]:
    return PermissionLevel.objects.values_list("template", "tool", "level")


@lru_cache(maxsize=1)
def grants_on(day: date) -> QuerySet[Membership, Any]:
    """Current entries with the grants that hold on a day, kept for that day.

    Each row is the entry's template, the project and its template; an entry without
    grants gives one row.
    """
    condition = in_force(day, "project_memberships__")
    grant = FilteredRelation("project_memberships", condition=condition)
    entries = Membership.objects.current().filter(company__is_active=True)
    columns = entries.order_by().annotate(grant=grant)
    return columns.values_list("template", "grant__project", "grant__template")


@dataclass(frozen=True)
class Access:
    """The grants of a person in a company that hold today.

    Somebody without a place there has no template, and so no level on anything.
    """

    is_operator: bool
    template: int | None
    granted: dict[int, int]  # project → template
    levels: dict[int, dict[str, int]]  # template → tool → level

    @classmethod
    def of(cls, user: User, company_id: int) -> Self:
        """Load it with the first question of a request, in two queries.

        It is kept with the user, whom each request loads anew: a change counts at the
        next request, in every process (T35).
        """
        key = cls, company_id
        if key not in user.kept:
            user.kept[key] = cls.load(user, company_id)
        access: Self = user.kept[key]
        return access

    @classmethod
    def load(cls, user: User, company_id: int) -> Self:
        if user.is_superuser:
            return cls(user.is_active, None, {}, {})
        grants = grants_on(timezone.localdate())
        rows = list(grants.filter(user=user.pk, company=company_id))
        if not rows:
            return cls(False, None, {}, {})
        granted = {project: template for _, project, template in rows if project}
        levels: dict[int, dict[str, int]] = defaultdict(dict)
        held = all_levels().filter(template__in={rows[0][0], *granted.values()})
        for template, tool, level in held:
            levels[template][tool] = level
        return cls(False, rows[0][0], granted, levels)

    @property
    def is_member(self) -> bool:
        return self.template is not None

    @property
    def is_administrator(self) -> bool:
        """Whether they have Admin on the company's Directory."""
        return self.on_company(DIRECTORY) == Level.ADMIN

    def level_in(self, template: int | None, tool: str) -> int:
        """The level that a held template gives; without one, none."""
        return level_given(self.levels.get(template or 0, {}), tool)

    def on_company(self, tool: str) -> int:
        return Level.ADMIN if self.is_operator else self.level_in(self.template, tool)

    def on_project(self, project: Project, tool: str) -> int:
        """The level on a tool of an active project."""
        if not self.reaches(project):
            return Level.NONE
        if self.is_administrator:
            return Level.ADMIN
        return self.level_in(self.granted[project.pk], tool)

    def reaches(self, project: Project) -> bool:
        return self.is_operator or (
            project.is_active and (self.is_administrator or project.pk in self.granted)
        )

    def granted_with(self, tool: str, level: int) -> Iterator[int]:
        """The granted projects with at least this level on a tool, active or not."""
        held = {key for key in self.levels if self.level_in(key, tool) >= level}
        return (key for key, template in self.granted.items() if template in held)

    def may_hand_out(
        self, given: PermissionTemplate, project: Project | None = None
    ) -> bool:
        """Whether this person may give a template to somebody (T44).

        It has to be on the list of the template that they hold, and no level in it
        above their own: on the company's tools, or on those of the project that it is
        for. Company administrators may give all.
        """
        if self.is_administrator:
            return True
        if project and not project.is_active:  # where nobody else has a level
            return False
        held = self.granted.get(project.pk) if project else self.template
        return given.pk in self.hand_outs[held or 0]

    def may_add(self, given: PermissionTemplate) -> bool:
        """Whether this person may bring somebody in with a company template."""
        return self.on_company(DIRECTORY) >= Level.STANDARD and self.may_hand_out(given)

    def may_grant(self, given: PermissionTemplate, project: Project) -> bool:
        """Whether this person may put somebody on a project with a template.

        Their level on the project alone opens no desk to do it at (T34).
        """
        works_here = self.on_company(DIRECTORY) >= Level.STANDARD
        return works_here and self.may_hand_out(given, project)

    @cached_property
    def hand_outs(self) -> dict[int, set[int]]:
        """What a holder of each held template may give: on its list, and not above.

        Asked once, in two queries, whatever the number of templates.
        """
        held = {self.template or 0, *self.granted.values()}
        pairs = HandOut.objects.filter(giver__in=held).values_list("giver", "given")
        above: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for given, tool, level in all_levels().filter(
            of_known_tool(), template__handed_out_by__giver__in=held
        ):
            above[given].append((tool, level))
        hand_outs: dict[int, set[int]] = defaultdict(set)
        for giver, given in pairs:
            if all(level <= self.level_in(giver, tool) for tool, level in above[given]):
                hand_outs[giver].add(given)
        return hand_outs

    def offered(
        self, templates: QuerySet[PermissionTemplate]
    ) -> QuerySet[PermissionTemplate]:
        """Of a company's templates those that this person may give, here or there."""
        if self.is_administrator:
            return templates
        return templates.filter(pk__in=set().union(*self.hand_outs.values()))

    def offered_on(self, project: Project) -> QuerySet[PermissionTemplate]:
        """Those that this person may give on a project."""
        templates = PermissionTemplate.objects.filter(
            Q(project=None) | Q(project=project),
            company=project.company_id,
            scope=Scope.PROJECT,
        )
        keys = [each.pk for each in templates if self.may_hand_out(each, project)]
        return templates.filter(pk__in=keys)

    def given_on(self, projects: QuerySet[Project]) -> QuerySet[Project]:
        """Of a company's projects those on which this person may give a template."""
        if self.is_administrator:
            return projects
        keys = [key for key, held in self.granted.items() if self.hand_outs[held]]
        return projects.filter(pk__in=keys, is_active=True)

    def may_invite(self, entry: Membership) -> bool:
        if self.is_administrator:
            return True
        return self.invitable(Membership.objects.filter(pk=entry.pk)).exists()

    def invitable(self, entries: QuerySet[Membership]) -> QuerySet[Membership]:
        """Of a company's entries those whose templates this person may give (T18b).

        What an entry holds on projects counts as well, as far as it isn't over.
        """
        if self.is_administrator:
            return entries
        if self.on_company(DIRECTORY) < Level.STANDARD:
            return entries.none()
        projects_by_held: dict[int, list[int]] = defaultdict(list)
        for project, held in self.granted.items():
            projects_by_held[held].append(project)
        given = Q(pk__in=[])
        for held, projects in projects_by_held.items():
            given |= Q(project__in=projects, template__in=self.hand_outs[held])
        grants = ProjectMembership.objects.not_over(timezone.localdate())
        others = grants.filter(membership=OuterRef("pk")).exclude(given)
        templates = self.hand_outs[self.template or 0]
        return entries.filter(~Exists(others), template__in=templates)


def answers(
    user: User, granted: Callable[[Access], Iterable[int]]
) -> Callable[[Project], bool]:
    """Make what answers one permission about any project, as long as the User lives.

    Only the first question about a company looks at templates and levels; whether a
    project is active is asked of it each time.

    Args:
        granted: on which projects of a company the person was given the permission.
    """
    known: dict[int, bool] = {}
    companies: set[int] = set()

    def find(project: Project) -> bool:
        access = Access.of(user, project.company_id)
        if project.company_id not in companies:
            companies.add(project.company_id)
            known.update(dict.fromkeys(granted(access), True))
        return known.setdefault(project.id, access.is_administrator)

    def answer(project: Project) -> bool:
        found = known.get(project.id)
        return project.is_active and (find(project) if found is None else found)

    return answer


def may_invite(user: User | None, entries: QuerySet[Membership]) -> set[int]:
    """The keys of those entries that a person may invite, each in its company.

    A command has no user, and invites whom it likes. An account that was made with a
    first password invites nobody until it is proven.
    """
    if user is None:
        return set(entries.values_list("pk", flat=True))
    if not (user.is_superuser or user.is_proven):
        return set()
    keys: set[int] = set()
    for company in entries.order_by().values_list("company", flat=True).distinct():
        own = Access.of(user, company).invitable(entries.filter(company=company))
        keys.update(own.values_list("pk", flat=True))
    return keys
