"""The admin site: who may enter it, and for which company."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from audit.models import AuditEvent
from companies.desk import (
    desk_companies,
    desk_company,
    desk_level,
    named_company,
    select_company,
)
from companies.models import Membership, PermissionTemplate, Project
from companies.tools import Level
from desk.overview import Overview
from invitations.models import Invitation

# allauth's pages do what the first three do. The last one leads from any number to the
# address of the row, whosever it is (T43).
UNUSED = {"logout", "password_change", "password_change_done", "view_on_site"}


# What stands in the bar of each page, beside the overview.
WAYS: dict[str, type[Model]] = {
    "Directory": Membership,
    "Projects": Project,
    "Templates": PermissionTemplate,
    "Invitations": Invitation,
    "History": AuditEvent,
}


class Completion(AutocompleteJsonView):
    """What a field that completes offers: of people also what tells them apart."""

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        is_of_people = rows.model is Membership
        return rows.select_related("user", "vendor") if is_of_people else rows

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        result = super().serialize_result(obj, to_field_name)
        return result | {"text": getattr(obj, "label", str(obj))}


class AdminSite(admin.AdminSite):
    """Entered by operators and by whoever administers a company, asked anew each time.

    Nothing is stored for it (`is_staff` is the operators' alone), so that nothing can
    get out of step; who has lost the last company is out at the next request (T35).
    """

    site_title = site_header = settings.SITE_NAME
    index_title = "Overview"
    site_url = None
    enable_nav_sidebar = False
    empty_value_display = "—"

    def get_urls(self) -> list[Any]:
        """Without what allauth's pages do, and without a look-up of just any row."""
        ours = [
            path("all-companies/", self.admin_view(self.work_for_all), name="all"),
            path("why/", self.admin_view(self.why), name="why"),
        ]
        theirs = super().get_urls()
        return [*ours, *(x for x in theirs if getattr(x, "name", "") not in UNUSED)]

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not (user.is_active and user.is_authenticated):
            return False
        return user.is_superuser or bool(desk_companies(request))

    def admin_view(  # type: ignore[override]
        self, view: Callable[..., Any], cacheable: bool = False
    ) -> Callable[..., Any]:
        guarded = super().admin_view(view, cacheable)

        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return (
                self.way_in(request)
                or self.switched(request)
                or guarded(request, *args, **kwargs)
            )

        return inner

    def way_in(self, request: HttpRequest) -> HttpResponse | None:
        """Where a reader has to go first: to log in, or to choose a company.

        Raises:
            PermissionDenied: for somebody who has logged in and may not enter.
            BadRequest: for a character that no database takes.
        """
        if any("\0" in value for _, values in request.GET.lists() for value in values):
            raise BadRequest("A NUL character in the address.")
        is_read = request.method in ("GET", "HEAD")
        target = request.get_full_path() if is_read else reverse("admin:index")
        if not request.user.is_authenticated:
            return redirect_to_login(target)
        if not self.has_permission(request):
            raise PermissionDenied
        if request.user.is_superuser or desk_company(request):
            return None
        messages.info(request, "Select a company that you administer.")
        return redirect(reverse("companies:select", query={"next": target}))

    def switched(self, request: HttpRequest) -> HttpResponse | None:
        """Write nothing for a form that was shown for another company (T37).

        Two windows share one session, so what is selected may have changed since. The
        page that says so keeps what was entered, and can switch back and save it. A
        form that doesn't say whose it is was shown by no page of the desk.
        """
        if request.method != "POST" or request.path == reverse("admin:all"):
            return None
        shown = request.POST.get("desk")
        company = desk_company(request)
        if shown == (company.slug if company else ""):
            return None
        belongs_to = named_company(request, shown or "")
        may_return = bool(belongs_to) or (shown == "" and request.user.is_superuser)
        if may_return and "switch_back" in request.POST:
            select_company(request, belongs_to)
            return None
        context = {
            **self.each_context(request),
            "title": "Nothing is saved",
            "is_named": shown is not None,
            "belongs_to": belongs_to or "all companies",
            "may_return": may_return,
            "posted": [
                (name, value)
                for name, values in request.POST.lists()
                for value in values
                if name != "csrfmiddlewaretoken"
            ],
            "has_files": bool(request.FILES),
        }
        return TemplateResponse(request, "admin/switched.html", context, status=409)

    def index(
        self, request: HttpRequest, extra_context: Any = None
    ) -> TemplateResponse:
        """Begin with how the company's people stand."""
        company = desk_company(request)
        context = {
            "overview": Overview(company, timezone.now()) if company else None,
            "may_add": desk_level(request) >= Level.STANDARD,
            "may_change": desk_level(request) == Level.ADMIN,
        }
        return super().index(request, context | (extra_context or {}))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the index, which asks for allauth's log-in page, with its limits and
        second factor, where it has to."""
        return redirect("admin:index")

    @method_decorator(require_POST)
    def work_for_all(self, request: HttpRequest) -> HttpResponse:
        """Let an operator look at the rows of all companies again."""
        if not request.user.is_superuser:
            raise PermissionDenied
        select_company(request, None)
        return redirect("admin:index")

    def why(self, request: HttpRequest) -> HttpResponse:
        """Find somebody who can't get in: the directory knows them."""
        directory: Any = self.get_model_admin(Membership)
        return cast(HttpResponse, directory.why(request))

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Answer only for the fields that a form of this site completes (T38)."""
        names = ("app_label", "model_name", "field_name")
        if [request.GET.get(name) for name in names] not in self.completed_fields():
            raise PermissionDenied
        return cast(HttpResponse, Completion.as_view(admin_site=self)(request))

    def completed_fields(self) -> list[list[str]]:
        admins: list[Any] = list(self._registry.values())
        inlines = [inline for each in admins for inline in each.inlines]
        return [
            [each.model._meta.app_label, each.model._meta.model_name, name]
            for each in [*admins, *inlines]
            for name in each.autocomplete_fields
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        known = super().each_context(request)
        return known | {
            "desk_company": desk_company(request),
            "may_switch": len(desk_companies(request)) > 1,
            "ways": list(ways(request.path, known["available_apps"])),
        }


def ways(path: str, apps: list[Any]) -> Iterator[tuple[str, str, str]]:
    """The pages that one works on, as far as the reader may open them.

    Each with its name, its address, and what `aria-current` says of it.
    """
    index = reverse("admin:index")
    yield "Overview", index, "page" if path == index else ""
    listed = {
        each["model"]: each["admin_url"] for app in apps for each in app["models"]
    }
    for label, model in WAYS.items():
        if url := listed.get(model):
            is_within = "true" if path.startswith(url) else ""
            yield label, url, "page" if path == url else is_within
