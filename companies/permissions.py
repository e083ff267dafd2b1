"""For views of this site and of further apps: only with a permission on a project.

Both take `slug` and `number` from the address. What a person may not see is 404, as if
it weren't there, never 403. See docs/permissions.md.
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


def project_permission_required(
    permission: str,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Give a view the project that its address names, or answer 404.

    `@project_permission_required("companies.standard_rfis")` makes of
    `view(request, project)` a view for an address with `slug` and `number`.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Any:
        @wraps(view)
        @login_required
        def guarded(
            request: UserRequest, slug: str, number: str, **kwargs: Any
        ) -> HttpResponseBase:
            project = find_project(request, slug, number, permission)
            return view(request, project, **kwargs)

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
