"""A text column for names."""

import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

# Line breaks would forge headers and log lines; direction marks make a name read as
# another one (T16).
DIRECTION_MARKS = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e") | set(
    "\u2066\u2067\u2068\u2069"
)


def validate_plain_text(text: str) -> None:
    """Refuse control characters and direction marks.

    Raises:
        ValidationError: with a sentence for whoever typed or pasted it.
    """
    for character in text:
        if (
            unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"}
            or character in DIRECTION_MARKS
        ):
            raise ValidationError(
                "This contains an invisible character. Type it in again by hand.",
                code="control_character",
            )


class PlainTextField(models.CharField[str, str]):
    """One line of text, kept in the composed form of Unicode (NFC)."""

    default_validators = [validate_plain_text]

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return unicodedata.normalize("NFC", value) if value else value
