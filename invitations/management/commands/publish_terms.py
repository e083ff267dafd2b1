from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from invitations.management.reports import print_report, refusals_as_errors
from invitations.models import Terms


class Command(BaseCommand):
    help = (
        "Publish a version of the Terms and Conditions. Everybody is asked to agree at "
        "their next request."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="its name, such as 2026-11")
        parser.add_argument("file", type=Path, help="plain text in UTF-8")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, version: str, file: Path, json: bool, **_: Any) -> None:
        with refusals_as_errors():
            terms = Terms.objects.publish(version, read(file), None)
        print_report(
            self.stdout,
            json,
            f"{terms} are published (SHA-256 {terms.sha256}).",
            version=terms.version,
            sha256=terms.sha256,
        )


def read(file: Path) -> str:
    try:
        text = file.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} can't be read as UTF-8 text: {error}") from None
    if "\0" in text:
        raise CommandError(f"{file} is not a text: it contains a NUL character.")
    return text
