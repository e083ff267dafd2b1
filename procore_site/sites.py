"""The admin site: who may enter it, and for which company."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache

from companies.desk import desk_company
from companies.models import Company


class AdminSite(admin.AdminSite):
    """Entered by operators and by whoever administers a company, asked anew each time.

    Nothing is stored for it (`is_staff` is the operators' alone), so that nothing can
    get out of step; who has lost the last company is out at the next request (T35).
    """

    site_title = site_header = settings.SITE_NAME
    index_title = "Administration"
    site_url = None
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not (user.is_active and user.is_authenticated):
            return False
        if user.is_superuser or desk_company(request):
            return True
        return Company.objects.administered_by(user).exists()

    @never_cache
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Log in by allauth's page, with its limits and second factor.

        Raises:
            PermissionDenied: for somebody who has logged in and may not enter.
        """
        target = request.GET.get("next") or reverse("admin:index")
        if not request.user.is_authenticated:
            return redirect(reverse("account_login", query={"next": target}))
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def admin_view(  # type: ignore[override]
        self, view: Callable[..., Any], cacheable: bool = False
    ) -> Callable[..., Any]:
        """Let an administrator of several companies choose one first."""
        guarded = super().admin_view(view, cacheable)

        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            needs_choice = (
                request.user.is_authenticated
                and not request.user.is_superuser
                and not desk_company(request)
                and self.has_permission(request)
            )
            if needs_choice:
                query = {"next": reverse("admin:index")}
                return redirect(reverse("companies:select", query=query))
            return guarded(request, *args, **kwargs)

        return inner

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"desk_company": desk_company(request)}
