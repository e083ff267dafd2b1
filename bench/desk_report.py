"""Write what was found of the desk, in plain words and tables."""

import os
from argparse import Namespace
from pathlib import Path
from time import strftime
from typing import TYPE_CHECKING

from bench.importing import ROWS
from bench.report import plan_table, table

if TYPE_CHECKING:
    from bench.desk import DeskResults


def write(path: Path, results: "DeskResults", options: Namespace) -> None:
    parts = [
        head(results, options),
        limits(results),
        pages(results),
        sending(results),
        importing(results),
        plan_table(results.plans),
    ]
    path.write_text("\n\n".join(parts) + "\n")


def head(results: "DeskResults", options: Namespace) -> str:
    few, whole = results.sizes.values()
    return f"""# How fast the desk is

Written by `./dev bench desk` on {strftime("%-d %B %Y")}; don't edit it. To repeat:

```sh
./dev bench desk --rounds {options.rounds} --desk-companies {whole.companies} \
--desk-people {whole.people} --desk-largest {whole.largest}
```

Two worlds, each a database of its own on PostgreSQL: **few** is {few}; **all** is
{whole}. The reader administers the large company. Of ten people seven have joined, one
is invited, one's mail was refused and one hasn't been invited; each is on two projects.

Whole requests through the WSGI application, in one process and without a network, on
{os.cpu_count()} cores that the database shares. Every figure is the median of
{options.rounds} rounds, with the lowest and the highest behind it; a round takes the
median of five requests."""


def limits(results: "DeskResults") -> str:
    rows = [
        [limit.sentence, limit.asked, limit.seen, "yes" if limit.holds else "**no**"]
        for limit in results.limits()
    ]
    columns = ["what", "asked for", "seen", "holds"]
    return "## What was asked for\n\n" + table(columns, rows)


def pages(results: "DeskResults") -> str:
    rows = []
    for what in dict.fromkeys(what for what, _ in results.seconds):
        cells = [what]
        for name in results.sizes:
            seconds, database = (
                results.seconds[what, name],
                results.database[what, name],
            )
            cells += [
                f"{1e3 * seconds.median:.0f} ms",
                f"{1e3 * database.median:.1f} ms",
            ]
        rows.append([*cells, str(max(results.queries[what, n] for n in results.sizes))])
    columns = ["page", "few", "of that database", "all", "of that database", "queries"]
    return f"""## Pages

The search of a plain admin is what Django's own list of the people of all companies
would ask: how many are found, how many there are, and a page of them, by
`UPPER(…) LIKE` in three columns.

{table(columns, rows)}"""


def sending(results: "DeskResults") -> str:
    rows = [
        [
            f"{size:,}",
            f"{rate:,.0f}",
            f"{size / rate.median:.2f} s",
            f"{results.rows_alone[size]:,.0f}",
            str(results.sent_queries[size]),
        ]
        for size, rate in results.sent.items()
    ]
    columns = ["at once", "a second", "time", "rows alone, a second", "queries"]
    return f"""## Inviting

Invitations, mails to send and events are written in one transaction; the mails go out
from the worker. Beside it, in turn, the same rows alone: three `bulk_create` in one
transaction, with nothing asked, held or checked before.

{table(columns, rows)}"""


def importing(results: "DeskResults") -> str:
    queries = results.importing.queries
    rows = [
        [what, f"{seconds:.2f} s", str(queries.get(what, ""))]
        for what, seconds in results.importing.seconds.items()
    ]
    columns = ["what", "time", "queries of a step"]
    return f"""## Importing

New people from a CSV file, each put on a project, invited, and all of that undone:
{ROWS:,} rows. The requests are the upload, the page before and after each kind of work,
and its buttons; the work is done in steps of 250 rows, each a transaction.

{table(columns, rows)}"""
