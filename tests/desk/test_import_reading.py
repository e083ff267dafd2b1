"""The files that people really have are read; the others get a sentence (T47)."""

import io
import tracemalloc
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from openpyxl.chart import BarChart

from companies.models import Company
from desk import archives, spreadsheets
from desk.columns import COLUMNS, column_of
from desk.exports import harmless
from desk.imports.reading import Reader
from desk.imports.values import read_day, several, split_name
from desk.models import Import
from desk.spreadsheets import check_file, read_rows
from tests.desk.lists import csv_file, xlsx_file

HEADER = ["E-mail", "Last name"]
IVO = ["ivo@subco.example", "Novák"]


def texts(content, sheet=""):
    return [[cell.text for cell in row] for row in read_rows(content, sheet)]


def sentence(content):
    with pytest.raises(ValidationError) as raised:
        list(read_rows(content))
    return raised.value.messages[0]


def read(content, **fields):
    """Read a file as an import does: its rows, and its notes."""
    reader = Reader(Import(company=Company(name="Acme"), content=content, **fields))
    reader.read()
    return reader.rows, reader.notes


def said_of(*rows, **options):
    rows, _ = read(csv_file(*rows, **options))
    return [row.reason for row in rows]


# Dialects


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"]
)
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_letters_and_separators_are_found_out(encoding, separator):
    name = "Müller, Jürgen" if encoding == "cp1252" else "Novák, Ivo"
    rows = [["E-mail", "Name", "Project"], ["ivo@subco.example", name, "24-017;24-018"]]
    content = csv_file(*rows, separator=separator, encoding=encoding)
    if encoding == "utf-16-le":
        content = b"\xff\xfe" + content
    assert texts(content) == rows


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None),
        ("cp1252", "The file is not in UTF-8: it was read as Windows-1252."),
        ("utf-16", "The file was read as UTF-16."),
    ],
)
def test_another_encoding_than_utf_8_is_told(encoding, note):
    rows, notes = read(csv_file(HEADER, ["a@b.example", "Jürß"], encoding=encoding))
    assert rows[0].cells["Last name"] == "Jürß"
    assert notes[1:] == ([note] if note else [])


def test_one_letter_of_windows_garbles_no_other_one():
    names = ["Müller", "Łukasz", "Jürß"]
    content = csv_file(HEADER, *(["a@b.example", name] for name in names))
    rows, notes = read(content.replace("Jürß".encode(), "Jürß".encode("cp1252")))
    assert [row.cells["Last name"] for row in rows] == names
    assert "some letters are not: they were read as Windows-1252" in notes[1]


def test_lines_of_the_program_before_the_header_are_passed_over():
    """Excel's 'sep=;', a title, a date."""
    content = csv_file(["sep="], [], ["Our people", "2026"], [], HEADER, IVO)
    rows, notes = read(content)
    assert [(row.number, row.email) for row in rows] == [(6, "ivo@subco.example")]
    assert notes[0] == "The header is row 5."


def test_xlsx_values_come_as_they_are_shown():
    row = [
        "a@b.example",
        date(2027, 4, 3),
        datetime(2027, 4, 3),
        24017,
        3.5,
        True,
        None,
    ]
    assert texts(xlsx_file(row)) == [
        ["a@b.example", "2027-04-03", "2027-04-03", "24017", "3.5", "True"]
    ]


def test_a_sheet_is_chosen_by_its_name():
    content = xlsx_file(HEADER, Others=[HEADER, IVO])
    assert check_file(content) == ["People", "Others"]
    assert texts(content, "Others") == [HEADER, IVO]


def test_hidden_sheets_are_not_offered():
    book = openpyxl.load_workbook(io.BytesIO(xlsx_file(HEADER, Lists=[["a"]])))
    book["Lists"].sheet_state = "hidden"
    written = io.BytesIO()
    book.save(written)
    assert check_file(written.getvalue()) == ["People"]


def test_a_chart_is_no_sheet_of_people():
    book = openpyxl.load_workbook(io.BytesIO(xlsx_file(HEADER, IVO)))
    book.create_chartsheet("Chart", 0).add_chart(BarChart())
    written = io.BytesIO()
    book.save(written)
    assert check_file(written.getvalue()) == ["People"]
    assert texts(written.getvalue(), "People") == [HEADER, IVO]


def test_merged_cells_say_the_same_in_each_of_their_rows():
    """To the right they don't, and an empty row stays one."""
    rows = [["List", "", ""], ["E-mail", "Firm", "Project"], ["a@b.example", "Bolt"]]
    rows += [["b@b.example"], ["c@b.example", None, "24"], [], ["d@b.example"]]
    book = openpyxl.load_workbook(io.BytesIO(xlsx_file(*rows)))
    for place in ("A1:C1", "B3:C4", "B5:B6", "C5:C7"):
        book.active.merge_cells(place)
    written = io.BytesIO()
    book.save(written)
    assert texts(written.getvalue()) == [
        ["List"],
        ["E-mail", "Firm", "Project"],
        ["a@b.example", "Bolt"],
        ["b@b.example", "Bolt"],
        ["c@b.example", "", "24"],
        [],
        ["d@b.example", "", "24"],
    ]


def test_guards_of_our_own_export_are_taken_off():
    rows = [["'+49 30 1234", "'=Boss", "' =1", "''-t Hart", "'tis", "'", "O'Neill"]]
    expected = [["+49 30 1234", "=Boss", "=1", "'-t Hart", "'tis", "'", "O'Neill"]]
    assert texts(csv_file(*rows)) == texts(xlsx_file(*rows)) == expected


# The header


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        *((column, column) for column in COLUMNS),
        ("E-Mail-Adresse", "E-mail"),
        ("EMAIL", "E-mail"),
        ("Vor-Name", "First name"),
        ("Tel.", "Telephone"),
        ("Subcontractor", "Firm"),
        ("Projekt-Nr.", "Project"),
        ("Role", "Project template"),
        ("Gültig", None),
        ("", None),
    ],
)
def test_headings_are_known_by_many_names(heading, column):
    assert column_of(heading) == column


def test_the_header_has_to_be_near_the_top():
    with pytest.raises(ValidationError, match="There is no header"):
        read(csv_file(*[["x"]] * 10, HEADER, IVO))


def test_a_letterhead_is_no_header():
    """It names an address, or less of our columns than the header below it."""
    rows, notes = read(
        csv_file(
            ["Bolt Electric", "Telefon", "+49 30 1234"],
            ["E-mail:", "office@bolt.example"],
            ["Contact", "E-mail"],
            [],
            ["E-mail", "First name", "Last name"],
            ["ivo@subco.example", "Ivo", "Novák"],
        )
    )
    assert notes[0] == "The header is row 5."
    assert [row.cells["Last name"] for row in rows] == ["Novák"]


def test_of_columns_of_one_meaning_the_first_that_is_not_empty_counts():
    rows, notes = read(
        csv_file(
            ["E-mail", "Title", "Position", "Mail"],
            ["a@b.example", "Foreman", "", "A@b.example"],
            ["b@b.example", "", "Welder", ""],
            ["c@b.example", "Foreman", "foreman", "d@b.example"],
            ["", "Foreman", "Welder", "e@b.example"],
        )
    )
    assert [row.cells["Job title"] for row in rows[:2]] == ["Foreman", "Welder"]
    assert [(row.email, row.reason) for row in rows] == [
        ("a@b.example", ""),
        ("b@b.example", ""),
        (
            "c@b.example",
            "Row 4, E-mail: ‘c@b.example’ stands in one column and ‘d@b.example’ in "
            "another. Leave one of them.",
        ),
        (
            "e@b.example",
            "Row 5, Job title: ‘Foreman’ stands in one column and ‘Welder’ in another. "
            "Leave one of them.",
        ),
    ]
    assert (
        "Several columns mean ‘Job title’: ‘Title’ and ‘Position’. The first that "
        "isn’t empty counts."
    ) in notes


@pytest.mark.parametrize(
    "headings", [("Project", "Project no."), ("Projektname", "Projekt-Nr.")]
)
def test_the_number_of_a_project_counts_before_its_name(headings):
    rows, _ = read(
        csv_file(
            ["E-mail", *headings],
            ["a@b.example", "Tower", "24-017"],
            ["b@b.example", "Tower", ""],
        )
    )
    assert [row.cells["Project"] for row in rows] == ["24-017", "Tower"]
    assert [row.cells.get("Project name") for row in rows] == ["Tower", None]


def test_a_second_telephone_is_ignored_like_what_is_unknown():
    rows, notes = read(
        csv_file(
            ["E-mail", "Telefon", "Handy", "Shoe size", "Role", "Status"],
            ["a@b.example", "1", "2", "44", "Boss", "Joined"],
        )
    )
    assert rows[0].cells == {"E-mail": "a@b.example", "Telephone": "1"}
    assert "Columns that were ignored: ‘Handy’, ‘Shoe size’, ‘Role’." in notes


def test_name_beside_a_first_name_is_the_last_name():
    rows, _ = read(
        csv_file(["Mail", "Name", "Vorname"], ["a@b.example", "Maier", "Jo"])
    )
    assert rows[0].cells["Last name"] == "Maier"


@pytest.mark.parametrize("heading", ["Contact person", "Ansprechpartner", "Name"])
def test_beside_first_and_last_name_a_further_name_is_ignored(heading):
    assert column_of(heading) == "Name"
    row, notes = read(
        csv_file(
            ["E-mail", heading, "First name", "Last name"],
            ["a@b.example", "Karl Bauer", "Ivo", "Novák"],
        )
    )
    names = {"First name": "Ivo", "Last name": "Novák"}
    assert row[0].cells == {"E-mail": "a@b.example", **names}
    assert f"Columns that were ignored: ‘{heading}’." in notes


def test_a_name_in_one_column_is_told_by_its_comma():
    """Where first names have a column of their own, it belongs to the last name."""
    rows, _ = read(csv_file(HEADER, ["a@b.example", "Smith, John"]))
    assert rows[0].cells["Name"] == "Smith, John"
    rows, _ = read(csv_file([*HEADER, "First name"], ["a@b.example", "Novak, Dr.", ""]))
    assert rows[0].cells["Last name"] == "Novak, Dr."


# Rows


def test_empty_rows_totals_and_headers_again_are_ignored_and_said_so():
    content = csv_file(
        HEADER, IVO, [], ["", " "], HEADER, ["Summe", "1"], ["Total: 1"], ["", "1"]
    )
    rows, notes = read(content)
    assert [row.kind for row in rows] == [
        "",
        "ignored",
        "ignored",
        "ignored",
        "refused",
    ]
    assert "Empty rows that were ignored: 2." in notes
    assert notes[-1].endswith("repeated headers: row 5, 6, 7.")


@pytest.mark.parametrize(
    "row",
    [
        ["Total Build", "jo.totalbuild.de", "Jo", ""],
        ["Sum Ltd", "", "y", ""],
        ["", "", "Sum Li", ""],
        ["Total Build", "", "Jo", "Welder 2"],
        ["", "total1@b.example", "", ""],
        ["Sum Build", "sum2@b.example", "", ""],
        ["Bolt", "a@b.example", "Jo", "Mail"],
    ],
)
def test_people_are_no_totals_and_no_headers(row):
    rows, _ = read(csv_file(["Firm", "E-mail", "Name", "Job title"], row))
    assert [each.kind for each in rows] != ["ignored"]


@pytest.mark.parametrize(
    "row",
    [
        *(["Total people: 3"], ["Total: 3 people"], ["Summe Mitarbeiter", "3"]),
        *(["Gesamtzahl: 3"], ["Total", "3"], ["Total number of people", "", "3"]),
        *(["", "Total people", "3"], ["", "", "Anzahl Personen: 3"]),
    ],
)
def test_totals_are_said_in_many_ways(row):
    rows, _ = read(csv_file(["Last name", "First name", "E-mail"], row))
    assert [each.kind for each in rows] == ["ignored"]


def test_total_of_formulas_is_ignored_too():
    rows, _ = read(xlsx_file(HEADER, IVO, ["Total", "=COUNTA(B2:B2)"]))
    assert [row.kind for row in rows] == ["", "ignored"]


@pytest.mark.parametrize("formula", [" =1+1", "\t=2"])
def test_a_formula_behind_blanks_is_one(formula):
    assert harmless(formula) == f"'{formula}"
    [reason] = said_of(HEADER, ["b@x.example", formula])
    assert (
        reason
        == "Row 2, Last name: This cell holds a formula. Replace it with its value."
    )


@pytest.mark.parametrize("make", [csv_file, xlsx_file])
def test_a_formula_refuses_its_row(make):
    rows, _ = read(make(HEADER, ["a@b.example", "=1+1"], IVO))
    assert [row.reason for row in rows] == [
        "Row 2, Last name: This cell holds a formula. Replace it with its value.",
        "",
    ]


def test_a_formula_in_a_column_that_is_ignored_is_of_no_account():
    assert said_of(["E-mail", "Age"], ["a@b.example", "=1+1"]) == [""]


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("", "Row 2, E-mail: The address is missing. Enter it."),
        ("ivo", "Row 2, E-mail: Enter an e-mail address such as name@company.com."),
        ("Ivo@SUBCO.example", ""),
    ],
)
def test_addresses_are_read_by_the_rule_of_all_doors(email, reason):
    assert said_of(HEADER, [email, "x"]) == [reason]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * 2**16 + "y", "Row 2, Last name: This is longer than 64 kB. Shorten it."),
        ("x" * 2**20, "Row 2, Last name: This is longer than 64 kB. Shorten it."),
        ("x\n" * 2**17, "Row 2, Last name: This is longer than 64 kB. Shorten it."),
        (
            "a\0b",
            "Row 2, Last name: This cell holds an invisible character. Type it in",
        ),
    ],
)
def test_cells_that_no_name_needs_refuse_their_row(text, reason):
    [first, second] = said_of(HEADER, ["a@b.example", text], IVO)
    assert first.startswith(reason)
    assert second == ""


@pytest.mark.parametrize("text", ["x" * 2**20, "a\0b" + "c" * 99, "=1+1", "#N/A"])
def test_a_cell_that_refuses_its_row_is_kept_to_be_given_back(text):
    """An empty one would be imported; a database takes it, and the import does not."""
    [row], _ = read(csv_file(HEADER, ["a@b.example", text]))
    kept = row.cells["Last name"]
    assert 0 < len(kept) < 2**17 and "\0" not in kept
    [said] = said_of(HEADER, ["a@b.example", kept])
    assert said == row.reason


MEND = "A quotation mark in this cell isn’t closed, or stands alone."


@pytest.mark.parametrize(
    ("line", "texts", "broken"),
    [
        ('a@b.example;"Bo"b;Welder', ["a@b.example", '"Bo"b', "Welder"], ["Name"]),
        ('a@b.example;"Bo;b;c', ["a@b.example", '"Bo', "b"], ["Name", "Job title"]),
        ('"a@b.example";5" pipe;"', ["a@b.example", '5" pipe', '"'], ["Job title"]),
        ('a@b.example;"Bo ""B""" ;Welder', ["a@b.example", 'Bo "B"', "Welder"], []),
        ('a@b.example;Bo;Welder;"x"y', ["a@b.example", "Bo", "Welder"], []),
    ],
)
def test_a_broken_quotation_costs_its_row(line, texts, broken):
    """The lines below are read, which an open one would take in."""
    lines = ["E-mail;Name;Job title", line, 'ivo@b.example;"Novák; ""Ivo""";x', line]
    rows, _ = read("\n".join(lines).encode())
    first, second, third = rows
    assert [*first.cells.values()] == [*third.cells.values()] == texts
    for row in (first, third):
        said = [f"Row {row.number}, {each}: {MEND} Correct it." for each in broken]
        assert row.reason == " ".join(said)
    assert second.cells["Name"] == 'Novák; "Ivo"'


def test_20_000_rows_are_the_most():
    rows = [[f"p{n}@b.example"] for n in range(20_001)]
    with pytest.raises(ValidationError, match="more than 20,000 rows"):
        read(csv_file(["E-mail"], *rows))
    assert len(read(csv_file(["E-mail"], *rows[:-1]))[0]) == 20_000


def test_a_header_alone_is_no_list():
    with pytest.raises(ValidationError, match="Below the header there are no rows"):
        read(csv_file(HEADER, []))


# Files that are none, and bombs


def pack(*parts):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts:
            archive.writestr(name, text)
    return written.getvalue()


def swap(content, part, change):
    """The same workbook, with one part otherwise."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [(each, archive.read(each)) for each in archive.namelist()]
    return pack(*((n, change(text) if n == part else text) for n, text in parts))


SHEET = "xl/worksheets/sheet1.xml"
STYLES = "xl/styles.xml"
WORKBOOK = "xl/workbook.xml"
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


BAD_FILES = {
    "empty": (b"", "The file is empty"),
    "blank": (b" \r\n", "The file is empty"),
    "too big": (b"x" * (spreadsheets.MAX_BYTES + 1), "larger than 10 MiB"),
    "PDF": (b"%PDF-1.7 ...", "This is no CSV or XLSX file"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(range(32)), "This is no CSV or XLSX file"),
    "old Excel": (b"\xd0\xcf\x11\xe0 old", "Excel file of the old kind"),
    "not a ZIP": (b"PK but nothing", "can't be read as XLSX"),
    "Word": (pack(("word/document.xml", "<x/>")), "can't be read as XLSX"),
    "broken XML": (pack(("xl/workbook.xml", "<x")), "can't be read as XLSX"),
    "entities": (
        pack(
            ("xl/workbook.xml", ENTITIES + b"<x>&b;</x>"),
            ("xl/_rels/workbook.xml.rels", "<x/>"),
        ),
        "may not be safe",
    ),
    "encoding": (b"E-mail\n\x81\x8d\x8f", "letters of this file can't be read"),
    "wide CSV": (csv_file(["E-mail", *["x"] * 200]), "more than 200 columns"),
    "wide XLSX": (xlsx_file(["E-mail", *["x"] * 200]), "more than 200 columns"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files_get_a_sentence(kind):
    content, words = BAD_FILES[kind]
    assert words in sentence(content)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(openpyxl, "load_workbook", lambda *args, **kwargs: 1 / 0)
    zeros = b"\0" * (archives.MAX_UNPACKED + 1)
    bomb = pack(("xl/workbook.xml", "<x/>"), (SHEET, zeros))
    assert len(bomb) < 2**20
    assert "Unpacked, this file is larger than 100 MiB" in sentence(bomb)


BOMBS = {
    "sheets": (WORKBOOK, b"</sheets>", b"<sheet/>" * 300_000, "too many sheets"),
    "styles": (STYLES, b"</cellXfs>", b"<xf/>" * 300_000, "more than a list of people"),
    "cells": (SHEET, b"</row>", b"<c/>" * 16_385, "more than a list of people"),
    "unknown": (SHEET, b"</row>", b"<x/>" * 300_001, "more than a list of people"),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_small_file_of_many_elements_is_not_opened(kind, monkeypatch):
    """Sheets took a request half a minute; styles and cells filled the memory."""
    monkeypatch.setattr(openpyxl, "load_workbook", lambda *args, **kwargs: 1 / 0)
    part, before, many, words = BOMBS[kind]
    bomb = swap(
        xlsx_file(HEADER, IVO), part, lambda xml: xml.replace(before, many + before)
    )
    assert len(bomb) < 2**17
    assert words in sentence(bomb)


def test_all_elements_of_all_parts_are_counted(monkeypatch):
    monkeypatch.setattr(archives, "MAX_ELEMENTS", 100)
    rows = [["x"]] * 20
    assert "list of people" in sentence(xlsx_file(HEADER, IVO, Second=rows))


def test_one_long_text_in_each_cell_is_refused(monkeypatch):
    """An XLSX file keeps it once, but the import would keep it in each row."""
    monkeypatch.setattr(spreadsheets, "MAX_TEXT", 10_000)
    rows = [[f"p{n}@b.example", "x" * 1000] for n in range(20)]
    assert "32 MiB of text" in sentence(xlsx_file(HEADER, *rows))


def test_a_line_of_commas_costs_no_memory():
    [_, last] = read_rows(b"E-mail,Name\na@b.example" + b"," * 2_000_000)
    assert [cell.text for cell in last] == ["a@b.example"]
    tracemalloc.start()
    assert "200 columns" in sentence(b"E-mail,Name\n" + b"x," * 1_000_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50 * 2**20


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace(b'name="People"', b'name="' + b"x" * 201 + b'"'),
        lambda xml: b'<?xml version="1.0" encoding="none"?><x/>',
        lambda xml: b"\xff\xfe\x00",
    ],
    ids=["long name", "unknown encoding", "half a letter"],
)
def test_a_broken_workbook_gets_a_sentence(change):
    assert "can't be read as XLSX" in sentence(
        swap(xlsx_file(HEADER, IVO), WORKBOOK, change)
    )


def test_a_damaged_archive_gets_a_sentence():
    content = xlsx_file(HEADER, IVO)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = archive.getinfo(WORKBOOK)
    at = info.header_offset + 30 + len(WORKBOOK)
    damaged = content[:at] + b"\xff" * 40 + content[at + 40 :]
    assert "can't be read as XLSX" in sentence(damaged)


def test_entities_in_a_sheet_are_not_unfolded():
    content = swap(xlsx_file(HEADER, IVO), SHEET, lambda text: ENTITIES + text)
    assert "can't be read as XLSX" in sentence(content)


def test_a_sheet_that_is_broken_gets_a_sentence():
    content = swap(xlsx_file(HEADER, IVO), SHEET, lambda text: text[:200])
    assert "can't be read as XLSX" in sentence(content)


def test_emptiness_far_below_the_people_is_not_read():
    """A cell in the last row of Excel costs no million of rows."""
    book = openpyxl.load_workbook(io.BytesIO(xlsx_file(HEADER, IVO)))
    book.active.cell(1_048_576, 1, "x")
    written = io.BytesIO()
    book.save(written)
    rows, _ = read(written.getvalue())
    assert len(rows) == 1


# What cells mean


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Smith, John", ("John", "Smith")),
        ("Ivo Novak", ("Ivo", "Novak")),
        ("Anna Maria Berger", ("Anna Maria", "Berger")),
        ("Ursula von der Leyen", ("Ursula", "von der Leyen")),
        ("Cher", ("", "Cher")),
        ("Smith,", ("", "Smith")),
    ],
)
def test_a_name_in_one_cell_is_split(text, name):
    assert split_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        *("2027-04-03", "2027-4-3", "2027-04-03 00:00:00", "3 April 2027"),
        *("3. April 2027", "April 3rd, 2027", "3-Apr-2027", "03 apr 2027"),
        *("Saturday, April 3, 2027", "Samstag, 3. April 2027", "Sat 3 Apr 2027"),
        *("Sa., 3. Apr. 2027", "3 April 2027, Saturday", "Sat 2027-04-03 00:00"),
    ],
)
def test_iso_and_named_months_are_always_read(text):
    assert read_day(text, "") == date(2027, 4, 3)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        *(("1. Jänner 2027", 1), ("1. März 2027", 3), ("1 Mrz 2027", 3)),
        *(("1. Mai 2027", 5), ("1. Okt. 2027", 10), ("1. Dezember 2027", 12)),
    ],
)
def test_german_months_are_read(text, month):
    assert read_day(text, "") == date(2027, month, 1)


@pytest.mark.parametrize("text", ["3/4/2027", "3.4.2027", "03-04-2027"])
def test_numbers_are_read_once_their_order_was_chosen(text):
    assert read_day(text, "day") == date(2027, 4, 3)
    assert read_day(text, "month") == date(2027, 3, 4)
    with pytest.raises(ValidationError, match="can be read in two ways"):
        read_day(text, "")


@pytest.mark.parametrize(
    ("text", "order", "other"),
    [("13.4.2027", "day", "month"), ("4/13/2027", "month", "day")],
)
def test_a_13th_can_be_read_in_one_way_only(text, order, other):
    """Where it stands against the order that was chosen, that was wrong."""
    assert read_day(text, "") == read_day(text, order) == date(2027, 4, 13)
    with pytest.raises(ValidationError, match="is no day"):
        read_day(text, other)


@pytest.mark.parametrize(
    "text",
    ["soon", "so", "3/4/27", "2027-02-30", "31.31.2027", "3 Foo 2027", "April 2027"],
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValidationError, match="is no day. Write it as"):
        read_day(text, "day")


def test_several_things_stand_in_one_cell():
    assert several("24-017; 24-018\n B-9 |") == ["24-017", "24-018", "B-9"]
