"""The desk's base: an administrator sees, names and touches one company's rows only.

Every admin of a company's rows derives from CompanyScopedAdmin, which answers "no" to
whatever it isn't told about. `security.md` section 7 is its checklist; test_scope walks
every registered admin as an administrator of another company (T37 to T45).
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ObjectNotUpdated, ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, models
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property

from accounts.models import User
from audit.admin import AuditedAdmin, changed_columns
from companies.access import Access
from companies.admin.lists import FoundPaginator, PagedChangeList
from companies.conditions import of_company
from companies.desk import choose_first, desk_company, desk_level
from companies.models import Company, OwnedByCompany, PermissionTemplate
from companies.tools import Level

# Where an action is offered: for rows of the list, and for the row of the form.
EVERYWHERE = [admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM]
# So many rows of a kind are named in a message; of the others one reads how many.
NAMED = 10
# So many are shown where an action asks before it is done.
SHOWN = 50
# So many rows an inline reads, whatever number a form says that there are.
ROWS_AT_ONCE = 250


def row_keys(texts: Iterable[Any]) -> list[str]:
    """Those of the posted numbers that a database takes for the number of a row."""
    return [key for key in map(str, texts) if key.isdecimal() and len(key) < 19]


class CompletedSelect(AutocompleteSelect):
    """Django's field that completes, which also shows garbage as nothing chosen."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, row_keys(value), attrs)


class CompanyForm(forms.ModelForm[Any]):
    """A form of a row that belongs to one company, and refers to its rows only (T39).

    A new row belongs to the company that the desk works for, or to that of the row that
    an inline hangs on. What else an address or a form may say of it is of no account.
    """

    company: Company | None = None

    def __init__(
        self, *args: Any, company: Company | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.company_id is None:
            self.instance.company = company or self.company
        for field in self.fields.values():
            rows = getattr(field, "queryset", None)
            if rows is not None and issubclass(rows.model, OwnedByCompany):
                field.queryset = rows.filter(company=self.instance.company_id)  # type: ignore[attr-defined]


class GivingForm(CompanyForm):
    """A form of a row that gives somebody a template: nobody gives above their own
    level, whatever the page offered (T44)."""

    by: User | None = None

    def _post_clean(self) -> None:
        """Ask once the row is made of what was entered, as Django's own forms do."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            self.instance.check_giver(self.by)
        except ValidationError as error:
            self.add_error("template", error)


class CompanyInlineFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Rows of an inline belong to the company of the row that they hang on."""

    same_choices: frozenset[str] = frozenset()

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs(index)
        return {**kwargs, "company": self.instance.company}

    def add_fields(self, form: Any, index: int | None) -> None:
        """Ask once what a field offers, not once for each row."""
        super().add_fields(form, index)
        for name in form.fields.keys() & self.same_choices:
            if name not in self.offered:
                # An iterator has no length, which would be counted by a query.
                self.offered[name] = list(iter(form.fields[name].choices))
            form.fields[name].choices = self.offered[name]

    @cached_property
    def offered(self) -> dict[str, list[Any]]:
        return {}

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        row = super().save_existing(form, obj, commit=False)
        if commit:
            row.save(update_fields=changed_columns(form))
        return row


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
    form = CompanyForm
    list_per_page = 100
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
            sentences = ["Somebody else has changed this meanwhile. Look at it again."]
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
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "count": rows.count(),
            "rows": rows[:SHOWN],
            # All of a list are chosen by one: a form may have only so many fields.
            "chosen": rows[:1] if is_across else rows,
            "action": action,
            "select_across": int(is_across),
            "target": self.list_url(request),
        }
        return None, TemplateResponse(request, "admin/ask.html", context)

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


class CompanyRelatedFilter(admin.RelatedFieldListFilter):
    """A filter by a related row that lists only those of the company.

    Of all companies there would be too many, some of one name: then there is none.
    """

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[Any]:
        rows = field.related_model._default_manager.filter(
            company=desk_company(request)
        ).complex_filter(field.get_limit_choices_to())
        return [(row.pk, str(row)) for row in rows]

    def has_output(self) -> bool:
        """Also where it offers nothing: Django drops what its address asks for."""
        return bool(self.used_parameters) or super().has_output()
