"""For operators: publishing terms, and looking up what became of a mail."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from audit.admin import OperatorAdmin, ReadOnlyAdmin
from audit.models import AuditEvent
from invitations.models import Delivery, Terms


@admin.register(Terms)
class TermsAdmin(OperatorAdmin):
    """Published once and for all; everybody is asked again at their next request."""

    list_display = ["version", "published_at", "sha256"]
    fields = ["version", "text"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        asked = User.objects.filter(is_active=True).count()
        context = {"title": "Publish terms", "asked": asked, **(extra_context or {})}
        return super().add_view(request, form_url, context)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.record(AuditEvent.Kind.TERMS_PUBLISHED, request, obj)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "recipient", "kind", "state", "attempts", "reason"]
    list_filter = ["state", "kind"]
    search_fields = ["recipient"]
