"""The tools of a company and of a project, the levels on them, and the shipped sets.

A further app of the same site brings tools of its own by calling `register` in its
AppConfig's `ready`: see docs/permissions.md.
"""

from dataclasses import dataclass
from typing import NamedTuple

from django.db import models


class Level(models.IntegerChoices):
    """What somebody may do with a tool; each level includes those below it."""

    NONE = 0, "None"
    READ_ONLY = 1, "Read Only"
    STANDARD = 2, "Standard"
    ADMIN = 3, "Admin"


class Scope(models.TextChoices):
    """Whether a template speaks of the company's tools or of a project's."""

    COMPANY = "company", "Company"
    PROJECT = "project", "Project"


class CompanyTool(models.TextChoices):
    DIRECTORY = "directory", "Directory"
    PORTFOLIO = "portfolio", "Portfolio"
    PERMISSIONS = "permissions", "Permissions"
    ADMIN = "admin", "Admin"
    REPORTS = "reports", "Reports"


class ProjectTool(models.TextChoices):
    HOME = "home", "Home"
    DIRECTORY = "directory", "Directory"
    DOCUMENTS = "documents", "Documents"
    DRAWINGS = "drawings", "Drawings"
    RFIS = "rfis", "RFIs"
    SUBMITTALS = "submittals", "Submittals"
    SCHEDULE = "schedule", "Schedule"
    DAILY_LOG = "daily_log", "Daily Log"
    PHOTOS = "photos", "Photos"
    PUNCH_LIST = "punch_list", "Punch List"
    MEETINGS = "meetings", "Meetings"
    BUDGET = "budget", "Budget"
    COMMITMENTS = "commitments", "Commitments"
    CHANGE_ORDERS = "change_orders", "Change Orders"
    INSPECTIONS = "inspections", "Inspections"
    INCIDENTS = "incidents", "Incidents"


@dataclass(frozen=True)
class Tool:
    """Something that a level is given on, and the app whose permissions speak of it."""

    key: str
    label: str
    app_label: str = "companies"


BUILT_IN: dict[str, type[models.TextChoices]] = {
    Scope.COMPANY: CompanyTool,
    Scope.PROJECT: ProjectTool,
}
TOOLS: dict[str, dict[str, Tool]] = {
    scope: {choice.value: Tool(choice.value, str(choice.label)) for choice in choices}
    for scope, choices in BUILT_IN.items()
}
KEY_LENGTH = 50


def register(scope: Scope, tool: Tool) -> None:
    """Add a tool: every template can give a level on it, and begins with None.

    Raises:
        ValueError: when the key is taken, too long to be stored, or can't stand in a
            permission's name.
    """
    is_name = tool.key.isidentifier() and len(tool.key) <= KEY_LENGTH
    if not is_name or tool.key in TOOLS[scope]:
        raise ValueError(f"The tool {tool.key!r} can't be registered for the {scope}.")
    TOOLS[scope][tool.key] = tool


def permission(level: Level, tool: str, app_label: str = "companies") -> str:
    """The name of the permission 'at least this level on this tool'."""
    return f"{app_label}.{level.name.lower()}_{tool}"


def read_permission(scope: str, name: str) -> tuple[str, Level] | None:
    """Read what `permission` wrote: the tool and the level; None if it says neither."""
    app_label, _, codename = name.partition(".")
    for level in (Level.READ_ONLY, Level.STANDARD, Level.ADMIN):
        tool = TOOLS[scope].get(codename.removeprefix(f"{level.name.lower()}_"))
        if tool and name == permission(level, tool.key, app_label):
            return (tool.key, level) if tool.app_label == app_label else None
    return None


# What a new template begins with; all else is at None.
FIRST_LEVELS: dict[str, dict[str, Level]] = {
    Scope.COMPANY: {CompanyTool.PORTFOLIO: Level.READ_ONLY},
    Scope.PROJECT: {ProjectTool.HOME: Level.READ_ONLY},
}


# The shipped sets -------------------------------------------------------------


class CompanyKind(models.TextChoices):
    """What a company does; it decides with which templates it begins."""

    GENERAL_CONTRACTOR = "general_contractor", "General contractor"
    ARCHITECT = "architect", "Architect or engineer"
    OWNER = "owner", "Owner"
    SUBCONTRACTOR = "subcontractor", "Subcontractor"


class Shipped(NamedTuple):
    """A template that new companies begin with: one level on all built-in tools,
    exceptions, and the templates that its holders may hand out."""

    name: str
    scope: Scope
    level: Level
    exceptions: dict[str, Level] = {}
    hands_out: tuple[str, ...] = ()


COMPANY_ADMINISTRATOR = "Company Administrator"
COORDINATOR = "Coordinator"
MEMBER = "Member"
PROJECT_MANAGER = "Project Manager – Internal"
FOREMAN = "Foreman/Superintendent – Internal"
ARCHITECT = "Architect/Engineer – External"
OWNER = "Owner/Client – External"
SUBCONTRACTOR = "Subcontractor – External"

NO_MONEY: dict[str, Level] = {
    ProjectTool.BUDGET: Level.NONE,
    ProjectTool.COMMITMENTS: Level.NONE,
    ProjectTool.CHANGE_ORDERS: Level.NONE,
}
ON_SITE: dict[str, Level] = {
    ProjectTool.RFIS: Level.STANDARD,
    ProjectTool.SUBMITTALS: Level.STANDARD,
    ProjectTool.DAILY_LOG: Level.STANDARD,
    ProjectTool.PHOTOS: Level.STANDARD,
    ProjectTool.PUNCH_LIST: Level.STANDARD,
}

COMPANY_TEMPLATES = [
    Shipped(COMPANY_ADMINISTRATOR, Scope.COMPANY, Level.ADMIN),
    Shipped(
        COORDINATOR,
        Scope.COMPANY,
        Level.NONE,
        {
            CompanyTool.DIRECTORY: Level.STANDARD,
            CompanyTool.PORTFOLIO: Level.READ_ONLY,
        },
        (MEMBER,),
    ),
    Shipped(
        MEMBER, Scope.COMPANY, Level.NONE, {CompanyTool.PORTFOLIO: Level.READ_ONLY}
    ),
]
OUTSIDE = [
    Shipped(
        ARCHITECT,
        Scope.PROJECT,
        Level.READ_ONLY,
        {
            **NO_MONEY,
            ProjectTool.RFIS: Level.STANDARD,
            ProjectTool.SUBMITTALS: Level.STANDARD,
            ProjectTool.INCIDENTS: Level.NONE,
        },
    ),
    Shipped(OWNER, Scope.PROJECT, Level.READ_ONLY),
    Shipped(
        SUBCONTRACTOR,
        Scope.PROJECT,
        Level.READ_ONLY,
        {
            **NO_MONEY,
            **ON_SITE,
            ProjectTool.INSPECTIONS: Level.NONE,
            ProjectTool.INCIDENTS: Level.NONE,
        },
    ),
]


def inside(lead: str, crew: str) -> list[Shipped]:
    """The templates of a company's own people: who leads a project, and who works."""
    everybody_outside = tuple(each.name for each in OUTSIDE)
    return [
        Shipped(lead, Scope.PROJECT, Level.ADMIN, {}, (lead, crew, *everybody_outside)),
        Shipped(
            crew,
            Scope.PROJECT,
            Level.STANDARD,
            {
                ProjectTool.DIRECTORY: Level.READ_ONLY,
                ProjectTool.BUDGET: Level.NONE,
                ProjectTool.COMMITMENTS: Level.NONE,
                ProjectTool.CHANGE_ORDERS: Level.READ_ONLY,
            },
            (SUBCONTRACTOR,),
        ),
    ]


SHIPPED: dict[str, list[Shipped]] = {
    kind: COMPANY_TEMPLATES + inside(lead, crew) + OUTSIDE
    for kind, lead, crew in (
        (CompanyKind.GENERAL_CONTRACTOR, PROJECT_MANAGER, FOREMAN),
        (CompanyKind.ARCHITECT, "Lead Architect – Internal", "Architect – Internal"),
        (CompanyKind.OWNER, "Owner’s Representative – Internal", "Clerk – Internal"),
        (CompanyKind.SUBCONTRACTOR, PROJECT_MANAGER, FOREMAN),
    )
}
