"""Lists of people as files, and what the tests of the import do with them."""

import csv
import io

import openpyxl

from companies.models import Membership
from desk.models import Import, ImportRow
from tests.cast import work


def csv_file(*rows, separator=";", encoding="utf-8"):
    written = io.StringIO()
    csv.writer(written, delimiter=separator).writerows(rows)
    return written.getvalue().encode(encoding)


def xlsx_file(*rows, **sheets):
    """A workbook: one sheet of these rows, and further ones by their names."""
    book = openpyxl.Workbook()
    for number, (name, lines) in enumerate({"People": rows, **sheets}.items()):
        sheet = book.active if number == 0 else book.create_sheet()
        sheet.title = name
        for line in lines:
            sheet.append(line)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def upload(company, content, by=None, **fields):
    """Bring a file in, as the page does."""
    return Import.objects.bring(company, "people.csv", content, by, **fields)


def planned(company, content, by=None, **fields):
    """Bring a file in, and have it compared."""
    source = upload(company, content, by, **fields)
    work()
    source.refresh_from_db()
    return source


def applied(company, content, by=None, **fields):
    """Bring a file in, and have it applied."""
    source = planned(company, content, by, **fields)
    assert source.state == Import.State.PLANNED, source.problem
    source.apply(by)
    work()
    source.refresh_from_db()
    return source


def undone(source, by=None):
    source.undo(by)
    work()
    source.refresh_from_db()
    return source


def kinds(source):
    """What each row is or has become, in the order of the file."""
    return [row.outcome or row.kind for row in source.rows.all()]


def reasons(source):
    return [row.reason for row in source.rows.all() if row.reason]


def row(source, number):
    return ImportRow.objects.get(source=source, number=number)


def entry(email):
    return Membership.objects.get(email=email)
