"""Companies, their directories and projects, and what a template gives on them."""

from companies.models.company import AnyUser, Company, OwnedByCompany
from companies.models.directory import Membership, Vendor
from companies.models.grants import ProjectMembership
from companies.models.projects import Bookmark, Project
from companies.models.templates import HandOut, PermissionLevel, PermissionTemplate

__all__ = [
    "AnyUser",
    "Bookmark",
    "Company",
    "HandOut",
    "Membership",
    "OwnedByCompany",
    "PermissionLevel",
    "PermissionTemplate",
    "Project",
    "ProjectMembership",
    "Vendor",
]
