"""Projects with their crews, and the firms that people work for."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.requests import UserRequest
from audit.admin import SEARCH_LENGTH
from companies.admin.forms import LastDayForm, MobiliseForm, PeopleForm
from companies.admin.scoped import CompanyScopedAdmin
from companies.desk import desk_company
from companies.models import Project, ProjectMembership, Vendor
from companies.tools import Level


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
            granting = ProjectMembership.objects.grant(pairs, request.user, **form.days)
            done = f"Added: {len(granting.made)}."
            self.report(request, done, granting.not_made)
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
