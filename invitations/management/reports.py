"""How a command reports: a sentence for a person, or JSON for a script."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, OutputWrapper


def print_report(
    out: OutputWrapper, is_json: bool, sentence: str, **facts: Any
) -> None:
    out.write(json.dumps(facts) if is_json else sentence)


@contextmanager
def refusals_as_errors() -> Generator[None]:
    """Let a refused input end a command with its sentences and exit code 1."""
    try:
        yield
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
