"""For operators: the companies of the installation."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from audit.admin import OperatorAdmin
from audit.models import AuditEvent
from companies.admin.scoped import EVERYWHERE
from companies.desk import select_company
from companies.models import Company


@admin.register(Company)
class CompanyAdmin(OperatorAdmin):
    """Operators keep the companies, and choose the one that the desk works for."""

    list_display = ["name", "slug", "is_active", "created_at"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug"]
    actions = ["work_for"]
    fields = ["name", "slug", "kind", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["slug", "kind"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A company is deactivated, never deleted: its history stays."""
        return False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.record(AuditEvent.Kind.COMPANY_CREATED, request, obj)

    @admin.action(description="Work for this company", location=EVERYWHERE)
    def work_for(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        companies = list(queryset[:2])
        if len(companies) != 1:
            self.message_user(request, "Choose one company.", messages.WARNING)
            return None
        select_company(request, companies[0])
        return redirect("admin:index")

    def record(
        self, kind: Any, request: HttpRequest, obj: Any, facts: Any = None
    ) -> None:
        obj.company = obj  # the company's own history
        super().record(kind, request, obj, facts)
