"""The log-ins, for operators: to be looked up and switched off, never taken over."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import User
from audit.admin import OperatorAdmin


@admin.register(User)
class UserAdmin(OperatorAdmin):
    """No password, no address and no flag can be set here: they are the person's own.

    An operator is made with ./manage.py createsuperuser.
    """

    list_display = ["email", "is_active", "is_superuser", "joined_at", "last_login"]
    list_filter = ["is_active", "is_superuser"]
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

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody switches off the own log-in: who would switch it on again?"""
        is_own = obj == request.user
        return [*self.readonly_fields, *(["is_active"] if is_own else [])]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """An account always comes from a company's invitation (S1)."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
