"""Read a database and questions as JSON, answer them by guardian, print JSON.

Without questions it only makes guardian's tables.
"""

import json
import sys
from statistics import median
from time import perf_counter
from typing import Any

import django
from django.conf import settings

PERMISSION = "companies.standard_rfis"


def prepare(database: dict[str, Any]) -> None:
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "guardian",
            "bench.guardian",
        ],
        AUTH_USER_MODEL="companies.User",
        # Its own alone: Django's would add to the time and never say yes.
        AUTHENTICATION_BACKENDS=["guardian.backends.ObjectPermissionBackend"],
        ANONYMOUS_USER_NAME=None,
        SILENCED_SYSTEM_CHECKS=["guardian.W001"],
    )
    django.setup()


def main() -> dict[str, Any]:
    work = json.load(sys.stdin)
    prepare(work["database"])
    if "questions" in work:
        return measure(work["questions"], work["calls"])
    from django.core.management import call_command

    call_command("migrate", "guardian", verbosity=0)
    return {}


def measure(questions: list[list[int]], calls: int) -> dict[str, Any]:
    _, answers, queries = ask(questions)  # warms up: connects, finds the content type
    return {
        "cold": median(ask(questions)[0] for _ in range(5)),
        "warm": ask_checkers(questions, calls),
        "answers": answers,
        "queries": queries,
    }


def load(questions: list[list[int]]) -> list[tuple[Any, Any]]:
    """The users and projects, before the clock runs."""
    from bench.guardian.models import Project, User

    users = User._default_manager.in_bulk([user for user, _ in questions])
    projects = Project._default_manager.in_bulk([project for _, project in questions])
    return [(users[user], projects[project]) for user, project in questions]


def ask(questions: list[list[int]]) -> tuple[float, list[bool], float]:
    """The rate of `user.has_perm`, the answers, and the queries for each."""
    from django.db import connection

    pairs, count = load(questions), 0

    def counting(execute: Any, *args: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*args)

    started = perf_counter()
    answers = [user.has_perm(PERMISSION, project) for user, project in pairs]
    rate = len(pairs) / (perf_counter() - started)
    with connection.execute_wrapper(counting):
        for user, project in pairs:
            user.has_perm(PERMISSION, project)
    return rate, answers, count / len(pairs)


def ask_checkers(questions: list[list[int]], calls: int) -> float:
    """The rate of checkers that are kept and have answered the question before."""
    from guardian.core import (  # type: ignore[import-not-found]
        ObjectPermissionChecker,
    )

    checkers = [
        (ObjectPermissionChecker(user), project) for user, project in load(questions)
    ]
    for checker, project in checkers:
        checker.has_perm(PERMISSION, project)
    repeats = calls // len(checkers)
    started = perf_counter()
    for _ in range(repeats):
        for checker, project in checkers:
            checker.has_perm(PERMISSION, project)
    return repeats * len(checkers) / (perf_counter() - started)


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
