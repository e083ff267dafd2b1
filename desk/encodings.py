"""What the letters of a text file are written in: UTF-8, UTF-16 or Windows-1252."""

import codecs

from django.core.exceptions import ValidationError

UTF_8 = "utf-8-sig"
UTF_16 = "utf-16"
WINDOWS = "cp1252"
# How errors are treated: a letter of Windows-1252 among those of UTF-8.
STRAY = "stray"

NOTES = {
    (UTF_16, "strict"): "The file was read as UTF-16.",
    (WINDOWS, "strict"): "The file is not in UTF-8: it was read as Windows-1252.",
    (UTF_8, STRAY): (
        "The file is in UTF-8, but some letters are not: they were read as "
        "Windows-1252. Look at the names."
    ),
}


def decoded(content: bytes) -> str:
    """The text of a file.

    Raises:
        ValidationError: when its letters can't be read.
    """
    try:
        return content.decode(*encoding(content))
    except UnicodeDecodeError:
        raise ValidationError(
            "The letters of this file can't be read. Save it as ‘CSV UTF-8’ or as "
            "XLSX.",
            code="encoding",
        ) from None


def note_encoding(content: bytes) -> str:
    """What is to be said of a file that isn't all UTF-8."""
    return NOTES.get(encoding(content), "")


def encoding(content: bytes) -> tuple[str, str]:
    """What a text is written in, and what to do where that fails.

    One name of Windows-1252, pasted into a file in UTF-8, must not garble all others:
    what most of the letters are in counts.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return UTF_16, "strict"
    valid = content.decode("utf-8", "ignore")
    strays = len(content) - len(valid.encode())
    letters = len(valid) - len(valid.encode("ascii", "ignore"))
    if strays > letters:
        return WINDOWS, "strict"
    return UTF_8, STRAY if strays else "strict"


def as_windows(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that are no UTF-8 as Windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode(WINDOWS), error.end


codecs.register_error(STRAY, as_windows)
