"""An XLSX file is an archive of XML parts: bombs are refused before one goes off (T47).

A hundred kilobytes can be packed so that they fill the memory and keep a worker busy
for minutes: with styles, with cells of one row, or with sheets that have no name.
"""

import io
import zipfile
from contextlib import suppress
from typing import Any, NoReturn
from xml.parsers import expat

from django.core.exceptions import ValidationError

MAX_UNPACKED = 100 * 2**20
MAX_PARTS = 1000
MAX_WORKBOOK = 2 * 2**20  # each of the parts that name the sheets
# Of all parts together: 20,000 rows of 50 columns have some three millions.
MAX_ELEMENTS = 5_000_000
# Of these, what is neither a row nor a cell nor a text: styles, links, rules.
MAX_OTHERS = 300_000
MAX_CELLS = 16_384  # of one row, as many as Excel has
WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
CELL = "c"
ROW = "row"
MERGED = "mergeCell"
OF_TABLES = {ROW, CELL, *("v", "f", "is", "si", "t", "r", "rPr", "rPh", "phoneticPr")}


def too_much(sentence: str) -> ValidationError:
    return ValidationError(
        f"{sentence} Save only the people as a file of their own.",
        code="too_big_unpacked",
    )


def check_archive(archive: zipfile.ZipFile) -> None:
    """Refuse what would unpack to too much: zipfile keeps to the stated sizes.

    Raises:
        ValidationError: with what to do about it.
    """
    parts = archive.infolist()
    if len(parts) > MAX_PARTS or sum(x.file_size for x in parts) > MAX_UNPACKED:
        raise too_much("Unpacked, this file is larger than 100 MiB.")
    names = [archive.getinfo(WORKBOOK), archive.getinfo(RELATIONS)]
    if max(part.file_size for part in names) > MAX_WORKBOOK:
        raise too_much("This file has too many sheets.")


def check_parts(content: bytes) -> dict[str, list[str]]:
    """Count what the parts hold, as they are unpacked, before a tree is made of them.

    Whichever part is read as what: an archive can name each as it likes.

    Returns:
        of each part the ranges of merged cells, as in 'A2:A5'.

    Raises:
        ValidationError: with what to do about it.
    """
    census = Census()
    merged = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.infolist():
            # A picture; or broken, which whoever reads it finds at the same place.
            with archive.open(part) as stream, suppress(expat.ExpatError):
                census.parser().ParseFile(stream)
            merged[part.filename], census.merged = census.merged, []
    return merged


class Census:
    """How many elements the parts of an archive have, of each sort."""

    def __init__(self) -> None:
        self.elements = self.others = self.cells = 0
        self.merged: list[str] = []  # of the present part

    def parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self.count
        parser.EntityDeclHandler = leave
        return parser

    def count(self, name: str, attributes: Any) -> None:
        kind = name.rpartition(":")[2]
        self.elements += 1
        self.others += kind not in OF_TABLES
        self.cells = 0 if kind == ROW else self.cells + (kind == CELL)
        if kind == MERGED:
            self.merged.append(attributes.get("ref", ""))
        if (
            self.elements > MAX_ELEMENTS
            or self.others > MAX_OTHERS
            or self.cells > MAX_CELLS
        ):
            raise too_much("This file holds far more than a list of people.")


def leave(*declaration: Any) -> NoReturn:
    """Unfold no entity: the reader of the part refuses it."""
    raise expat.ExpatError("An entity is declared.")
