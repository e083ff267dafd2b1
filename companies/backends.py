"""May this user …? One answer for pages, the admin and other apps."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db import models

from companies.access import Access
from companies.models import (
    Company,
    Membership,
    OwnedByCompany,
    Project,
    ProjectMembership,
)
from companies.tools import Scope, read_permission

# An account that was made with a first password enters no desk until it is proven (S6).
AT_THE_DESK = {
    "companies.administer_company",
    "companies.invite_membership",
    "companies.add_membership",
    "companies.add_projectmembership",
}


class PermissionBackend(BaseBackend):
    """Answers `user.has_perm(permission, row)`; it authenticates nobody.

    | permission | row |
    |---|---|
    | `companies.view_company` | a company that the person may pick |
    | `companies.administer_company` | a company whose directory the person keeps |
    | `companies.invite_membership` | an entry whose templates the person may hand out |
    | `companies.add_membership` | an entry whose template the person may give |
    | `companies.add_projectmembership` | a grant that the person may hand out |
    | `companies.view_project` | a project that was granted, or that they administer |
    | `companies.standard_rfis` and the like | a project: at least Standard on RFIs |
    | `companies.admin_reports` and the like | a company: at least Admin on Reports |

    Operators may do everything: Django asks no backend about them.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active or not isinstance(obj, models.Model):
            return False
        if isinstance(obj, Company):
            allowed = allows_in_company(Access.of(user_obj, obj.pk), perm)
        elif isinstance(obj, OwnedByCompany):
            allowed = allows(Access.of(user_obj, obj.company_id), perm, obj)
        else:
            return False
        return allowed and (perm not in AT_THE_DESK or user_obj.is_proven)


def allows_in_company(access: Access, perm: str) -> bool:
    match perm:
        case "companies.view_company":
            return access.is_member
        case "companies.administer_company":
            return access.is_administrator
    return holds(perm, Scope.COMPANY, access.on_company)


def allows(access: Access, perm: str, row: OwnedByCompany) -> bool:
    match perm, row:
        case "companies.invite_membership", Membership():
            return access.may_invite(row)
        case "companies.add_membership", Membership():
            return access.may_add(row.template)
        case "companies.add_projectmembership", ProjectMembership():
            return access.may_grant(row.template, row.project)
        case "companies.view_project", Project():
            return access.reaches(row)
        case _, Project():
            return holds(perm, Scope.PROJECT, partial(access.on_project, row))
    return False


def holds(perm: str, scope: Scope, level_on: Callable[[str], int]) -> bool:
    """Whether the permission names a tool of this scope, and the level is reached."""
    wanted = read_permission(scope, perm)
    return wanted is not None and level_on(wanted[0]) >= wanted[1]
