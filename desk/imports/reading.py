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
    PROJECT_NAME,
    PROJECT_TEMPLATE,
    SILENT,
    column_of,
    plain,
)
from desk.encodings import note_encoding
from desk.imports.values import TOLD
from desk.models import Import, ImportRow
from desk.spreadsheets import HEADER_WITHIN, Row, is_xlsx, read_rows, refusal

MAX_ROWS = 20_000
# What the first cell with a text says in a row that sums up.
TOTAL = re.compile(
    r"((grand |sub)?totals?|sum|(zwischen|end|gesamt)?summe|gesamt(zahl)?|insgesamt"
    r"|anzahl|count)\b[\W\d]*",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"\S@\S+\.\S")
# How the heading of a column of numbers ends, as `plain` leaves it.
NUMBERED = re.compile(r"(numbers?|nummern?|no|nr)$")
Kind = ImportRow.Kind


@dataclass
class Header:
    """Which column stands where; and what is to be said about the others."""

    at: int  # the number of its row
    columns: dict[int, str]
    notes: list[str] = field(default_factory=list)

    @classmethod
    def find(cls, rows: list[Row]) -> "Header":
        """Find the row, of the first ones, that names the most of our columns.

        A letterhead names some too, as in 'E-mail: | office@bolt.example'; a header
        holds no address.

        Raises:
            ValidationError: when none names the column of the addresses.
        """
        texts = [[cell.sound for cell in row] for row in rows]
        known = [{*map(column_of, each)} - {None} for each in texts]
        headers = [
            number
            for number, each in enumerate(texts)
            if EMAIL in known[number] and not any(map(ADDRESS.search, each))
        ]
        if not headers:
            raise refusal(
                "There is no header: one of the first 10 rows has to name the columns, "
                "at least ‘E-mail’. The template file shows them all.",
                "no_header",
            )
        best = max(headers, key=lambda number: len(known[number]))
        return cls.of(best + 1, texts[best])

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
        header.settle_names(named, ignored)
        header.note_doubles(named)
        header.settle_projects(named)
        header.settle_templates(named, ignored)
        if ignored:
            names = ", ".join(f"‘{text[:50]}’" for text in ignored)
            header.notes.append(f"Columns that were ignored: {names}.")
        return header

    def note_doubles(self, named: dict[int, str]) -> None:
        counted = Counter(self.columns.values())
        for column, count in counted.items():
            if count > 1 and column not in SILENT:
                texts = [named[n] for n, each in self.columns.items() if each == column]
                doubled = " and ".join(f"‘{text[:50]}’" for text in texts)
                rule = (
                    "The number counts before the name."
                    if column == PROJECT
                    else "The first that isn’t empty counts."
                )
                self.notes.append(f"Several columns mean ‘{column}’: {doubled}. {rule}")

    def settle_projects(self, named: dict[int, str]) -> None:
        """Of several columns the numbers say which project; the others confirm it."""
        at = [n for n, column in self.columns.items() if column == PROJECT]
        at.sort(key=lambda n: not NUMBERED.search(plain(named[n])))
        for number in at[1:]:
            self.columns[number] = PROJECT_NAME

    def settle_names(self, named: dict[int, str], ignored: list[str]) -> None:
        """Take 'Name' beside a first name for the last name, as German lists do.

        Beside both it is somebody else's, such as that of a contact person.
        """
        there = set(self.columns.values())
        if FIRST_NAME not in there:
            return
        for number in [n for n, column in self.columns.items() if column == NAME]:
            if LAST_NAME in there:
                ignored.append(named[number])
                del self.columns[number]
            else:
                self.columns[number] = LAST_NAME

    def settle_templates(self, named: dict[int, str], ignored: list[str]) -> None:
        """'Role' means a template of a project: without projects it means nothing."""
        if PROJECT in self.columns.values():
            return
        for number, column in list(self.columns.items()):
            if column == PROJECT_TEMPLATE:
                ignored.append(named[number])
                del self.columns[number]

    def texts(self, row: Row) -> dict[str, list[str]]:
        """What a row says in the columns that we know, where it says something."""
        texts: dict[str, list[str]] = {}
        for at, column in self.columns.items():
            if at < len(row) and column not in SILENT and row[at].text:
                texts.setdefault(column, []).append(row[at].text)
        return texts

    def cells(self, texts: dict[str, list[str]]) -> dict[str, str]:
        """One text of each column: of several the first."""
        cells = {column: first for column, (first, *_) in texts.items()}
        if PROJECT_NAME in cells and PROJECT not in cells:
            cells[PROJECT] = cells.pop(PROJECT_NAME)
        # 'Smith, John', where nothing else says the first name.
        has_first_names = FIRST_NAME in self.columns.values()
        if "," in cells.get(LAST_NAME, "") and not has_first_names:
            cells[NAME] = cells.pop(LAST_NAME)
        return cells


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
        content = bytes(self.source.content or b"")
        rows = read_rows(content, self.source.sheet)
        start = list(islice(rows, HEADER_WITHIN))
        header = Header.find(start)
        self.notes.append(f"The header is row {header.at}.")
        if not is_xlsx(content) and (note := note_encoding(content)):
            self.notes.append(note)
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
        texts = header.texts(row)
        made = ImportRow(
            company=self.source.company,
            source=self.source,
            number=number,
            cells=header.cells(texts),
            others=dict(contradictions(texts)),
        )
        if sums_up(row, made.cells) or repeats(row, made.cells):
            made.kind, made.reason = Kind.IGNORED, "This is no row of a person."
        else:
            problems = [
                *self.problems(header, number, row),
                *told(made),
                *read_address(made),
            ]
            if problems:
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


def contradictions(texts: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """What another column of the same meaning says, where that is something else.

    What is said of projects is compared once they are found.
    """
    for column, (first, *others) in texts.items():
        other = next((x for x in others if x.casefold() != first.casefold()), "")
        if other and column != PROJECT_NAME:
            yield column, other


def told(row: ImportRow) -> Iterator[str]:
    """The contradictions of a row, in sentences."""
    for column, other in row.others.items():
        # A name in one cell stands under another heading.
        first = row.cells.get(column) or row.cells.get(NAME, "")
        yield (
            f"Row {row.number}, {column}: ‘{first[:TOLD]}’ stands in one column and "
            f"‘{other[:TOLD]}’ in another. Leave one of them."
        )


def sums_up(row: Row, cells: dict[str, str]) -> bool:
    """Whether a row is one of totals: it says that it sums up, and names nobody.

    What says so is no name beside a figure: 'Total people: 3', 'Summe Mitarbeiter | 3'.
    """
    first = next((cell.text for cell in row if cell.text), "")
    if not TOTAL.match(first):
        return False
    has_figure = any(cell.problem or re.search(r"\d", cell.text) for cell in row)
    no_names = {cell.text for cell in row if cell.problem} | (
        {first} if has_figure else set()
    )
    named = [cells.get(column, "") for column in (EMAIL, NAME, FIRST_NAME, LAST_NAME)]
    return not any(
        re.search(r"[^\W\d_]", text) and not TOTAL.fullmatch(text)
        for text in named
        if text not in no_names or "@" in text
    )


def repeats(row: Row, cells: dict[str, str]) -> bool:
    """Whether a row says the header once more, as at the top of a printed page."""
    headings = {column_of(cell.text) for cell in row} - {None}
    return column_of(cells.get(EMAIL, "")) == EMAIL and len(headings) > 1


def read_address(row: ImportRow) -> Iterator[str]:
    """Give a row its address in the one way of writing it; or say why not."""
    text = row.cells.get(EMAIL, "")
    try:
        if not text:
            raise refusal("The address is missing. Enter it.", "required")
        row.email = canonical_email(text)
    except ValidationError as error:
        yield f"Row {row.number}, {EMAIL}: {error.messages[0]}"
