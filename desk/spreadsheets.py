"""Reading the files that people have: CSV in any dialect, and XLSX (T47).

What comes out is rows of cells. Whatever is wrong with a file is said in a sentence; a
cell that can't be taken is marked, so that it costs its own row and no other one.
"""

import csv
import io
import logging
import re
import zipfile
import zlib
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.core.exceptions import ValidationError
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.utils import range_boundaries

from desk.archives import (
    MAX_PARTS,
    RELATIONS,
    WORKBOOK,
    check_archive,
    check_parts,
    too_much,
)
from desk.columns import column_of
from desk.encodings import decoded
from desk.exports import unguarded

logger = logging.getLogger(__name__)

MAX_BYTES = 10 * 2**20
MAX_COLUMNS = 200
MAX_CELL = 2**16
# A longer cell is read all the same, and costs its row only.
csv.field_size_limit(MAX_BYTES)
# Of all cells: an XLSX file can name one long text in each of them.
MAX_TEXT = 32 * 2**20
MAX_SHEET_NAME = 200
# Spreadsheet programs save formatted emptiness down to row 1,048,576.
MAX_BLANK_ROWS = 1000
# The first rows, one of which is the header.
HEADER_WITHIN = 10
SEPARATORS = ";,\t|"
TABLE = "/worksheet"
KEY = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

# What a broken archive or a broken part of it makes of its readers.
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError),
    *(ParseError, LookupError, ValueError),
)
# What no database stores in a text, and what `faulty` puts in its place.
UNSTORABLE = re.compile("[\0\ud800-\udfff\ufffd]")

NO_XLSX = (
    "This file can't be read as XLSX. Open it in a spreadsheet program and save it "
    "again."
)
FORMULA = "This cell holds a formula. Replace it with its value."
FAULTY = "This cell holds an error. Replace it with its value."
TOO_LONG = "This is longer than 64 kB. Shorten it."
QUOTES = "A quotation mark in this cell isn’t closed, or stands alone. Correct it."
NUL = "This cell holds an invisible character. Type it in again by hand."


def refusal(sentence: str, code: str = "unreadable") -> ValidationError:
    return ValidationError(sentence, code=code)


@dataclass(frozen=True)
class Cell:
    """The text of a cell, and the reason why it can't be taken, if there is one.

    A date is written as 2027-04-03, which is read as a date again. What can't be taken
    is kept as it stands there: an empty cell would be imported, were it given back.
    """

    text: str = ""
    problem: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.text or self.problem)

    @property
    def sound(self) -> str:
        """What it says, as far as it can be taken."""
        return "" if self.problem else self.text


type Row = list[Cell]
BLANK = Cell()


def faulty(text: str, problem: str) -> Cell:
    """A cell that can't be taken, as far as a database keeps it.

    It is as long, at least, as what is too long.
    """
    return Cell(UNSTORABLE.sub("\ufffd", text[: MAX_CELL + 1]), problem)


# What kind of file it is ---------------------------------------------------------


def is_xlsx(content: bytes) -> bool:
    return content.startswith(b"PK")


def check_file(content: bytes) -> list[str]:
    """Check the kind and the size of a file, by what is in it and not by its name.

    It is quick: nothing is unpacked but the list of the sheets.

    Returns:
        the names of the sheets that are shown; a CSV file has none.

    Raises:
        ValidationError: with what to do about it.
    """
    if len(content) > MAX_BYTES:
        raise refusal("The file is larger than 10 MiB. Split it.", "too_big")
    if not content.strip():
        raise refusal("The file is empty. Choose another one.", "empty")
    if is_xlsx(content):
        return sheet_names(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise refusal(
            "This is an Excel file of the old kind (.xls), or one with a password. "
            "Save it as .xlsx without a password.",
            "old_excel",
        )
    if is_binary(content[:4096]):
        raise refusal("This is no CSV or XLSX file. Choose another one.", "wrong_type")
    return []


def is_binary(start: bytes) -> bool:
    """Whether so many control characters are there that it can't be a text."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    controls = sum(byte < 9 or 13 < byte < 32 for byte in start)
    return start.startswith(b"%PDF") or controls > len(start) / 50


def sheet_names(content: bytes) -> list[str]:
    """The sheets of an XLSX file that aren't hidden, once its size is known to be fair.

    Raises:
        ValidationError: when it is none, is broken, or would unpack to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_archive(archive)
            workbook = fromstring(archive.read(WORKBOOK))
            relations = fromstring(archive.read(RELATIONS))
    except DefusedXmlException:
        raise refusal("This file may not be safe, so it wasn't opened.") from None
    except UNREADABLE:
        raise refusal(NO_XLSX) from None
    # A chart can be a sheet, too.
    tables = {
        each.get("Id") for each in relations if each.get("Type", "").endswith(TABLE)
    }
    sheets = workbook.iter(f"{MAIN}sheet")
    names = [
        sheet.get("name", "")
        for sheet in sheets
        if sheet.get("state", "visible") == "visible" and sheet.get(KEY) in tables
    ]
    if len(names) > MAX_PARTS or max(map(len, names), default=0) > MAX_SHEET_NAME:
        raise refusal(NO_XLSX)
    return names


# Rows ------------------------------------------------------------------------------


def read_rows(content: bytes, sheet: str = "") -> Iterator[Row]:
    """Give the rows of a file, or of a sheet of it, down to its last one.

    Raises:
        ValidationError: with what to do about the file.
    """
    check_file(content)
    rows = xlsx_rows(content, sheet) if is_xlsx(content) else csv_rows(content)
    blank = length = 0
    for row in rows:
        while row and row[-1].is_blank:
            row.pop()
        check_width(row)
        length += sum(len(cell.text) for cell in row)
        if length > MAX_TEXT:
            raise too_much("The cells hold more than 32 MiB of text.")
        blank = 0 if row else blank + 1
        if blank > MAX_BLANK_ROWS:
            return
        yield row


def check_width(row: list[Any]) -> None:
    if len(row) > MAX_COLUMNS:
        raise refusal("The file has more than 200 columns. Delete some.")


def xlsx_rows(content: bytes, sheet: str) -> Iterator[Row]:
    try:
        merged = check_parts(content)
        # Formulas as they are, not what they once amounted to.
        book = openpyxl.load_workbook(
            io.BytesIO(content), read_only=True, keep_links=False
        )
        chosen: Any = book[sheet] if sheet else book.worksheets[0]
        # What the file says of its size needn't be true.
        chosen.reset_dimensions()
        rows = (
            [BLANK if cell.value is None else xlsx_cell(cell) for cell in row]
            for row in chosen.iter_rows(max_col=MAX_COLUMNS + 1)
        )
        yield from filled_down(rows, merged.get(chosen._worksheet_path, []))
    except ValidationError:
        raise
    except Exception:  # openpyxl trips over a broken file in many ways
        logger.info("An XLSX file can't be read", exc_info=True)
        raise refusal(NO_XLSX) from None


def filled_down(rows: Iterable[Row], merged: list[str]) -> Iterator[Row]:
    """Let cells that are merged over several rows say the same in each of them.

    Only the first has the value. To the right nothing is said again: it would stand
    under other headings. A row that says nothing else stays empty.
    """
    begun: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for place in merged:
        bounds: Any = range_boundaries(place)
        column, first, _, last = bounds
        begun[first].append((column - 1, last))
    held: dict[int, tuple[int, Cell]] = {}
    for number, row in enumerate(rows, 1):
        held = {at: (last, cell) for at, (last, cell) in held.items() if last >= number}
        if held and not all(cell.is_blank for cell in row):
            for at, (_, cell) in held.items():
                row[at] = cell
        held |= {at: (last, row[at]) for at, last in begun[number] if at < len(row)}
        yield row


def xlsx_cell(cell: Any) -> Cell:
    value = cell.value
    if cell.data_type == "f":
        # That of many cells is an object which has it.
        return faulty(str(getattr(value, "text", value)), FORMULA)
    if isinstance(value, datetime):
        return Cell(value.date().isoformat())
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a telephone number, a project's number
    return text_cell(str(value))


class Lines:
    """The lines of a text, of which those that were taken can be read once more."""

    def __init__(self, text: str) -> None:
        self.rest = io.StringIO(text, newline="")
        self.again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else next(self.rest)
        self.taken.append(line)
        return line

    def go_back(self) -> str:
        """Give the first of the lines that were taken; the next one is read again."""
        first, *others = self.taken
        self.again.extendleft(reversed(others))
        return first


def csv_rows(content: bytes) -> Iterator[Row]:
    text = decoded(content)
    # The one that makes most of the headings ours: names and projects hold commas too.
    start = text[:MAX_CELL].splitlines()[:HEADER_WITHIN]
    separator = max(SEPARATORS, key=lambda each: known_headings(start, each))
    lines = Lines(text)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        lines.taken.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A mark that isn't closed would take in all lines below.
            yield broken_row(lines.go_back(), separator)
            continue
        # Before cells are made of them: a line may be ten million commas.
        while row and not row[-1].strip():
            row.pop()
        check_width(row)
        yield [csv_cell(text) for text in row]


def broken_row(line: str, separator: str) -> Row:
    """The cells of a line whose quotation marks break the rules.

    Behind a mark that isn't closed nobody knows where a cell ends.
    """
    end = re.escape(separator)
    cells = re.findall(
        rf'("(?:[^"]|"")*+")?+([^{end}]*+){end}', line.rstrip("\r\n") + separator
    )
    check_width(cells)
    row: Row = []
    is_open = False
    for quoted, rest in cells:
        is_open = is_open or rest.startswith('"')
        if is_open or (quoted and rest.strip()):
            row.append(faulty((quoted + rest).strip(), QUOTES))
        else:
            row.append(csv_cell(quoted[1:-1].replace('""', '"') or rest))
    return row


def known_headings(lines: list[str], separator: str) -> int:
    """How many of our columns the best of these lines names."""
    return max(
        (len({*map(column_of, line.split(separator))} - {None}) for line in lines),
        default=0,
    )


def csv_cell(text: str) -> Cell:
    """A cell; one of an export of ours loses the mark that guards it there."""
    text = text.strip()
    return faulty(text, FORMULA) if text.startswith("=") else text_cell(text)


def text_cell(text: str) -> Cell:
    if len(text) > MAX_CELL:
        return faulty(text, TOO_LONG)
    if UNSTORABLE.search(text):
        return faulty(text, NUL)
    if text in ERROR_CODES:
        return faulty(text, FAULTY)
    return Cell(unguarded(text.strip()))


# Files to take away ----------------------------------------------------------------


def xlsx_file(title: str, rows: Iterable[list[str]]) -> bytes:
    """A workbook of one sheet, all of it text."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    sheet.freeze_panes = "A2"
    for column in sheet.columns:
        sheet.column_dimensions[column[0].column_letter].width = 24
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
