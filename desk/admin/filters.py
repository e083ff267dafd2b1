"""What the directory can be narrowed to, beside the words of a search."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from companies.admin.filters import ListedFilter, few, listed
from companies.admin.scoped_forms import row_keys
from companies.models import Project, ProjectMembership, Vendor
from companies.models.grants import ProjectMembershipQuerySet
from desk.status import QUESTIONS, Status, in_status


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*QUESTIONS, *Status.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        return in_status(queryset, wanted, timezone.now()) if wanted else queryset


def on_projects(*conditions: Q, **more: Any) -> ProjectMembershipQuerySet:
    """Who is on such a project or will be; the list of the grants has the others."""
    grants = ProjectMembership.objects.not_ended(timezone.localdate())
    return grants.filter(*conditions, **more)


class VendorFilter(ListedFilter):
    """By firm; who works for none is one of the company's own."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        self.empty_value_display = SafeString("Own people")
        return super().choices(changelist)


class ProjectFilter(admin.SimpleListFilter):
    title = "project"
    parameter_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return listed(Project, request, self.value())

    def has_output(self) -> bool:
        """Also where it offers nothing: Django drops what its address asks for."""
        return bool(self.used_parameters) or super().has_output()

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        keys = [int(key) for key in row_keys([self.value()])]
        grants = on_projects(project__in=keys)
        return queryset.filter(pk__in=grants.values("membership"))


class NameFilter(admin.SimpleListFilter):
    """A part of the name of what there is too much of to be listed.

    A box to type in, which needs no script; the rows that it leaves are the company's,
    as those of the whole list.
    """

    template = "desk/name_filter.html"
    model: type[Project | Vendor]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Nothing to choose from; a company with few has no box."""
        self.are_many = few(self.model, request) is None
        return []

    def has_output(self) -> bool:
        return self.are_many or bool(self.used_parameters)

    def choices(self, changelist: Any) -> Iterator[Any]:
        others = {
            name: value
            for name, value in changelist.params.items()
            if name != self.parameter_name
        }
        yield {
            "name": self.parameter_name,
            "value": self.value() or "",
            "others": others,
        }


class VendorNameFilter(NameFilter):
    title = "name of the firm"
    parameter_name = "vendor_name"
    model = Vendor

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        name = self.value()
        return queryset.filter(vendor__name__icontains=name) if name else queryset


class ProjectNameFilter(NameFilter):
    title = "name of the project"
    parameter_name = "project_name"
    model = Project

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        name = self.value()
        if not name:
            return queryset
        grants = on_projects(
            Q(project__name__icontains=name) | Q(project__number__icontains=name)
        )
        return queryset.filter(pk__in=grants.values("membership"))
