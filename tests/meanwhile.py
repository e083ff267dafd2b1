"""What somebody else does just before a statement of ours is executed."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def just_before(statement: str, happens: Callable[[], Any]) -> Generator[None]:
    """Let it happen once, before the first statement that begins so.

    As if another connection had written and committed since the row was read.
    """
    waiting = [happens]

    def look(execute: Any, sql: str, *given: Any) -> Any:
        if waiting and sql.startswith(statement):
            waiting.pop()()
        return execute(sql, *given)

    with connection.execute_wrapper(look):
        yield
    assert not waiting, f"Nothing was executed that begins with {statement!r}."
