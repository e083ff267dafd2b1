"""Tables to take away, which no spreadsheet program takes for formulas."""

import csv
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse

# What a spreadsheet program reads as the beginning of a formula, in their full-width
# forms too (T47).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")


def harmless(cell: Any) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_response(
    name: str, header: list[str], rows: Iterable[Iterable[Any]]
) -> HttpResponse:
    """Send rows as a file in UTF-8, with the mark that spreadsheet programs ask for."""
    response = HttpResponse(
        "\ufeff",
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return response
