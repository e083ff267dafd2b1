"""Tables to take away, which no spreadsheet program takes for formulas."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import StreamingHttpResponse

from companies.models import ProjectMembership
from desk.columns import COLUMNS, STATUS
from desk.status import Status

# What a spreadsheet program reads as the beginning of a formula, in their full-width
# forms too, and behind blanks (T47); or what looks as if it was guarded already.
LIKE_FORMULA = re.compile(r"['\s]*[=+\-@\t\r\0＝＋－＠]")

# As the import reads them: the file can be corrected, and taken in again.
PEOPLE = [*COLUMNS, STATUS]
# So many people are read at a time: the file may be longer than the memory.
AT_ONCE = 2_000


class Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def harmless(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if LIKE_FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What `harmless` has made such a text of."""
    guarded = text.startswith("'") and LIKE_FORMULA.match(text)
    return text[1:].strip() if guarded else text


def csv_lines(header: list[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(Echo(), quoting=csv.QUOTE_ALL)
    yield "\ufeff"  # the mark that spreadsheet programs ask for
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([harmless(cell) for cell in row])


def csv_response(
    name: str, header: list[str], rows: Iterable[Iterable[Any]]
) -> StreamingHttpResponse:
    """Send rows as a file in UTF-8 while they are read."""
    return StreamingHttpResponse(
        csv_lines(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def people(entries: QuerySet[Any]) -> Iterator[list[Any]]:
    """One row for each project of a person; who is on none has one, too.

    Args:
        entries: of the directory, with their status.
    """
    grants = ProjectMembership.objects.select_related("project", "template")
    entries = entries.select_related(
        "user", "vendor", "template", "default_project_template"
    ).prefetch_related(
        Prefetch("project_memberships", grants.order_by("project__number"), "grants")
    )
    for entry in entries.iterator(AT_ONCE):
        person = [
            entry.address,
            entry.first_name,
            entry.last_name,
            entry.job_title,
            entry.phone,
            entry.vendor,
            entry.template,
            entry.default_project_template,
        ]
        status = Status(entry.status).label
        for grant in entry.grants or [None]:
            yield [*person, *place(grant), status]


def place(grant: ProjectMembership | None) -> list[Any]:
    if grant is None:
        return ["", "", "", ""]
    return [grant.project.number, grant.template, grant.starts_on, grant.ends_on]
