"""Where the time of a page goes."""

import cProfile
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any

from django.conf import settings

PARTS = [  # what a function's name holds, and what that is; the first that fits counts
    ("psycopg", "Sending queries, waiting for PostgreSQL (psycopg)"),
    ("django/db/", "Making queries and objects (Django's ORM)"),
    ("django/template/", "Templates (Django)"),
    ("django/", "Django otherwise"),
    ("allauth/", "allauth"),
    ("whitenoise/", "WhiteNoise"),
    ("built-in: ", "Python's built-ins, which all of them call"),
    ("library: ", "Python's library"),
]
OURS = "This site"
LONGEST = 12
WHOLE = 0.6  # a function that holds more of the time than this explains nothing


@dataclass(frozen=True)
class Profile:
    """Milliseconds and calls of one request; measuring them makes it slower."""

    parts: dict[str, float]  # each part's own time
    longest: list[tuple[str, float, float]]  # function, its calls, all that it took

    @property
    def total(self) -> float:
        return sum(self.parts.values())


def profile(requests: int, work: Callable[[], object]) -> Profile:
    profiler = cProfile.Profile()
    profiler.runcall(work)
    entries = profiler.getstats()
    parts: dict[str, float] = {}
    for entry in entries:
        part = part_of(name_of(entry.code))
        parts[part] = parts.get(part, 0) + entry.inlinetime * 1000 / requests
    return Profile(parts, find_longest(entries, requests))


def find_longest(entries: list[Any], requests: int) -> list[tuple[str, float, float]]:
    """The functions with the most time, theirs and of what they call."""
    whole = sum(entry.inlinetime for entry in entries)
    rows = [
        (
            name_of(entry.code),
            entry.callcount / requests,
            entry.totaltime * 1000 / requests,
        )
        for entry in entries
        if entry.totaltime < WHOLE * whole
    ]
    return sorted(rows, key=lambda row: -row[2])[:LONGEST]


def name_of(code: CodeType | str) -> str:
    """The function with its file, without the folders of this machine."""
    if isinstance(code, str):
        return f"built-in: {code.strip('<>')}"
    file, function = code.co_filename, code.co_qualname
    if "site-packages/" in file:
        return f"{file.partition('site-packages/')[2]} {function}"
    if file.startswith(str(settings.BASE_DIR)):
        return f"{file.removeprefix(f'{settings.BASE_DIR}/')} {function}"
    return f"library: {re.sub(r'.*/python[^/]*/', '', file)} {function}"


def part_of(name: str) -> str:
    return next((part for sign, part in PARTS if sign in name), OURS)
