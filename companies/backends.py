"""May this user …? One answer for pages, the admin and other apps."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db import models

from accounts.models import User
from companies.access import Access, answers
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
        if isinstance(obj, Project):
            return on_project(user_obj, perm, obj)
        if isinstance(obj, Company):
            allowed = in_company(Access.of(user_obj, obj.pk), perm)
        elif isinstance(obj, OwnedByCompany):
            allowed = about_row(Access.of(user_obj, obj.company_id), perm, obj)
        else:
            return False
        return allowed and (perm not in AT_THE_DESK or user_obj.is_proven)


def on_project(user: User, perm: str, project: Project) -> bool:
    """Answer, and let `User.has_perm` keep the answers: of projects one asks much."""
    if perm == "companies.view_project":
        answer = answers(user, lambda access: access.granted)
    elif wanted := read_permission(Scope.PROJECT, perm):
        answer = answers(user, lambda access: access.granted_with(*wanted))
    else:
        return False
    user.kept[perm, Project] = answer
    return answer(project)


def in_company(access: Access, perm: str) -> bool:
    match perm:
        case "companies.view_company":
            return access.is_member
        case "companies.administer_company":
            return access.is_administrator
    wanted = read_permission(Scope.COMPANY, perm)
    return wanted is not None and access.on_company(wanted[0]) >= wanted[1]


def about_row(access: Access, perm: str, row: OwnedByCompany) -> bool:
    match perm, row:
        case "companies.invite_membership", Membership():
            return access.may_invite(row)
        case "companies.add_membership", Membership():
            return access.may_add(row.template)
        case "companies.add_projectmembership", ProjectMembership():
            return access.may_grant(row.template, row.project)
    return False
