"""May this user …? One answer for pages, the admin and other apps."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db import models

from companies.access import Access
from companies.models import Company, Membership, Project, ProjectMembership
from companies.tools import Scope, read_permission


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
        match perm, obj:
            case "companies.view_company", Company():
                return Access.of(user_obj, obj.pk).is_member
            case "companies.administer_company", Company():
                access = Access.of(user_obj, obj.pk)
                return access.is_administrator and user_obj.is_proven
            case "companies.invite_membership", Membership():
                access = Access.of(user_obj, obj.company_id)
                return user_obj.is_proven and access.may_invite(obj)
            case "companies.add_membership", Membership():
                access = Access.of(user_obj, obj.company_id)
                return user_obj.is_proven and access.may_add(obj.template)
            case "companies.add_projectmembership", ProjectMembership():
                access = Access.of(user_obj, obj.company_id)
                return access.may_hand_out(obj.template, obj.project)
            case "companies.view_project", Project():
                return Access.of(user_obj, obj.company_id).reaches(obj)
            case _, Company():
                access = Access.of(user_obj, obj.pk)
                return holds(perm, Scope.COMPANY, access.on_company)
            case _, Project():
                access = Access.of(user_obj, obj.company_id)
                return holds(
                    perm, Scope.PROJECT, lambda tool: access.on_project(obj, tool)
                )
        return False


def holds(perm: str, scope: Scope, level_on: Callable[[str], int]) -> bool:
    """Whether the permission names a tool of this scope, and the level is reached."""
    wanted = read_permission(scope, perm)
    return wanted is not None and level_on(wanted[0]) >= wanted[1]
