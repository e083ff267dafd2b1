"""Who is on which project: the list of all grants of a company."""

from typing import Any, cast

from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from accounts.models import User
from accounts.requests import UserRequest
from audit.admin import SEARCH_LENGTH
from audit.models import AuditEvent, AuditEventQuerySet
from companies.admin.filters import ChosenFilter, CompanyRelatedFilter, ListedFilter
from companies.admin.forms import DayInput, LastDayForm, ReasonForm
from companies.admin.scoped import EVERYWHERE, CompanyScopedAdmin
from companies.admin.scoped_forms import GivingForm
from companies.desk import desk_company
from companies.explanations import spoken
from companies.models import Membership, Project, ProjectMembership
from companies.models.grants import GrantState, record_grants
from companies.tools import Level

Kind = AuditEvent.Kind

PROJECTS_FOUND = 500  # by one search
PLACE = ["membership", "project"]
SUSPENDED_ALREADY = "Is suspended already."
NOT_SUSPENDED = "Is not suspended."
ENDS_EARLIER = "Ends on that day already, or before it."


class GrantStateFilter(admin.SimpleListFilter):
    """Whether a grant holds today."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*GrantState.choices, ("ending", "Ends within seven days")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        today, wanted = timezone.localdate(), self.value()
        if wanted == "ending":
            return queryset.ending(today)
        is_known = wanted in GrantState.values
        return queryset.in_state(wanted, today) if is_known else queryset


class GrantForm(GivingForm):
    """A person on a project: whose days there are over begins anew, as in bulk."""

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.instance._state.adding and (over := self.find_over()):
            over.check_person()
            self.instance = over
        return self.cleaned_data

    def find_over(self) -> ProjectMembership | None:
        """What the person had on the project before, if that is over."""
        place = {name: self.cleaned_data.get(name) for name in PLACE}
        rows = ProjectMembership.objects.in_state(GrantState.OVER, timezone.localdate())
        return rows.filter(**place).first()


@admin.register(ProjectMembership)
class GrantAdmin(CompanyScopedAdmin):
    """Who is on which project: from the project's side, and in bulk."""

    form = GrantForm
    adds_from = Level.STANDARD
    list_display = ["person", "project", "template", "days", "state"]
    list_display_links = ["person"]
    list_filter = [
        GrantStateFilter,
        ("template", CompanyRelatedFilter),
        ("project", ListedFilter),
        ("membership", ChosenFilter),
    ]
    list_select_related = [
        "company",
        "membership__user",
        "membership__vendor",
        "project",
        "template",
    ]
    search_fields = ["project__name", "project__number"]
    search_help_text = "Search by person, firm or project."
    autocomplete_fields = ["membership", "project"]
    fields = ["membership", "project", "template", "starts_on", "ends_on", "state"]
    readonly_fields = ["company", "state"]
    actions = ["suspend", "lift", "end"]
    formfield_overrides = {models.DateField: {"widget": DayInput}}

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> Any:
        """By the project as a whole, or by what the directory is searched by."""
        term, company = search_term[:SEARCH_LENGTH].strip(), desk_company(request)
        people = Membership.objects.matching(term, company).order_by().values("pk")
        projects = self.scope(Project.objects.matching(term), request)
        found = Q(membership__in=people)
        # Looked up first: an OR of two subqueries could use no index.
        if keys := list(projects.values_list("pk", flat=True)[:PROJECTS_FOUND]):
            found |= Q(project__in=keys)
        return queryset.filter(found) if term else queryset, False

    @admin.display(description="person", ordering="membership__last_name")
    def person(self, grant: ProjectMembership) -> str:
        """The person, and below the firm."""
        firm = grant.membership.vendor or grant.company
        return format_html('{}<span class="quiet">{}</span>', grant.membership, firm)

    @admin.display(description="days", ordering="ends_on")
    def days(self, grant: ProjectMembership) -> str:
        first, last = (spoken(day) if day else "" for day in grant.days)
        return f"{first} – {last}" if first or last else "no end"

    @admin.display(description="state")
    def state(self, grant: ProjectMembership) -> str:
        return grant.state_words(timezone.localdate()) if grant.pk else "—"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A grant keeps its person and project; another one is another grant."""
        return ["company", "state", *(["membership", "project"] if obj else [])]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = {"title": "Add a person to a project", **(extra_context or {})}
        return super().add_view(request, form_url, context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What ended is kept, with its last day: it is the history of the access."""
        return False

    # What is written down is written of the person, as from every other door.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        record_grants(Kind.GRANTED, cast(User, request.user), [obj])

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if message:
            record_grants(Kind.GRANT_CHANGED, cast(User, request.user), [obj])

    def history_of(self, obj: ProjectMembership) -> AuditEventQuerySet:
        return AuditEvent.objects.about(obj.membership)

    @admin.action(description="Suspend …", permissions=["change"], location=EVERYWHERE)
    def suspend(self, request: UserRequest, queryset: Any) -> Any:
        form, page = self.ask(request, queryset, ReasonForm, "suspend", "Suspend")
        if form:
            others = left_alone(queryset.exclude(suspended_at=None), SUSPENDED_ALREADY)
            count = queryset.suspend(form.cleaned_data["reason"], request.user)
            self.report(request, f"Suspended: {count}.", others)
        return page

    @admin.action(
        description="Lift the suspension", permissions=["change"], location=EVERYWHERE
    )
    def lift(self, request: UserRequest, queryset: Any) -> None:
        others = left_alone(queryset.filter(suspended_at=None), NOT_SUSPENDED)
        self.report(request, f"Lifted: {queryset.lift(request.user)}.", others)

    @admin.action(description="End on …", permissions=["change"], location=EVERYWHERE)
    def end(self, request: UserRequest, queryset: Any) -> Any:
        form, page = self.ask(request, queryset, LastDayForm, "end", "End")
        if form:
            last_day = form.cleaned_data["last_day"]
            others = left_alone(queryset.filter(ends_on__lte=last_day), ENDS_EARLIER)
            count = queryset.end(last_day, request.user)
            self.report(request, f"Last day set: {count}.", others)
        return page


def left_alone(rows: Any, sentence: str) -> list[tuple[ProjectMembership, str]]:
    """Those of the chosen to which a verb does nothing; asked before it does."""
    named = rows.select_related("membership__user", "project")
    return [(grant, sentence) for grant in named]
