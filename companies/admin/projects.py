"""Projects, vendors, and who is on which project."""

from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts.models import User
from accounts.requests import UserRequest
from audit.admin import SEARCH_LENGTH
from audit.models import AuditEvent, AuditEventQuerySet
from companies.access import Access
from companies.admin.scoped import (
    EVERYWHERE,
    CompanyRelatedFilter,
    CompanyScopedAdmin,
    CompletedSelect,
    GivingForm,
    row_keys,
)
from companies.desk import desk_company
from companies.explanations import spoken
from companies.fields import validate_plain_text
from companies.models import (
    Membership,
    PermissionTemplate,
    Project,
    ProjectMembership,
    Vendor,
)
from companies.models.grants import Standing, record_grants
from companies.tools import Level

Kind = AuditEvent.Kind

PROJECTS_FOUND = 500  # by one search
ON_IT_ALREADY = "Is on this project already, and stays as they are."


def day_field(label: str, *, required: bool = True) -> forms.DateField:
    """A day that can be reckoned with: the first and the last of all have no morrow."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    within = [
        MinValueValidator(date(1900, 1, 1), "Enter a day after 1899."),
        MaxValueValidator(date(2999, 12, 31), "Enter a day before 3000."),
    ]
    return forms.DateField(
        label=label, required=required, widget=widget, validators=within
    )


class ProjectField(forms.ModelChoiceField[Project]):
    """A project, found by a part of its name or number: there may be thousands."""

    def __init__(self, **options: Any) -> None:
        key = ProjectMembership._meta.get_field("project")
        super().__init__(
            queryset=Project.objects.none(),
            widget=CompletedSelect(key, admin.site),
            error_messages={"invalid_choice": "Choose another project."},
            **options,
        )

    def offer(self, projects: Any, *, as_list: bool) -> None:
        """Take only these projects.

        Args:
            as_list: where the search of the desk would find others than these.
        """
        if as_list:
            self.widget = forms.Select()
        self.queryset = projects


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        validators=[validate_plain_text],
        help_text="The person reads it under ‘My access’, such as: insurance ended.",
    )


class LastDayForm(forms.Form):
    last_day = day_field("Last day")


class DaysForm(forms.Form):
    """From when until when, either of them open."""

    starts_on = day_field("First day", required=False)
    ends_on = day_field("Last day", required=False)

    def clean(self) -> dict[str, Any]:
        first, last = self.days.values()
        if first and last and last < first:
            self.add_error("ends_on", "The last day can't be before the first.")
        return self.cleaned_data

    @property
    def days(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(name) for name in ("starts_on", "ends_on")}


class MobiliseForm(DaysForm):
    """From which project the crew comes, and for which days."""

    source = ProjectField(label="Crew of the project")
    field_order = ["source", "starts_on", "ends_on"]

    def __init__(self, *args: Any, project: Project, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Project.objects.filter(company=project.company_id)
        source = cast(ProjectField, self.fields["source"])
        source.offer(others.exclude(pk=project.pk), as_list=by.is_superuser)


class CompletedMultiple(CompletedSelect, forms.SelectMultiple):
    """For several rows."""


class PeopleField(forms.ModelMultipleChoiceField[Membership]):
    """Several people, each found by a part of their name."""

    def __init__(self, **options: Any) -> None:
        key = ProjectMembership._meta.get_field("membership")
        super().__init__(
            queryset=Membership.objects.none(),
            widget=CompletedMultiple(key, admin.site),
            **options,
        )

    def clean(self, value: Any) -> Any:
        """What no database takes for a number is nobody's."""
        return super().clean(row_keys(value or []))


class PeopleForm(DaysForm):
    """Several people of the directory, what they are given, and for which days.

    Offered is what the giver may hand out on this project (T44).
    """

    people = PeopleField()
    template = forms.ModelChoiceField(
        label="Project template", queryset=PermissionTemplate.objects.none()
    )
    field_order = ["people", "template", "starts_on", "ends_on"]

    def __init__(
        self, *args: Any, project: Project, by: User, completes: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        people, template = (cast(Any, self.fields[n]) for n in ("people", "template"))
        if not completes:
            people.widget = forms.SelectMultiple()
        people.queryset = Membership.objects.filter(company=project.company_id)
        template.queryset = Access.of(by, project.company_id).offered_on(project)


@admin.register(Project)
class ProjectAdmin(CompanyScopedAdmin):
    list_display = ["name", "number", "city", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "number", "city"]  # in the way of `matching`
    fields = ["name", "number", "city", "is_active"]
    change_form_template = "admin/project_form.html"

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> Any:
        return queryset.matching(search_term[:SEARCH_LENGTH]), False

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/people/",
                wrap(self.add_people),
                name="companies_project_add_people",
            ),
            path(
                "<int:pk>/mobilise/",
                wrap(self.mobilise),
                name="companies_project_mobilise",
            ),
            path(
                "<int:pk>/demobilise/",
                wrap(self.demobilise),
                name="companies_project_demobilise",
            ),
            *super().get_urls(),
        ]

    def find(self, request: HttpRequest, pk: int, permission: str) -> Project:
        """The project of this address, as if others weren't there.

        Raises:
            Http404: when it is not one of the company’s, or may not be touched so.
        """
        project = self.get_object(request, str(pk))
        may = getattr(self, f"has_{permission}_permission")
        if project is None or not may(request, project):
            raise Http404
        return cast(Project, project)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer of the pages beside the form those that the reader may use."""
        context["may_add_people"] = self.has_invite_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def add_people(self, request: UserRequest, pk: int) -> HttpResponse:
        """Put several people on the project; who is on it stays as they are."""
        project = self.find(request, pk, "invite")
        completes = desk_company(request) is not None  # it would find those of all
        form = PeopleForm(
            request.POST or None, project=project, by=request.user, completes=completes
        )
        if form.is_valid():
            given = form.cleaned_data["template"]
            pairs = [(entry, project, given) for entry in form.cleaned_data["people"]]
            try:
                granting = ProjectMembership.objects.grant(
                    pairs, request.user, **form.days
                )
            except ValidationError as error:
                form.add_error(None, error.messages[0])
            else:
                there = [(grant.membership, ON_IT_ALREADY) for grant in granting.there]
                self.report(request, f"Added: {len(granting.made)}.", there)
                return redirect(crew_url(project))
        title = f"Add people to {project}"
        return self.page(request, project, title, form, verb="Add them")

    def mobilise(self, request: UserRequest, pk: int) -> HttpResponse:
        """Bring another project's crew here: first the difference, then the deed."""
        project = self.find(request, pk, "change")
        form = MobiliseForm(request.POST or None, project=project, by=request.user)
        crew: list[tuple[str, list[Any]]] = []
        if form.is_valid():
            source = form.cleaned_data["source"]
            if "apply" in request.POST:
                granting = project.mobilise(source, request.user, **form.days)
                done = f"{len(granting.made)} people of {source} are on {project} now."
                self.report(request, done, granting.not_made)
                return redirect(crew_url(project))
            crew = project.crew_difference(source)
        title = f"Bring a crew to {project}"
        return self.page(request, project, title, form, crew=crew)

    def demobilise(self, request: UserRequest, pk: int) -> HttpResponse:
        """End everybody on the project on a day."""
        project = self.find(request, pk, "change")
        form = LastDayForm(
            request.POST or None, initial={"last_day": timezone.localdate()}
        )
        if form.is_valid():
            count = project.demobilise(form.cleaned_data["last_day"], request.user)
            self.message_user(
                request, f"The last day of {count} people is set.", messages.SUCCESS
            )
            return redirect(crew_url(project))
        crew = [("On the project now or later", list(project.crew()))]
        title, verb = f"End everybody on {project}", "Set the last day"
        return self.page(request, project, title, form, crew=crew, verb=verb)

    def page(
        self,
        request: HttpRequest,
        project: Project,
        title: str,
        form: forms.Form,
        **more: Any,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": project,
            "form": form,
            **more,
        }
        return TemplateResponse(request, "admin/crew.html", context)


def crew_url(project: Project) -> str:
    """The list of who is on the project."""
    query = {"project__id__exact": project.pk}
    return reverse("admin:companies_projectmembership_changelist", query=query)


class StandingFilter(admin.SimpleListFilter):
    """Whether a grant holds today."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*Standing.choices, ("ending", "Ends within seven days")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        today, wanted = timezone.localdate(), self.value()
        if wanted == "ending":
            return queryset.ending(today)
        is_known = wanted in Standing.values
        return queryset.standing(wanted, today) if is_known else queryset


@admin.register(ProjectMembership)
class GrantAdmin(CompanyScopedAdmin):
    """Who is on which project: from the project's side, and in bulk."""

    form = GivingForm
    adds_from = Level.STANDARD
    list_display = ["person", "project", "template", "days", "state"]
    list_display_links = ["person"]
    list_filter = [
        StandingFilter,
        ("template", CompanyRelatedFilter),
        ("project", CompanyRelatedFilter),
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

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> Any:
        """By the project as a whole, or by what the directory is searched by."""
        term, company = search_term[:SEARCH_LENGTH].strip(), desk_company(request)
        people = Membership.objects.matching(term, company).order_by().values("pk")
        named = Q(name__icontains=term) | Q(number__icontains=term)
        projects = self.scope(Project.objects.filter(named), request)
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
        return grant.standing_words(timezone.localdate()) if grant.pk else "—"

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
            count = queryset.suspend(form.cleaned_data["reason"], request.user)
            self.report(request, f"Suspended: {count}.", [])
        return page

    @admin.action(
        description="Lift the suspension", permissions=["change"], location=EVERYWHERE
    )
    def lift(self, request: UserRequest, queryset: Any) -> None:
        self.report(request, f"Lifted: {queryset.lift(request.user)}.", [])

    @admin.action(description="End on …", permissions=["change"], location=EVERYWHERE)
    def end(self, request: UserRequest, queryset: Any) -> Any:
        form, page = self.ask(request, queryset, LastDayForm, "end", "Set the last day")
        if form:
            count = queryset.end(form.cleaned_data["last_day"], request.user)
            self.report(request, f"Last day set: {count}.", [])
        return page


@admin.register(Vendor)
class VendorAdmin(CompanyScopedAdmin):
    adds_from = Level.STANDARD
    list_display = ["name"]
    search_fields = ["name"]
    fields = ["name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A firm that nobody works for may go; the others are protected."""
        return self.has_change_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the people who are in the way, not a permission that nobody has."""
        listed, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return listed, counts, set() if protected else lacking, protected
