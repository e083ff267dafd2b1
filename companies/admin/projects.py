"""Projects with their crews, and the firms that people work for."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts.requests import UserRequest
from audit.admin import SEARCH_LENGTH
from companies.admin.forms import LastDayForm, MobiliseForm, PeopleForm
from companies.admin.scoped import CompanyScopedAdmin
from companies.desk import desk_company
from companies.models import Project, ProjectMembership, Vendor
from companies.tools import Level

CREW = "admin/crew.html"


@admin.register(Project)
class ProjectAdmin(CompanyScopedAdmin):
    list_display = ["name", "number", "city", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "number", "city"]  # in the way of `matching`
    fields = ["name", "number", "city", "is_active"]

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> Any:
        return queryset.matching(search_term[:SEARCH_LENGTH]), False

    def get_urls(self) -> list[Any]:
        return [
            self.own("<int:pk>/people/", self.add_people, "add_people"),
            self.own("<int:pk>/mobilise/", self.mobilise, "mobilise"),
            self.own("<int:pk>/demobilise/", self.demobilise, "demobilise"),
            *super().get_urls(),
        ]

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
            granting = ProjectMembership.objects.grant(pairs, request.user, **form.days)
            self.report(request, f"Added: {len(granting.made)}.", granting.not_made)
            return redirect(crew_url(project))
        title = f"Add people to {project}"
        return self.page(
            request, CREW, title, original=project, form=form, verb="Add them"
        )

    def mobilise(self, request: UserRequest, pk: int) -> HttpResponse:
        """Copy another project's crew: first the difference, then the deed."""
        project = self.find(request, pk, "change")
        form = MobiliseForm(request.POST or None, project=project, by=request.user)
        crew: list[tuple[str, list[Any]]] = []
        if form.is_valid():
            source = form.cleaned_data["source"]
            if "apply" in request.POST:
                granting = project.mobilise(source, request.user, **form.days)
                done = f"Added: {len(granting.made)}."
                self.report(request, done, granting.not_made)
                return redirect(crew_url(project))
            crew = project.crew_difference(source)
        title = f"Copy a crew to {project}"
        return self.page(request, CREW, title, original=project, form=form, crew=crew)

    def demobilise(self, request: UserRequest, pk: int) -> HttpResponse:
        """Set a last day for everyone on the project."""
        project = self.find(request, pk, "change")
        form = LastDayForm(
            request.POST or None, initial={"last_day": timezone.localdate()}
        )
        if form.is_valid():
            count = project.demobilise(form.cleaned_data["last_day"], request.user)
            self.report(request, f"Last day set: {count}.", [])
            return redirect(crew_url(project))
        ended = list(project.crew_with_suspended())
        crew = [("On the project now or later", ended)]
        title, verb = f"Set a last day for everyone on {project}", "Set the last day"
        return self.page(
            request, CREW, title, original=project, form=form, crew=crew, verb=verb
        )


def crew_url(project: Project) -> str:
    """The list of who is on the project."""
    query = {"project__id__exact": project.pk}
    return reverse("admin:companies_projectmembership_changelist", query=query)


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
