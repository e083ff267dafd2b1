"""How a command reports: a sentence for a person, or JSON for a script."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import BaseCommand, CommandError


class ReportingCommand(BaseCommand):
    """Reports on stdout and says what is wrong on stderr; with --json both as JSON.

    A refused input ends it like any other error: with its sentences and exit code 1.
    """

    _called_from_command_line: bool  # Django's own, left out by its stubs

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return self.run(*args, **options)
        except CommandError as error:
            if not (options["json"] and self._called_from_command_line):
                raise
            self.stderr.write(json.dumps({"error": str(error)}))
            sys.exit(error.returncode)

    def run(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except ValidationError as error:
            raise CommandError(" ".join(sentences(error))) from None

    def report(self, is_json: bool, sentence: str, **facts: Any) -> None:
        self.stdout.write(json.dumps(facts) if is_json else sentence)


def sentences(error: ValidationError) -> list[str]:
    """What was refused, each with the name of its field where it is about one."""
    if not hasattr(error, "error_dict"):
        return error.messages
    return [
        sentence(field, each, message)
        for field, errors in error.error_dict.items()
        for each in errors
        for message in each.messages
    ]


def sentence(field: str, error: ValidationError, message: str) -> str:
    if error.code == "blank":  # Django's speaks of 'this field', which no one sees
        return f"The {field} is missing: give one."
    return message if field == NON_FIELD_ERRORS else f"{field}: {message}"
