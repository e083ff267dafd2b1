from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from invitations.management.reports import ReportingCommand
from invitations.models import Terms


class Command(ReportingCommand):
    help = (
        "Publish a version of the Terms and Conditions. Everybody is asked to agree at "
        "their next request."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="its name, such as 2026-11")
        parser.add_argument("file", type=Path, help="plain text in UTF-8")
        super().add_arguments(parser)

    def handle(self, *, version: str, file: Path, json: bool, **_: Any) -> None:
        terms = Terms.objects.publish(version, read(file), None)
        self.report(
            json,
            f"{terms} are published (SHA-256 {terms.sha256}).",
            version=terms.version,
            sha256=terms.sha256,
        )


def read(file: Path) -> str:
    try:
        text = read_bytes(file).decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise CommandError(
            f"{file} is no text in UTF-8: save it as such, and try again."
        ) from None
    if "\0" in text:
        raise CommandError(f"{file} is not a text: it contains a NUL character.")
    if not text:
        raise CommandError(f"{file} is empty: write the terms into it.")
    return text


def read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}.") from None
