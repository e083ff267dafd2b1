"""The history of a company: what happened, by whom, to whom; and of all companies."""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join

from accounts.models import User
from accounts.requests import UserRequest
from audit.models import AuditEvent, AuditEventQuerySet
from companies.admin import CompanyScopedAdmin
from companies.desk import desk_company
from companies.models import Membership
from desk.exports import csv_response
from desk.history import HistoryForm, told_to
from invitations.emails import moment

LIST = "admin:audit_auditevent_changelist"
# Of so many one reads page by page; the older ones are asked for by their time.
COUNTED = 10_000
EXPORTED = 50_000
MORE = "There is more: choose a shorter time."


class HistoryPaginator(Paginator[Any]):
    """Counts as far as anybody reads: the table gets millions of rows.

    In the order of the list, which leads PostgreSQL to the index of a company's events.
    """

    @cached_property
    def count(self) -> int:
        return cast(models.QuerySet[Any], self.object_list)[:COUNTED].count()

    @property
    def is_cut(self) -> bool:
        return self.count == COUNTED


class HistoryFilter(admin.ListFilter):
    """All questions in one form: people are too many to be listed one by one."""

    title = "history"
    template = "desk/history_filter.html"

    def __init__(
        self, request: HttpRequest, params: Any, model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        asked = {
            name: params.pop(name)[-1]
            for name in self.expected_parameters()
            if name in params
        }
        reader = cast(User, request.user)
        self.form = HistoryForm(asked, reader=reader, auto_id="history_%s")

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(HistoryForm.base_fields)

    def choices(self, changelist: Any) -> Iterator[Any]:
        """What else the address asks for, which the form must not drop."""
        yield {"name": "q", "value": changelist.query}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.form.is_valid():
            return queryset.none()
        words = self.form.cleaned_data
        people = (
            self.people(request, words[name]) if words[name] else None
            for name in ("person", "actor")
        )
        return self.form.narrow(queryset, *people)

    def people(self, request: HttpRequest, words: str) -> Any:
        """The people of the own directory whom the words mean; no others are asked."""
        return Membership.objects.order_by().matching(words, desk_company(request))


@admin.register(AuditEvent)
class HistoryAdmin(CompanyScopedAdmin):
    """To be read and taken away; whoever administers a company reads its own."""

    list_display = ["when", "what", "about", "details"]
    list_display_links = None
    list_filter = [HistoryFilter]
    list_select_related = ["actor", "company"]
    sortable_by = ()
    search_fields = ["about_label"]
    search_help_text = "Search by what it was about."
    show_facets = admin.ShowFacets.NEVER
    paginator = HistoryPaginator

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        events = cast(AuditEventQuerySet, super().get_queryset(request))
        return told_to(cast(User, request.user), events)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The newest first; of one company by the time, which its index begins with.

        By the number PostgreSQL would read the whole table backwards to find the rows
        of a company where nothing has happened lately.
        """
        return ("-at", "-id") if desk_company(request) else ("-id",)

    def filter_parameters(self, request: HttpRequest) -> Iterator[set[str]]:
        yield set(HistoryForm.base_fields)

    # Who may

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The list says all that there is: no event has a page of its own."""
        return obj is None and super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # What a reader sees

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        reader = cast(User, request.user)

        @admin.display(description="who", empty_value="—")
        def who(event: AuditEvent) -> str:
            return event.who(reader)

        when, *others = super().get_list_display(request)
        origin = ["client_address"] if reader.is_superuser else []
        return [when, who, *others, *origin]

    @admin.display(description="when")
    def when(self, event: AuditEvent) -> str:
        return moment(event.at)

    @admin.display(description="what")
    def what(self, event: AuditEvent) -> str:
        words = event.get_kind_display()
        return words[0].upper() + words[1:]

    @admin.display(description="about")
    def about(self, event: AuditEvent) -> str:
        """Whom or what; a person with a link to what happened to them besides."""
        if event.about_model != Membership._meta.label_lower:
            return event.about_label
        url = reverse("admin:companies_membership_history", args=[event.about_id])
        return format_html('<a href="{}">{}</a>', url, event.about_label)

    @admin.display(description="details")
    def details(self, event: AuditEvent) -> str:
        return format_html_join("", "<div>{}</div>", ((x,) for x in event.details))

    # To take away

    def get_urls(self) -> list[Any]:
        return [self.own("export/", self.export, "export"), *super().get_urls()]

    def export(self, request: UserRequest) -> HttpResponseBase:
        """Send what the list, with its search and its filters, would show."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            events = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect(f"{reverse(LIST)}?e=1")
        header = ["When", "Who", "What", "About", "Details"]
        if desk_company(request) is None:
            header.append("Company")
        if request.user.is_superuser:
            header.append("Client address")
        return csv_response("history", header, self.exported(request, events))

    def exported(
        self, request: UserRequest, events: models.QuerySet[AuditEvent]
    ) -> Iterator[list[Any]]:
        """The rows of the file, and a word at its end when it is not all."""
        newest = events.select_related("actor", "company")[: EXPORTED + 1]
        for number, event in enumerate(newest.iterator(chunk_size=2000)):
            if number == EXPORTED:
                yield [MORE]
                return
            yield self.exported_row(request, event)

    def exported_row(self, request: UserRequest, event: AuditEvent) -> list[Any]:
        row = [
            timezone.localtime(event.at).isoformat(timespec="seconds"),
            event.who(request.user),
            self.what(event),
            event.about_label,
            "; ".join(event.details),
        ]
        if desk_company(request) is None:
            row.append(str(event.company or ""))
        if request.user.is_superuser:
            row.append(event.client_address or "")
        return row
