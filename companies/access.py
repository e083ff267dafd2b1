"""What one person may do in one company: loaded once a request, then looked up.

The querysets `visible_to` and `with_level` say the same in SQL; both are made of
companies/conditions.py, and tests/companies/test_access.py compares them.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Self

from django.db.models import FilteredRelation, QuerySet
from django.utils import timezone

from accounts.models import User
from companies.conditions import in_force
from companies.models import (
    HandOut,
    Membership,
    PermissionLevel,
    PermissionTemplate,
    Project,
)
from companies.tools import CompanyTool, Level

DIRECTORY = CompanyTool.DIRECTORY.value  # a project's Directory has the same key

# These two queries are only ever filtered: making them anew for each request would take
# a third of the time that the first question takes.
LEVELS = PermissionLevel.objects.values_list("template", "tool", "level")


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
        held = LEVELS.filter(template__in={rows[0][0], *granted.values()})
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
        """The level that a held template gives: Admin on Directory is Admin on all."""
        levels = self.levels.get(template or 0, {})
        if levels.get(DIRECTORY) == Level.ADMIN:
            return Level.ADMIN
        return levels.get(tool, Level.NONE)

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
        held = self.granted.get(project.pk) if project else self.template
        if not HandOut.objects.filter(giver=held, given=given).exists():
            return False
        return all(
            level <= self.level_in(held, tool)
            for tool, level in given.level_of().items()
        )

    def may_add(self, given: PermissionTemplate) -> bool:
        """Whether this person may bring somebody in with a company template."""
        return self.on_company(DIRECTORY) >= Level.STANDARD and self.may_hand_out(given)
