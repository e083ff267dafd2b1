"""The conditions that decide who reaches what: each is said once, here.

Most take a prefix, so that a query of any table can ask it of the rows that it joins.
"""

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.db.models import BigIntegerField, Q, Value
from django.db.models.functions import Cast

from companies.tools import TOOLS, CompanyTool, Level, ProjectTool, Scope

if TYPE_CHECKING:
    from companies.models import Company


def of_company(company: "Company") -> Q:
    """A row of this company.

    Its number says its type: PostgreSQL takes a bare one for an int4, and then passes
    over the index for searching, in which the company is a bigint.
    """
    return Q(company=Cast(Value(company.pk), BigIntegerField()))


def current(prefix: str = "") -> Q:
    """An entry whose person has joined, and that nobody has deactivated."""
    return Q((f"{prefix}is_active", True), (f"{prefix}user__is_active", True))


def on_directory(level: int, prefix: str = "") -> Q:
    """A current entry with at least this level on the company's Directory.

    Admin on it makes a company administrator.
    """
    template = f"{prefix}template__"
    return current(prefix) & Q(
        (f"{template}scope", Scope.COMPANY),
        (f"{template}levels__tool", CompanyTool.DIRECTORY),
        (f"{template}levels__level__gte", level),
    )


def in_force(day: date, prefix: str = "") -> Q:
    """A grant that holds on a day: within its days, both included, not suspended."""
    return (
        (Q((f"{prefix}starts_on", None)) | Q((f"{prefix}starts_on__lte", day)))
        & (Q((f"{prefix}ends_on", None)) | Q((f"{prefix}ends_on__gte", day)))
        & Q((f"{prefix}suspended_at", None))
    )


def level_given(levels: Mapping[str, int], tool: str) -> int:
    """The level that a template gives on a tool: Admin on Directory is Admin on all.

    The Directories of companies and of projects have one key.
    """
    if levels.get(ProjectTool.DIRECTORY) == Level.ADMIN:
        return Level.ADMIN
    return levels.get(tool, Level.NONE)


def of_known_tool() -> Q:
    """A level on a tool that is there: those on a removed app's tools say nothing."""
    known = (
        Q(template__scope=scope, tool__in=list(tools)) for scope, tools in TOOLS.items()
    )
    return reduce(or_, known)


def gives(tool: str, level: int) -> Q:
    """The same asked of a row of a project template: at least this level on a tool."""
    return Q(tool=tool, level__gte=level) | Q(
        tool=ProjectTool.DIRECTORY, level=Level.ADMIN
    )
