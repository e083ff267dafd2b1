"""What people mean by the text of a cell: names, days, several things in one."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError

from companies.explanations import spoken
from desk.columns import plain
from desk.models import Import

TOLD = 50  # so much of a cell is said again in a sentence
PARTICLES = {
    *(
        "von",
        "van",
        "vom",
        "zu",
        "zum",
        "zur",
        "de",
        "der",
        "den",
        "del",
        "della",
        "di",
    ),
    *("da", "dos", "du", "la", "le", "al", "el", "bin", "ten", "ter", "af", "av"),
}
MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan january januar jänner",
            "feb february februar",
            "mar mär mrz march märz maerz",
            "apr april",
            "may mai",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct okt october oktober",
            "nov november",
            "dec dez december dezember",
        ],
        1,
    )
    for name in names.split()
}
# English and German, in full and short; a day says it besides.
WEEKDAY = re.compile(
    r"\b(mon(day)?|tue(s(day)?)?|wed(nesday)?|thu(r(s(day)?)?)?|fri(day)?|sat(urday)?"
    r"|sun(day)?|mo(ntag)?|di(enstag)?|mi(ttwoch)?|do(nnerstag)?|fr(eitag)?"
    r"|sa(mstag)?|so(nntag)?|sonnabend)\b[.,]*",
    re.IGNORECASE,
)


def split_name(text: str) -> tuple[str, str]:
    """First and last name of 'Novak, Ivo', 'Ivo Novak' or 'Ursula von der Leyen'."""
    if "," in text:
        last, _, first = text.partition(",")
        return first.strip(), last.strip()
    words = text.split()
    begins = (n for n, word in enumerate(words[1:-1], 1) if word in PARTICLES)
    at = next(begins, max(len(words) - 1, 0))
    return " ".join(words[:at]), " ".join(words[at:])


def several(text: str) -> list[str]:
    """The things that are in one cell: '24-017; 24-018', or each on a line."""
    return [part.strip() for part in re.split(r"[;|\n]", text) if part.strip()]


def perhaps_several(text: str) -> list[str]:
    """What may be several things, as in '1, 2' and '1/2', or be one: '24/017'."""
    return [part.strip() for part in re.split(r"[,/&+]", text) if part.strip()]


def read_day(text: str, order: str) -> date:
    """Read a day.

    Args:
        order: whether 3/4/2027 begins with the day or with the month, if anybody said.

    Raises:
        ValidationError: with how to write it.
    """
    text = re.sub(r"[ T]00:00(:00)?$", "", WEEKDAY.sub("", text).strip(" ,"))
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        year, month, day = map(int, found.groups())
    elif found := re.fullmatch(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", text):
        first, second, year = map(int, found.groups())
        day, month = day_and_month(text, first, second, order)
    else:
        year, month, day = with_named_month(text)
    try:
        return date(year, month, day)
    except ValueError:
        raise no_day(text) from None


def day_and_month(text: str, first: int, second: int, order: str) -> tuple[int, int]:
    if not order and max(first, second) > 12:
        return (first, second) if first > 12 else (second, first)
    if not order:
        raise ValidationError(
            f"‘{text[:TOLD]}’ can be read in two ways. Say at the upload which comes "
            "first, the day or the month.",
            code="ambiguous_day",
        )
    return (first, second) if order == Import.DateOrder.DAY_FIRST else (second, first)


def with_named_month(text: str) -> tuple[int, int, int]:
    """Read '3 April 2027', '3. Apr. 2027', 'April 3rd, 2027' and the like."""
    words = re.findall(r"[^\W\d]+|\d+", text.casefold())
    words = [word for word in words if word not in {"st", "nd", "rd", "th", "of"}]
    months = [MONTHS[word] for word in words if word in MONTHS]
    numbers = [word for word in words if word.isdecimal()]
    if (
        len(words) != 3
        or len(months) != 1
        or [*map(len, numbers)] not in ([1, 4], [2, 4])
    ):
        raise no_day(text)
    return int(numbers[1]), months[0], int(numbers[0])


def no_day(text: str) -> ValidationError:
    return ValidationError(
        f"‘{text[:TOLD]}’ is no day. Write it as 2027-04-03 or 3 April 2027.",
        code="no_day",
    )


class Names[Row]:
    """Rows that are found by what people call them.

    As it is written first; then with case, blanks and dashes aside.
    """

    def __init__(self, named: Iterable[tuple[str, Row]]) -> None:
        self.exact: dict[str, list[Row]] = {}
        self.loose: dict[str, list[Row]] = {}
        for name, row in named:
            self.exact.setdefault(name.casefold(), []).append(row)
            self.loose.setdefault(plain(name), []).append(row)

    def named(self, text: str) -> list[Row]:
        """All rows of this name as it is written, case aside."""
        return one_of_each(self.exact.get(text.casefold(), []))

    def find(self, text: str) -> list[Row]:
        """All rows that it may mean: none, one, or more than one."""
        found = self.named(text)
        if not found and (key := plain(text)):
            return one_of_each(self.loose.get(key, []))
        return found


def one_of_each[Row](rows: list[Row]) -> list[Row]:
    return list({id(row): row for row in rows}.values())


def words(value: Any) -> str:
    return spoken(value) if isinstance(value, date) else str(value)
