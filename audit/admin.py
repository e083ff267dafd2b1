"""The admin's log is the audit: one history, which can't be changed."""

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from audit.models import AuditEvent

Kind = AuditEvent.Kind


class AuditedAdmin(admin.ModelAdmin[Any]):
    """Writes audit events where Django's own admin writes log entries."""

    show_full_result_count = False
    view_on_site = False
    object_history_template = "admin/audit_history.html"

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.record(Kind.ENTRY_ADDED, request, obj)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record which fields were changed, of the row and of its inlines."""
        if message:
            self.record(Kind.ENTRY_CHANGED, request, obj, {"changes": message})

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        for obj in queryset:
            self.record(Kind.ENTRY_DELETED, request, obj)

    def record(
        self,
        kind: AuditEvent.Kind,
        request: HttpRequest,
        obj: models.Model,
        facts: dict[str, Any] | None = None,
    ) -> None:
        company = getattr(obj, "company", None)
        AuditEvent.record(kind, cast(User, request.user), company, obj, facts)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        events = AuditEvent.objects.filter(
            about_model=self.opts.label_lower,
            about_id=object_id if object_id.isdecimal() else None,
        ).select_related("actor")
        paginator = self.get_paginator(request, events, 100)
        page = paginator.get_page(request.GET.get("p"))
        context = {"events": page, **(extra_context or {})}
        return super().history_view(request, object_id, context)


class OperatorAdmin(AuditedAdmin):
    """For operators only: nobody else has a permission on a whole model."""


class ReadOnlyAdmin(OperatorAdmin):
    """A list to look things up in."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "kind", "about_label", "actor", "company", "client_address"]
    list_filter = ["kind"]
    list_select_related = ["actor", "company"]
    search_fields = ["about_label", "actor__email"]
