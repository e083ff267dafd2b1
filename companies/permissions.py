"""For views of this site and of further apps: only with a permission on a row.

The row is a project, by `slug` and `number` of the address, or a company, by `slug`.
What a person may not see is 404, as if it weren't there, never 403. See
docs/permissions.md.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views import View

from accounts.requests import UserRequest
from companies.models import Company, Project

type PageView = Callable[..., HttpResponseBase]

VIEW = "companies.view_project"


def find_project(
    request: UserRequest, slug: str, number: str, permission: str = VIEW
) -> Project:
    """Find a project of a company that the person may pick.

    Raises:
        Http404: when it isn't there, or not with this permission.
    """
    if "\0" in number:  # no database takes it
        raise Http404
    projects = Project.objects.select_related("company").filter(
        company__in=Company.objects.visible_to(request.user), company__slug=slug
    )
    project = projects.filter(number__iexact=number).first()
    if project is None or not request.user.has_perm(permission, project):
        raise Http404
    return project


def find_company(request: UserRequest, slug: str, permission: str) -> Company:
    """Find a company that the person may pick.

    Raises:
        Http404: when it isn't there, or not with this permission.
    """
    company = Company.objects.visible_to(request.user).filter(slug=slug).first()
    if company is None or not request.user.has_perm(permission, company):
        raise Http404
    return company


def project_permission_required(permission: str) -> Callable[[PageView], PageView]:
    """Give a view the project that its address names, or answer 404.

    `@project_permission_required("companies.standard_rfis")` makes of
    `view(request, project)` a view for an address with `slug` and `number`.
    """
    return given_by(find_project, ["slug", "number"], permission)


def company_permission_required(permission: str) -> Callable[[PageView], PageView]:
    """Give a view the company that its address names by `slug`, or answer 404.

    `@company_permission_required("companies.admin_reports")` stands before
    `view(request, company)`.
    """
    return given_by(find_company, ["slug"], permission)


def given_by(
    find: Callable[..., Any], names: list[str], permission: str
) -> Callable[[PageView], PageView]:
    """Put before a view's other arguments the row that those of this name find."""

    def decorate(view: PageView) -> Any:
        @wraps(view)
        @login_required
        def guarded(request: UserRequest, **kwargs: Any) -> HttpResponseBase:
            address = [kwargs.pop(name) for name in names]
            return view(request, find(request, *address, permission), **kwargs)

        return guarded

    return decorate


class ProjectPermissionMixin(LoginRequiredMixin, View):
    """The same for a class: set `permission_required`, and use `self.project`."""

    permission_required = VIEW
    project: Project

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        self.project = find_project(
            request,  # type: ignore[arg-type]
            kwargs["slug"],
            kwargs["number"],
            self.permission_required,
        )
        return super().dispatch(request, *args, **kwargs)
