"""How a command reports: a sentence for a person, or JSON for a script."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
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
        raise CommandError(" ".join(sentences(error))) from None


def sentences(error: ValidationError) -> list[str]:
    """What was refused, each with the name of its field where it is about one."""
    if not hasattr(error, "error_dict"):
        return error.messages
    return [
        message if field == NON_FIELD_ERRORS else f"{field}: {message}"
        for field, messages in error.message_dict.items()
        for message in messages
    ]
