"""Importing people: upload, the dry run, applying, undoing; each with its page."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
)
from django.shortcuts import redirect

from accounts.requests import UserRequest
from companies.admin import CompanyScopedAdmin
from companies.desk import choose_first, desk_company
from companies.models import Membership
from companies.tools import Level
from desk.columns import (
    COLUMNS,
    FIRST_NAME,
    LAST_NAME,
    NAME,
    PROJECT_NAME,
    REASON,
)
from desk.exports import csv_response
from desk.imports.forms import SheetForm, UploadForm, chosen_sheet
from desk.imports.values import split_name
from desk.models import Import, ImportRow
from desk.spreadsheets import xlsx_file
from invitations.models import Delivery

ROWS_A_PAGE = 100
FIRMS_NAMED = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@admin.register(Import)
class ImportAdmin(CompanyScopedAdmin):
    """Each import has one page, which shows the step that it is in."""

    # Whoever may add and invite people may bring a list of them.
    adds_from = Level.STANDARD
    list_display = ["name", "state_text", "created_at", "uploader"]
    list_filter = ["state"]
    search_fields = ["name"]
    search_help_text = "Search by the name of the file."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Without the files; with the name that the uploader has in this directory."""
        rows = super().get_queryset(request).defer("content")
        char: dict[str, Any] = {"output_field": models.CharField()}
        name = Trim(Concat("first_name", Value(" "), "last_name", **char))
        known = Coalesce(NullIf(name, Value(""), **char), "email", **char)
        entry = Membership.objects.filter(
            company=OuterRef("company"), user=OuterRef("uploaded_by")
        )
        uploader = Subquery(entry.values_list(known)[:1])
        return cast(models.QuerySet[Any], rows.annotate(uploader_name=uploader))

    def get_urls(self) -> list[Any]:
        return [
            self.own("<int:pk>/refused/", self.refused, "refused"),
            self.own("template.csv", self.template_csv, "template_csv"),
            self.own("template.xlsx", self.template_xlsx, "template_xlsx"),
            *super().get_urls(),
        ]

    # The list

    @admin.display(description="state", ordering="state")
    def state_text(self, source: Import) -> str:
        return source.get_state_display().capitalize()

    @admin.display(description="uploaded by")
    def uploader(self, source: Any) -> str:
        """By the name of the entry: who the operator is, nobody reads here (T45)."""
        return source.uploader_name or "the operator"

    # Uploading

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        company = desk_company(request)
        if not self.has_add_permission(request):
            raise PermissionDenied
        if company is None:
            return choose_first(request)
        user = cast(UserRequest, request).user
        form = UploadForm(
            request.POST or None, request.FILES or None, company=company, by=user
        )
        if request.method == "POST" and form.is_valid():
            name = str(form.cleaned_data["file"].name)
            source = Import.objects.bring(
                company, name, form.content, user, **form.choices
            )
            return redirect("admin:desk_import_change", source.pk)
        more = {"form": form, "columns": COLUMNS}
        return self.page(request, "desk/import_upload.html", "Import people", **more)

    def template_csv(self, request: HttpRequest) -> HttpResponseBase:
        """An empty list with all columns, to be filled in."""
        self.check_view(request)
        return csv_response("people", COLUMNS, [])

    def template_xlsx(self, request: HttpRequest) -> HttpResponse:
        self.check_view(request)
        disposition = {"Content-Disposition": 'attachment; filename="people.xlsx"'}
        content = xlsx_file("People", [COLUMNS])
        return HttpResponse(content, content_type=XLSX, headers=disposition)

    def check_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    # The page of an import

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        source = self.get_object(request, object_id)
        if source is None:
            # As Django's own page answers, which says that there is none.
            return super().change_view(request, object_id)
        if not self.has_view_permission(request, source):
            raise PermissionDenied
        if request.method == "POST":
            self.go_on(cast(UserRequest, request), source)
            return redirect("admin:desk_import_change", source.pk)
        told = self.told(request, source)
        return self.page(request, "desk/import.html", source.name, **told)

    def told(self, request: HttpRequest, source: Import) -> dict[str, Any]:
        """What the page says: counts, and the rows of the kind that is asked for."""
        counts = source.counts()
        chosen = chosen_kind(request, source, counts)
        rows = source.rows.select_related("membership__user")
        if chosen:
            rows = rows.of_kind(chosen)
        firms = source.rows.new_firms()
        return {
            "original": source,
            "done": source.progress(),
            "kinds": [
                (kind, counts[kind]) for kind in ImportRow.Kind if kind in counts
            ],
            "stays": counts.get(ImportRow.Kind.KEPT, 0),
            "chosen": chosen,
            "rows": Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("p")),
            "firms": firms[:FIRMS_NAMED],
            "firm_count": len(firms),
            "more_firms": len(firms) - FIRMS_NAMED,
            "has_refused": ImportRow.Kind.REFUSED in counts,
            "writes": sum(counts.get(kind, 0) for kind in ImportRow.DOING),
            "has_mails": source.has_invitations
            and Delivery.objects.filter(batch=source.batch).exists(),
            "sheet_form": SheetForm(source=source),
            "may_go_on": self.has_invite_permission(request),
            "may_undo": self.has_change_permission(request, source),
            "may_read_history": self.has_history_permission(request),
        }

    def go_on(self, request: UserRequest, source: Import) -> None:
        """Do what a button of the page says.

        Raises:
            PermissionDenied: when the reader may not do that.
        """
        verb = request.POST.get("verb")
        is_allowed = (
            self.has_change_permission(request, source)
            if verb == "undo"
            else self.has_invite_permission(request)
        )
        if not is_allowed:
            raise PermissionDenied
        try:
            match verb:
                case "start":
                    source.start(chosen_sheet(source, request.POST))
                case "apply":
                    source.apply(request.user)
                case "cancel":
                    source.cancel()
                case "undo":
                    source.undo(request.user)
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)

    def refused(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The refused rows as a file, to be mended and imported again."""
        rows = self.find(request, pk).rows.refused().order_by("number")
        again = said_again(rows)
        header = [*COLUMNS, *again, REASON]
        return csv_response(
            "refused", header, (as_cells(row, again) for row in rows.iterator())
        )


def said_again(rows: models.QuerySet[ImportRow]) -> list[str]:
    """The columns that some rows say twice: without them nothing would be refused."""
    said = rows.values_list("cells", "others").iterator()
    twice = {
        column
        for cells, others in said
        for column in [*in_columns(others), *cells.keys() & {PROJECT_NAME}]
    }
    return [column for column in [*COLUMNS, PROJECT_NAME] if column in twice]


def chosen_kind(request: HttpRequest, source: Import, counts: dict[str, int]) -> str:
    """Of which kind rows are shown; empty for all.

    Before a list is applied they are the refused ones, until one asks for others.
    """
    is_planned = source.state == Import.State.PLANNED
    first = ImportRow.Kind.REFUSED.value if is_planned else ""
    asked = request.GET.get("kind", first)
    return asked if asked in counts else ""


def as_cells(row: ImportRow, again: list[str]) -> list[str]:
    """A refused row in our own columns, with the reason behind it."""
    cells = in_columns(row.cells)
    others = in_columns(row.others) | {PROJECT_NAME: cells.get(PROJECT_NAME, "")}
    return [
        *(cells.get(column, "") for column in COLUMNS),
        *(others.get(column, "") for column in again),
        row.reason,
    ]


def in_columns(cells: dict[str, str]) -> dict[str, str]:
    """First and last name are columns of their own."""
    if whole := cells.get(NAME):
        first, last = split_name(whole)
        return cells | {FIRST_NAME: first, LAST_NAME: last}
    return cells
