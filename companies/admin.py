"""The desk's base: an administrator sees, names and touches one company's rows only.

Every admin of a company's rows derives from CompanyScopedAdmin, which answers "no" to
whatever it isn't told about. `security.md` section 7 is its checklist; test_scope walks
every registered admin as an administrator of another company (T37 to T45).
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from audit.admin import AuditedAdmin, OperatorAdmin
from companies.desk import desk_company, select_company
from companies.models import (
    Company,
    OwnedByCompany,
    PermissionLevel,
    PermissionTemplate,
    Project,
    Vendor,
)


class CompanyForm(forms.ModelForm[Any]):
    """A form whose new row belongs to the company that the desk works for."""

    company: Company | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.company_id is None:
            self.instance.company = self.company


class CompanyInlineFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Rows of an inline belong to the company of the row that they hang on."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        form.instance.company_id = self.instance.company_id
        return form

    @property
    def empty_form(self) -> Any:
        form = super().empty_form
        form.instance.company_id = self.instance.company_id
        return form


class ScopedMixin:
    """What an admin and an inline of a company's rows have in common."""

    def scope(
        self, rows: models.QuerySet[Any], request: HttpRequest
    ) -> models.QuerySet[Any]:
        """Only the rows of the desk's company; an operator may work for all."""
        if company := desk_company(request):
            return rows.filter(company=company)
        return rows if request.user.is_superuser else rows.none()

    def may_work(self, request: HttpRequest, obj: Any = None) -> bool:
        company = desk_company(request)
        if company is None:
            return bool(request.user.is_superuser)
        return obj is None or obj.company_id == company.pk

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return self.scope(super().get_queryset(request), request)  # type: ignore[misc]

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer, and take, only rows of the company (T39)."""
        model = db_field.related_model
        if issubclass(model, OwnedByCompany):
            kwargs["queryset"] = self.scope(model._default_manager.all(), request)
        elif "queryset" not in kwargs:
            kwargs["queryset"] = model._default_manager.none()
        return super().formfield_for_foreignkey(  # type: ignore[misc]
            db_field, request, **kwargs
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_work(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_work(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A new row needs a company, so an operator chooses one first."""
        return desk_company(request) is not None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CompanyScopedAdmin(ScopedMixin, AuditedAdmin):
    form = CompanyForm
    list_per_page = 100

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may_work(request)

    def has_add_permission(self, request: HttpRequest) -> bool:  # type: ignore[override]
        return super().has_add_permission(request)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.company = desk_company(request)  # type: ignore[attr-defined]
        return form

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Take from an address only what a filter of this list writes there (T43)."""
        return lookup in self.filter_parameters(request)

    def filter_parameters(self, request: HttpRequest) -> set[str]:
        filters: Iterable[Any] = self.get_list_filter(request)
        parameters = set()
        for each in filters:
            if isinstance(each, type) and issubclass(each, admin.SimpleListFilter):
                parameters.add(str(each.parameter_name))
            else:
                name = each if isinstance(each, str) else each[0]
                parameters |= {
                    f"{name}__id__exact",
                    f"{name}__exact",
                    f"{name}__isnull",
                }
        return parameters

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return to_field == "id"

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do nothing at all when one of the chosen rows isn't there (T41)."""
        chosen = set(request.POST.getlist(helpers.ACTION_CHECKBOX_NAME))
        keys = [key for key in chosen if key.isdecimal() and len(key) < 19]
        if len(chosen) != queryset.filter(pk__in=keys).count():
            sentence = "The list has changed meanwhile. Nothing was done: choose again."
            self.message_user(request, sentence, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **kwargs)

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Say what a rule of the model has refused after the form had been checked."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ValidationError as error:
            for sentence in error.messages:
                self.message_user(request, sentence, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def report(
        self, request: HttpRequest, done: str, refused: Iterable[tuple[Any, str]]
    ) -> None:
        """Tell what an action did, and of each row that was refused why."""
        if done:
            self.message_user(request, done, messages.SUCCESS)
        for row, sentence in refused:
            self.message_user(request, f"{row}: {sentence}", messages.WARNING)


class CompanyScopedInline(ScopedMixin, admin.TabularInline[Any, Any]):
    formset = CompanyInlineFormSet
    extra = 0


class CompanyRelatedFilter(admin.RelatedFieldListFilter):
    """A filter by a related row that lists only those of the company."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[Any]:
        rows = model_admin.scope(field.related_model._default_manager.all(), request)
        rows = rows.complex_filter(field.get_limit_choices_to())
        return [(row.pk, str(row)) for row in rows]


@admin.register(Project)
class ProjectAdmin(CompanyScopedAdmin):
    list_display = ["name", "number", "city", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "number", "city"]
    fields = ["name", "number", "city", "is_active"]


@admin.register(Vendor)
class VendorAdmin(CompanyScopedAdmin):
    list_display = ["name"]
    search_fields = ["name"]
    fields = ["name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A firm that nobody works for may go; the others are protected."""
        return self.may_work(request, obj)


class LevelInline(admin.TabularInline[PermissionLevel, PermissionTemplate]):
    """The levels of a template, to be read."""

    model = PermissionLevel
    fields = readonly_fields = ("tool_label", "level")
    can_delete = False
    extra = 0

    @admin.display(description="tool")
    def tool_label(self, row: PermissionLevel) -> str:
        return row.get_tool_label()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the template may see its levels."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PermissionTemplate)
class PermissionTemplateAdmin(CompanyScopedAdmin):
    """The templates that a company hands out, to be read."""

    list_display = ["name", "scope_label"]
    search_fields = ["name"]
    fields = readonly_fields = ("name", "scope_label")
    inlines = [LevelInline]

    @admin.display(description="for the tools of", ordering="scope")
    def scope_label(self, template: PermissionTemplate) -> str:
        return "the company" if template.scope == "company" else "a project"

    def has_add_permission(self, request: HttpRequest) -> bool:  # type: ignore[override]
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Company)
class CompanyAdmin(OperatorAdmin):
    """Operators keep the companies, and choose the one that the desk works for."""

    list_display = ["name", "slug", "is_active", "created_at"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug"]
    actions = ["work_for"]
    fields = ["name", "slug", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A company is deactivated, never deleted: its history stays."""
        return False

    @admin.action(description="Work for this company")
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
