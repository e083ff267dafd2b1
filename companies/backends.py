"""May this user …? Answered from the same querysets that list the rows."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db import models
from django.utils import timezone

from companies.models import Company, Membership, Project


class PermissionBackend(BaseBackend):
    """Answers `user.has_perm(permission, row)`; it authenticates nobody.

    | permission | row |
    |---|---|
    | `companies.view_company` | a company that the person may pick |
    | `companies.administer_company` | a company whose directory the person keeps |
    | `companies.invite_membership` | an entry whose templates the person may hand out |
    | `companies.view_project` | a project that was granted, or that they administer |
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active or not isinstance(obj, models.Model):
            return False
        match perm, obj:
            case "companies.view_company", Company():
                rows: models.QuerySet[Any] = Company.objects.visible_to(user_obj)
            case "companies.administer_company", Company():
                rows = Company.objects.administered_by(user_obj)
            case "companies.invite_membership", Membership():
                rows = Membership.objects.invitable_by(user_obj)
            case "companies.view_project", Project():
                rows = Project.objects.visible_to(user_obj, timezone.localdate())
            case _:
                return False
        return rows.filter(pk=obj.pk).exists()
