"""The log-ins, for operators: to be looked up and switched off, never taken over."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseBase

from accounts.models import User
from audit.admin import OperatorAdmin
from companies.models import Company
from companies.tools import Level
from desk.exports import csv_response
from invitations.emails import absolute


class NewsletterFilter(admin.SimpleListFilter):
    title = "newsletter"
    parameter_name = "newsletter"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Subscribed"), ("no", "Not subscribed")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(newsletter_since__isnull=self.value() == "no")


@admin.register(User)
class UserAdmin(OperatorAdmin):
    """No password, no address and no flag can be set here: they are the person's own.

    An operator is made with ./manage.py createsuperuser.
    """

    list_display = ["email", "is_active", "is_superuser", "joined_at", "last_login"]
    list_filter = ["is_active", "is_superuser", NewsletterFilter]
    actions = ["export_newsletter"]
    search_fields = ["email"]
    fields = [
        "email",
        "is_active",
        "is_superuser",
        "joined_at",
        "last_login",
        "newsletter_since",
    ]
    readonly_fields = [
        "email",
        "is_superuser",
        "joined_at",
        "last_login",
        "newsletter_since",
    ]

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        helps = {
            "is_superuser": "An operator: sees and does everything.",
            "newsletter_since": "When the person subscribed.",
        }
        return super().get_form(request, obj, help_texts=helps, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody switches off the own log-in: who would switch it on again?"""
        is_own = obj == request.user
        return [*self.readonly_fields, *(["is_active"] if is_own else [])]

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Save, and name the companies that have nobody at their desk by that.

        It isn't refused: a log-in that was stolen has to be switched off at once.
        """
        companies = list(Company.objects.with_directory(obj, Level.ADMIN))
        super().save_model(request, obj, form, change)
        for company in companies:
            if not company.memberships.keepers().exists():
                sentence = f"{company} has no administrator now: make somebody one."
                self.message_user(request, sentence, messages.WARNING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """An account always comes from a company's invitation (S1)."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Export those who get the newsletter")
    def export_newsletter(
        self, request: HttpRequest, queryset: Any
    ) -> HttpResponseBase:
        """Addresses for the program that mails it, each with a link to leave (S12)."""
        users = queryset.filter(newsletter_since__isnull=False, is_active=True)
        rows = (
            (
                user.email,
                user.newsletter_since.isoformat(),
                absolute("accounts:unsubscribe", user.newsletter_token),
            )
            for user in users.iterator()
        )
        header = ["e-mail address", "since", "link to unsubscribe"]
        return csv_response("newsletter", header, rows)
