"""Permission templates, each edited as one matrix: tools by levels."""

import hashlib
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from accounts.requests import UserRequest
from companies.admin.scoped import EVERYWHERE, CompanyScopedAdmin
from companies.admin.scoped_forms import CompanyForm
from companies.models import Membership, PermissionTemplate, ProjectMembership
from companies.tools import FIRST_LEVELS, TOOLS, Level, Scope


class TemplateForm(CompanyForm):
    """A template with its whole matrix, and the list of those it may hand out.

    A change that reaches somebody is first shown: the form comes back with what would
    happen, and takes the same matrix when it is sent a second time.
    """

    may_hand_out = forms.ModelMultipleChoiceField(
        queryset=PermissionTemplate.objects.none(),
        required=False,
        help_text="Nobody hands out a level above their own, whatever stands here.",
        widget=forms.CheckboxSelectMultiple,
    )
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)
    scope = Scope.PROJECT  # of a new template
    is_shown_only = False

    class Meta:
        model = PermissionTemplate
        fields = ["name", "project"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.instance.scope = self.scope
        scope = self.instance.scope
        given = self.instance.level_of() if self.instance.pk else FIRST_LEVELS[scope]
        for key, tool in TOOLS[scope].items():
            self.fields[f"level_{key}"] = forms.TypedChoiceField(
                label=tool.label,
                choices=Level.choices,
                coerce=int,
                initial=given.get(key, Level.NONE),
                widget=forms.RadioSelect,
                disabled=self.is_shown_only,
            )
        others = PermissionTemplate.objects.filter(
            company=self.instance.company_id, scope=scope
        )
        hands_out = cast(Any, self.fields["may_hand_out"])
        hands_out.queryset = others
        if self.instance.pk:
            hands_out.initial = self.instance.hands_out.all()

    @property
    def levels(self) -> dict[str, int]:
        return {
            key: self.cleaned_data[f"level_{key}"]
            for key in TOOLS[self.instance.scope]
            if f"level_{key}" in self.cleaned_data
        }

    @property
    def matrix(self) -> list[forms.BoundField]:
        return [self[f"level_{key}"] for key in TOOLS[self.instance.scope]]

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.instance.pk and not self.errors:
            self.instance.check_administrator_stays(self.levels)
        return self.cleaned_data

    def _post_clean(self) -> None:
        """Show what can be saved only: it would not be done by saving once more."""
        super()._post_clean()  # type: ignore[misc]
        if self.instance.pk and not self.errors:
            self.show_reach()

    def show_reach(self) -> None:
        """Come back with whom the change reaches, unless that was just read."""
        changes = self.instance.reach(self.levels)
        sentences = [f"{change}." for change in changes if change.people]
        digest = hashlib.sha256("".join(sentences).encode()).hexdigest()
        if not sentences or self.cleaned_data["confirmed"] == digest:
            return
        self.data = self.data.copy()  # type: ignore[attr-defined]
        self.data["confirmed"] = digest  # type: ignore[index]
        last = "Nothing is changed yet. Save again to confirm."
        self.add_error(None, ValidationError([*sentences, last], code="unconfirmed"))


KEPT_BY_FORM = ["may_hand_out", "confirmed"]


@admin.register(PermissionTemplate)
class PermissionTemplateAdmin(CompanyScopedAdmin):
    form = TemplateForm
    list_display = ["name", "scope_label", "project", "is_held"]
    list_filter = ["scope"]
    list_select_related = ["company", "project"]
    search_fields = ["name"]
    actions = ["duplicate"]
    autocomplete_fields = ["project"]
    readonly_fields = ["company", "handed_out"]

    def with_details(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Whether somebody holds it: how many do is counted on its own page."""
        held = {"template": OuterRef("pk")}
        people = Membership.objects.filter(is_active=True)
        entries = people.filter(**held)
        defaults = people.filter(default_project_template=OuterRef("pk"))
        grants = ProjectMembership.objects.not_over(timezone.localdate()).filter(**held)
        # The first of each: EXISTS would let PostgreSQL read all holders of all.
        found: QuerySet[Any] = rows.annotate(
            entry=Subquery(entries.order_by().values("pk")[:1]),
            default=Subquery(defaults.order_by().values("pk")[:1]),
            grant=Subquery(grants.order_by().values("pk")[:1]),
        )
        return found

    @admin.display(description="for the tools of", ordering="scope")
    def scope_label(self, template: PermissionTemplate) -> str:
        return "the company" if template.scope == Scope.COMPANY else "a project"

    @admin.display(description="held by somebody", boolean=True)
    def is_held(self, template: Any) -> bool:
        return bool(template.entry or template.default or template.grant)

    @admin.display(description="may hand out")
    def handed_out(self, template: PermissionTemplate) -> str:
        """The list, for whoever may only look."""
        return ", ".join(map(str, template.hands_out.all())) or "nothing"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        is_kept = self.has_change_permission(request, obj)
        fields = ["name", *(KEPT_BY_FORM if is_kept else ["handed_out"])]
        if self.scope_of(request, obj) == Scope.PROJECT:
            fields.insert(1, "project")
        return [*self.company_field(request), *fields]

    def scope_of(self, request: HttpRequest, obj: Any) -> Scope:
        """A new template is for a project's tools unless the address says otherwise."""
        if obj:
            return Scope(obj.scope)
        is_company = request.GET.get("scope") == Scope.COMPANY
        return Scope.COMPANY if is_company else Scope.PROJECT

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.scope = self.scope_of(request, obj)
        form.is_shown_only = not self.has_change_permission(request, obj)
        return form

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        user = cast(UserRequest, request).user
        form.instance.set_levels(form.levels, user)
        form.instance.set_hands_out(form.cleaned_data["may_hand_out"], user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One by one, and none that came with the company or that somebody holds."""
        is_own = obj is not None and not obj.is_shipped
        return is_own and self.has_change_permission(request, obj)

    @admin.action(description="Duplicate", permissions=["change"], location=EVERYWHERE)
    def duplicate(self, request: UserRequest, queryset: Any) -> HttpResponse | None:
        copies = [
            template.duplicate(template.free_name(), request.user)
            for template in queryset
        ]
        if len(copies) == 1:
            return redirect("admin:companies_permissiontemplate_change", copies[0].pk)
        self.report(request, f"{len(copies)} templates are duplicated.", [])
        return None
