"""From the rows of a file to those of an import: where the header is, what it means."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from django.core.exceptions import ValidationError

from accounts.addresses import canonical_email
from desk.columns import (
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    NAME,
    PHONE,
    PROJECT,
    PROJECT_TEMPLATE,
    SILENT,
    column_of,
)
from desk.models import Import, ImportRow
from desk.spreadsheets import HEADER_WITHIN, Row, read_rows

MAX_ROWS = 20_000
# What the first cell with a text says in a row that sums up.
TOTAL = re.compile(
    r"(grand |sub)?totals?\b|sum\b|summe\b|(zwischen|end|gesamt)summe\b|gesamt\b"
    r"|insgesamt\b|anzahl\b|count\b",
    re.IGNORECASE,
)
Kind = ImportRow.Kind


def refusal(sentence: str, code: str) -> ValidationError:
    return ValidationError(sentence, code=code)


@dataclass
class Header:
    """Which column stands where; and what is to be said about the others."""

    at: int  # the number of its row
    columns: dict[int, str]
    notes: list[str] = field(default_factory=list)

    @classmethod
    def find(cls, rows: list[Row]) -> "Header":
        """Find the row, among the first ones, that names the column of the addresses.

        Raises:
            ValidationError: when there is none, or when two columns mean the same.
        """
        for number, row in enumerate(rows, 1):
            headings = [cell.text for cell in row]
            if EMAIL in map(column_of, headings):
                return cls.of(number, headings)
        raise refusal(
            "There is no header: one of the first 10 rows has to name the columns, at "
            "least ‘E-mail’. The template file shows them all.",
            "no_header",
        )

    @classmethod
    def of(cls, at: int, headings: list[str]) -> "Header":
        header = cls(at, {})
        named = {number: text for number, text in enumerate(headings) if text}
        ignored = []
        for number, text in named.items():
            column = column_of(text)
            if column == PHONE and PHONE in header.columns.values():
                ignored.append(text)  # 'Mobile' beside 'Telephone'
            elif column:
                header.columns[number] = column
            else:
                ignored.append(text)
        header.check_doubles(named)
        header.settle_names()
        header.settle_templates(named, ignored)
        if ignored:
            names = ", ".join(f"‘{text[:50]}’" for text in ignored)
            header.notes.append(f"Columns that were ignored: {names}.")
        return header

    def check_doubles(self, named: dict[int, str]) -> None:
        counted = Counter(self.columns.values())
        for column, count in counted.items():
            if count > 1 and column not in SILENT:
                texts = [named[n] for n, each in self.columns.items() if each == column]
                doubled = " and ".join(f"‘{text[:50]}’" for text in texts)
                raise refusal(
                    f"Several columns mean ‘{column}’: {doubled}. Delete or rename all "
                    "but one.",
                    "double_header",
                )

    def settle_names(self) -> None:
        """Take 'Name' beside a first name for the last name, as German lists do."""
        there = set(self.columns.values())
        if NAME in there and FIRST_NAME in there and LAST_NAME not in there:
            self.columns = {
                number: LAST_NAME if column == NAME else column
                for number, column in self.columns.items()
            }

    def settle_templates(self, named: dict[int, str], ignored: list[str]) -> None:
        """'Role' means a template of a project: without projects it means nothing."""
        if PROJECT in self.columns.values():
            return
        for number, column in list(self.columns.items()):
            if column == PROJECT_TEMPLATE:
                ignored.append(named[number])
                del self.columns[number]

    def repeats(self, row: Row) -> bool:
        """Whether a row says the header once more, as at the top of a printed page."""
        return [column_of(cell.text) for cell in row].count(EMAIL) == 1


@dataclass
class Reader:
    """Makes the rows of an import of a file."""

    source: Import
    rows: list[ImportRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    blank: int = 0

    def read(self) -> None:
        """Read the file.

        Raises:
            ValidationError: when it can't be read at all, with what to do about it.
        """
        rows = read_rows(bytes(self.source.content or b""), self.source.sheet)
        start = list(islice(rows, HEADER_WITHIN))
        header = Header.find(start)
        self.notes.append(f"The header is row {header.at}.")
        self.notes += header.notes
        below = chain(start[header.at :], rows)
        for number, row in enumerate(below, header.at + 1):
            self.rows += self.read_row(header, number, row)
            if len(self.rows) > MAX_ROWS:
                raise refusal(
                    "The file has more than 20,000 rows. Split it.", "too_many_rows"
                )
        if not self.rows:
            raise refusal("Below the header there are no rows.", "no_rows")
        self.note_ignored()

    def read_row(self, header: Header, number: int, row: Row) -> Iterator[ImportRow]:
        """One row; a blank one is only counted."""
        if not row:
            self.blank += 1
            return
        cells = {
            column: row[at].text
            for at, column in header.columns.items()
            if at < len(row) and column not in SILENT and row[at].text
        }
        made = ImportRow(
            company=self.source.company, source=self.source, number=number, cells=cells
        )
        if sums_up(row, cells) or header.repeats(row):
            made.kind, made.reason = Kind.IGNORED, "This is no row of a person."
        elif problems := [*self.problems(header, number, row), *read_address(made)]:
            made.kind, made.reason = Kind.REFUSED, " ".join(problems)
        yield made

    def problems(self, header: Header, number: int, row: Row) -> Iterator[str]:
        """Why cells can't be taken; ignored columns are of no account."""
        for at, column in header.columns.items():
            if at < len(row) and row[at].problem:
                yield f"Row {number}, {column}: {row[at].problem}"

    def note_ignored(self) -> None:
        ignored = [str(row.number) for row in self.rows if row.kind == Kind.IGNORED]
        if self.blank:
            self.notes.append(f"Empty rows that were ignored: {self.blank}.")
        if ignored:
            which = ", ".join(ignored[:20])
            more = f" and {len(ignored) - 20} more" if len(ignored) > 20 else ""
            self.notes.append(
                f"Ignored as totals or repeated headers: row {which}{more}."
            )


def sums_up(row: Row, cells: dict[str, str]) -> bool:
    """Whether a row is one of totals: it names no address, and says that it sums up."""
    first = next((cell.text for cell in row if cell.text), "")
    return "@" not in cells.get(EMAIL, "") and bool(TOTAL.match(first))


def read_address(row: ImportRow) -> Iterator[str]:
    """Give a row its address in the one way of writing it; or say why not."""
    text = row.cells.get(EMAIL, "")
    try:
        if not text:
            raise refusal("The address is missing. Enter it.", "required")
        row.email = canonical_email(text)
    except ValidationError as error:
        yield f"Row {row.number}, {EMAIL}: {error.messages[0]}"
