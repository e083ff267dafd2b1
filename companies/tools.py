"""The tools of a company and of a project, the levels on them, and the shipped set."""

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


TOOLS: dict[str, type[models.TextChoices]] = {
    Scope.COMPANY: CompanyTool,
    Scope.PROJECT: ProjectTool,
}

COMPANY_ADMINISTRATOR = "Company Administrator"
MEMBER = "Member"

# What a new company begins with: name, scope, the level on all tools, and exceptions.
SHIPPED: list[tuple[str, Scope, Level, dict[str, Level]]] = [
    (COMPANY_ADMINISTRATOR, Scope.COMPANY, Level.ADMIN, {}),
    (MEMBER, Scope.COMPANY, Level.NONE, {CompanyTool.PORTFOLIO: Level.READ_ONLY}),
    (
        "Project Manager – Internal",
        Scope.PROJECT,
        Level.ADMIN,
        {},
    ),
    (
        "Foreman/Superintendent – Internal",
        Scope.PROJECT,
        Level.STANDARD,
        {
            ProjectTool.DIRECTORY: Level.READ_ONLY,
            ProjectTool.BUDGET: Level.NONE,
            ProjectTool.COMMITMENTS: Level.NONE,
            ProjectTool.CHANGE_ORDERS: Level.READ_ONLY,
        },
    ),
    (
        "Architect/Engineer – External",
        Scope.PROJECT,
        Level.READ_ONLY,
        {
            ProjectTool.RFIS: Level.STANDARD,
            ProjectTool.SUBMITTALS: Level.STANDARD,
            ProjectTool.BUDGET: Level.NONE,
            ProjectTool.COMMITMENTS: Level.NONE,
            ProjectTool.CHANGE_ORDERS: Level.NONE,
            ProjectTool.INCIDENTS: Level.NONE,
        },
    ),
    ("Owner/Client – External", Scope.PROJECT, Level.READ_ONLY, {}),
    (
        "Subcontractor – External",
        Scope.PROJECT,
        Level.NONE,
        {
            ProjectTool.HOME: Level.READ_ONLY,
            ProjectTool.DIRECTORY: Level.READ_ONLY,
            ProjectTool.DOCUMENTS: Level.READ_ONLY,
            ProjectTool.DRAWINGS: Level.READ_ONLY,
            ProjectTool.RFIS: Level.STANDARD,
            ProjectTool.SUBMITTALS: Level.STANDARD,
            ProjectTool.SCHEDULE: Level.READ_ONLY,
            ProjectTool.DAILY_LOG: Level.STANDARD,
            ProjectTool.PHOTOS: Level.STANDARD,
            ProjectTool.PUNCH_LIST: Level.STANDARD,
            ProjectTool.MEETINGS: Level.READ_ONLY,
        },
    ),
]
