"""The desk's base: an administrator sees, names and touches one company's rows only.

Every admin of a company's rows derives from CompanyScopedAdmin, which answers "no" to
whatever it isn't told about. T37 to T45 of docs/rules.md are its checklist; test_scope
walks every registered admin as an administrator of another company.
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import ObjectNotUpdated, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.models import User
from audit.admin import AuditedAdmin
from companies.access import Access
from companies.admin.lists import FoundPaginator, PagedChangeList
from companies.admin.scoped_forms import (
    CompanyForm,
    CompanyInlineFormSet,
    CompletedSelect,
    TakingForm,
    row_keys,
)
from companies.conditions import of_company
from companies.desk import choose_first, desk_company, desk_level
from companies.models import OwnedByCompany, PermissionTemplate
from companies.tools import Level

# Where an action is offered: for rows of the list, and for the row of the form.
EVERYWHERE = [admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM]
# So many rows of a kind are named in a message: all that a page of a list may tick. Of
# the others one reads how many.
NAMED = 100
# So many are shown where an action asks before it is done.
SHOWN = 50
# So many rows an inline reads, whatever number a form says that there are.
ROWS_AT_ONCE = 250


class ScopedMixin:
    """What an admin and an inline of a company's rows have in common.

    The reader's level on the company's Directory decides: Read Only looks, Standard
    adds people and invites them, Admin does everything.
    """

    adds_from = Level.ADMIN  # the level that may add a row

    def scope(
        self, rows: models.QuerySet[Any], request: HttpRequest
    ) -> models.QuerySet[Any]:
        """Only the rows of the desk's company; an operator may work for all."""
        if company := desk_company(request):
            return rows.filter(of_company(company))
        return rows if request.user.is_superuser else rows.none()

    def has_level(self, request: HttpRequest, level: int, obj: Any = None) -> bool:
        """Whether the reader may do here what takes this level on the Directory."""
        company = desk_company(request)
        if company and obj and obj.company_id != company.pk:
            return False
        return desk_level(request) >= level

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return self.scope(super().get_queryset(request), request)  # type: ignore[misc]

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer, and take, only rows of the company (T39)."""
        model = db_field.related_model
        rows = model._default_manager.none()
        if issubclass(model, OwnedByCompany):
            rows = self.scope(model._default_manager.all(), request)
        if issubclass(model, PermissionTemplate):
            rows = offered(rows, request)
        kwargs["queryset"] = rows
        if db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = CompletedSelect(db_field, self.admin_site)  # type: ignore[attr-defined]
        return super().formfield_for_foreignkey(  # type: ignore[misc]
            db_field, request, **kwargs
        )

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Leave out Django's buttons that change, delete and show the related row."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(field, forms.ModelChoiceField):
            widget: Any = field.widget
            widget.can_change_related = widget.can_delete_related = False
            widget.can_view_related = False
            if desk_company(request) is None:
                widget.can_add_related = False
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_level(request, Level.READ_ONLY, obj)

    def has_invite_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For actions that invite people, or put them on projects."""
        return self.has_level(request, Level.STANDARD, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_level(request, Level.ADMIN, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CompanyScopedAdmin(ScopedMixin, AuditedAdmin):
    """The base of each admin of a company's rows.

    Set `adds_from` to the level that may add a row; take GivingForm where a template is
    given; override `with_details` for columns that cost a query. Actions ask with `ask`
    and tell what they did with `report`.
    """

    form = CompanyForm
    list_per_page = NAMED
    list_select_related = ["company"]
    readonly_fields = ["company"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_level(request, self.adds_from)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A new row needs a company, so an operator of all chooses one first."""
        if self.has_add_permission(request) and desk_company(request) is None:
            return choose_first(request)
        return super().add_view(request, *args, **kwargs)

    def has_history_permission(self, request: HttpRequest) -> bool:
        """As for the history of the company: it names who did what."""
        return self.has_level(request, Level.ADMIN)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.company = desk_company(request)  # type: ignore[attr-defined]
        form.by = request.user  # type: ignore[attr-defined]
        return form

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return PagedChangeList

    def get_paginator(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> Paginator[Any]:
        """For a search another one, unless the list has its own."""
        is_search = bool(request.GET.get(SEARCH_VAR, "").strip())
        if is_search and self.paginator is Paginator:
            return FoundPaginator(queryset, *args, **kwargs)
        return super().get_paginator(request, queryset, *args, **kwargs)

    def with_details(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Add to the rows of one page what the list shows beside their own columns."""
        return rows

    def get_list_display(self, request: HttpRequest) -> Any:
        first, *others = super().get_list_display(request)
        return [first, *self.company_field(request), *others]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*self.company_field(request), *super().get_fields(request, obj)]

    def company_field(self, request: HttpRequest) -> list[str]:
        """Whose row it is, for an operator who looks at those of all companies."""
        return [] if desk_company(request) else ["company"]

    # Pages beside Django's own

    def own(self, route: str, view: Callable[..., Any], name: str) -> URLPattern:
        """The URL of a page that this admin adds, named as Django names its own."""
        model = f"{self.opts.app_label}_{self.opts.model_name}"
        return path(route, self.admin_site.admin_view(view), name=f"{model}_{name}")

    def find(self, request: HttpRequest, pk: int, permission: str = "view") -> Any:
        """The row with this key, as if others weren't there.

        Raises:
            Http404: when it is not one of the company’s, or may not be touched so.
        """
        row = self.get_object(request, str(pk))
        may = getattr(self, f"has_{permission}_permission")
        if row is None or not may(request, row):
            raise Http404
        return row

    def page(
        self, request: HttpRequest, template: str, title: str, **more: Any
    ) -> TemplateResponse:
        """A page with what every page of the admin knows."""
        known = self.admin_site.each_context(request)
        context = known | {"title": title, "opts": self.opts} | more
        return TemplateResponse(request, template, context)

    # Actions

    def changelist_view(
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Say what to do first when an action is run on no rows."""
        is_run = "index" in request.POST and self.has_view_permission(request)
        if is_run and helpers.ACTION_CHECKBOX_NAME not in request.POST:
            sentence = "Nothing was done: tick rows of the list first, then run it."
            self.message_user(request, sentence, messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        return super().changelist_view(request, extra_context)

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do nothing at all when one of the chosen rows isn't there (T41)."""
        chosen = set(request.POST.getlist(helpers.ACTION_CHECKBOX_NAME))
        if len(chosen) != queryset.filter(pk__in=row_keys(chosen)).count():
            sentence = "The list has changed meanwhile. Nothing was done: choose again."
            self.message_user(request, sentence, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **kwargs)

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Say what the model or the database has refused after the form was checked.

        That happens when somebody else has written at the same moment.
        """
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ValidationError as error:
            sentences = error.messages
        except (IntegrityError, ObjectNotUpdated):
            sentences = ["Somebody else has just changed this. Check it and try again."]
        for sentence in sentences:
            self.message_user(request, sentence, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def ask(
        self,
        request: HttpRequest,
        rows: models.QuerySet[Any],
        form_class: Callable[..., forms.Form],
        action: str,
        title: str,
    ) -> tuple[forms.Form | None, HttpResponse | None]:
        """Ask for what an action needs before it is done.

        Returns:
            the filled form; or the page that asks, which posts the same action again.
        """
        form = form_class(request.POST if "apply" in request.POST else None)
        if form.is_valid():
            return form, None
        is_across = request.POST.get("select_across") == "1"
        count = rows.count()
        return None, self.page(
            request,
            "admin/ask.html",
            form.question(count) if isinstance(form, TakingForm) else title,
            verb=title,
            form=form,
            count=count,
            rows=rows.select_related(*self.list_select_related)[:SHOWN],
            # All of a list are chosen by one: a form may have only so many fields.
            chosen=rows[:1] if is_across else rows,
            action=action,
            select_across=int(is_across),
            target=self.list_url(request),
        )

    def list_url(self, request: HttpRequest) -> str:
        """The list with its filters, which takes an action that a form began, too."""
        url = reverse(f"admin:{self.opts.label_lower.replace('.', '_')}_changelist")
        return request.get_full_path() if request.path == url else url

    def report(
        self, request: HttpRequest, done: str, refused: Iterable[tuple[Any, str]]
    ) -> None:
        """Tell what an action did, and of the rows that were refused why."""
        if done:
            self.message_user(request, done, messages.SUCCESS)
        rows: dict[str, list[str]] = {}
        for row, sentence in refused:
            rows.setdefault(sentence, []).append(str(row))
        for sentence, names in rows.items():
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            self.message_user(
                request,
                f"{', '.join(names[:NAMED])}{more}: {sentence}",
                messages.WARNING,
            )


def offered(
    templates: models.QuerySet[PermissionTemplate], request: HttpRequest
) -> models.QuerySet[PermissionTemplate]:
    """Only the templates that the reader may give to somebody (T44)."""
    company = desk_company(request)
    if company is None:
        return templates
    return Access.of(cast(User, request.user), company.pk).offered(templates)


class CompanyScopedInline(ScopedMixin, admin.TabularInline[Any, Any]):
    form = CompanyForm
    formset = CompanyInlineFormSet
    extra = 0
    view_on_site = False

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Read so many rows at most, whatever number a form says that there are."""
        most = {"max_num": ROWS_AT_ONCE, "absolute_max": ROWS_AT_ONCE}
        formset = super().get_formset(request, obj, **most | kwargs)
        formset.form.by = request.user  # type: ignore[attr-defined]
        return formset

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_level(request, self.adds_from, obj)
