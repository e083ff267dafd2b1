"""For operators: the companies of the installation."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from audit.admin import OperatorAdmin
from audit.models import AuditEvent
from companies.desk import select_company
from companies.models import Company


@admin.register(Company)
class CompanyAdmin(OperatorAdmin):
    """Operators keep the companies, and choose the one that the desk works for."""

    list_display = ["name", "slug", "is_active", "created_at", "choose"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug"]
    actions = ["work_here"]
    fields = ["name", "slug", "kind", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["slug", "kind"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A company is deactivated, never deleted: its history stays."""
        return False

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Go on with the new company, which nobody administers yet."""
        if "_save" not in request.POST:
            return super().response_add(request, obj, *args)
        select_company(request, obj)
        said = format_html(
            '{} is there, and you work for it now. <a href="{}">Invite its first '
            "administrator</a>",
            *(obj, reverse("admin:companies_membership_add")),
        )
        self.message_user(request, said, messages.SUCCESS)
        return redirect("admin:index")

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.record(AuditEvent.Kind.COMPANY_CREATED, request, obj)

    # Choosing the one that the desk works for

    def get_urls(self) -> list[Any]:
        choose = self.admin_site.admin_view(self.work_for)
        name = "companies_company_work_for"
        return [path("<int:pk>/work-for/", choose, name=name), *super().get_urls()]

    @method_decorator(require_POST)
    def work_for(self, request: HttpRequest, pk: int) -> HttpResponse:
        company = get_object_or_404(self.get_queryset(request), pk=pk)
        select_company(request, company)
        return redirect("admin:index")

    @admin.display(description="the desk")
    def choose(self, company: Company) -> str:
        """A button of the form that a list of the admin is in: it posts."""
        url = reverse("admin:companies_company_work_for", args=[company.pk])
        button = '<button class="button" formaction="{}">Work for this company</button>'
        return format_html(button, url)

    @admin.action(
        description="Work for this company",
        location=[admin.ActionLocation.CHANGE_FORM],
    )
    def work_here(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        select_company(request, queryset.get())
        return redirect("admin:index")

    def record(
        self, kind: Any, request: HttpRequest, obj: Any, facts: Any = None
    ) -> None:
        obj.company = obj  # the company's own history
        super().record(kind, request, obj, facts)
