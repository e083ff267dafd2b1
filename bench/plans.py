"""The queries that were sent, and how PostgreSQL answers them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

from bench.figures import Limit

BIG_TABLE = 10_000  # rows, from which on it must not be read from end to end

type Query = tuple[str, Any]


@contextmanager
def watched() -> Iterator[list[Query]]:
    """Collect what Django sends to the database meanwhile."""
    sent: list[Query] = []

    def keep(
        execute: Any, statement: str, params: Any, many: bool, context: Any
    ) -> Any:
        sent.append((statement, params))
        return execute(statement, params, many, context)

    with connection.execute_wrapper(keep):
        yield sent


@dataclass(frozen=True)
class Plan:
    what: str  # was measured when it was sent
    number: str
    lines: list[str]
    big_scans: list[str]  # the big tables that it reads from end to end

    def read(self, pattern: str) -> str:
        """The first number behind some words of the plan."""
        found = re.search(rf"{pattern}([\d.]+)", "\n".join(self.lines))
        return found[1] if found else "0"


def no_big_scans(plans: list[Plan]) -> Limit:
    scans = [
        f"{plan.what} reads {', '.join(plan.big_scans)}"
        for plan in plans
        if plan.big_scans
    ]
    sentence = "No sequential scan of a table of over 10,000 rows"
    return Limit(sentence, "; ".join(scans) or "none", "none", not scans)


def explain(what: str, queries: list[Query]) -> list[Plan]:
    """Run the queries once more, and say how."""
    return [
        explain_one(what, f"{number} of {len(queries)}", query)
        for number, query in enumerate(queries, 1)
    ]


def explain_one(what: str, number: str, query: Query) -> Plan:
    statement, params = query
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", params)
        lines = [line for (line,) in cursor.fetchall()]
    scanned = re.findall(r"Seq Scan on (\w+)", "\n".join(lines))
    return Plan(what, number, lines, sorted(big_tables() & set(scanned)))


def big_tables() -> set[str]:
    with connection.cursor() as cursor:
        statement = (
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s"
        )
        cursor.execute(statement, [BIG_TABLE])
        return {name for (name,) in cursor.fetchall()}
