"""The published rules for passwords (S9), one class for each line of them.

The check on the server, the help text and the circles on the page (S10) all come from
these classes, in the order of AUTH_PASSWORD_VALIDATORS. A rule that a browser can check
too gives its `pattern`, a regular expression that means the same in Python's eyes
(`is_met`) and in JavaScript's with the `u` flag; a table of cases is run through both.
"""

import unicodedata
from typing import TYPE_CHECKING, Any

from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import get_default_password_validators
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import PasswordHistory, User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

MIN_LENGTH = 8
MAX_LENGTH = 256
REMEMBERED = 4
# S9 names these 32. The dollar sign is not among them: it may be used, but counts not.
SPECIAL_CHARACTERS = "!@#£%^&*()-_=+`~'\",<.>/?[{]}\\|;:"


class Requirement:
    """One line of the rule, which is met or not by the password alone."""

    code: str
    sentence: str
    pattern = ""

    def is_met(self, password: str) -> bool:
        raise NotImplementedError

    def validate(self, password: str, user: Any = None) -> None:
        if not self.is_met(password):
            raise ValidationError(f"The password needs {self.needs}.", code=self.code)

    @property
    def needs(self) -> str:
        return self.sentence[0].lower() + self.sentence[1:]

    def get_help_text(self) -> str:
        return f"{self.sentence}."


class LengthValidator(Requirement):
    """At least 8 characters, counted in code points; at most 256 to bound the work."""

    code = "password_too_short"
    sentence = f"At least {MIN_LENGTH} characters"
    pattern = rf"^[\s\S]{{{MIN_LENGTH},}}$"

    def is_met(self, password: str) -> bool:
        return len(password) >= MIN_LENGTH

    def validate(self, password: str, user: Any = None) -> None:
        super().validate(password, user)
        if len(password) > MAX_LENGTH:
            raise ValidationError(
                f"The password is too long: {MAX_LENGTH} characters are the most.",
                code="password_too_long",
            )


class CategoryRequirement(Requirement):
    """At least one character of a Unicode category."""

    category: str

    def is_met(self, password: str) -> bool:
        return any(unicodedata.category(char) == self.category for char in password)


class UppercaseValidator(CategoryRequirement):
    code = "password_no_uppercase"
    sentence = "At least one upper case character"
    pattern = r"\p{Lu}"
    category = "Lu"


class LowercaseValidator(CategoryRequirement):
    code = "password_no_lowercase"
    sentence = "At least one lower case character"
    pattern = r"\p{Ll}"
    category = "Ll"


class DigitValidator(CategoryRequirement):
    code = "password_no_digit"
    sentence = "At least one numeric character"
    pattern = r"\p{Nd}"
    category = "Nd"


class SpecialCharacterValidator(Requirement):
    code = "password_no_special"
    sentence = f"At least one of the special characters {' '.join(SPECIAL_CHARACTERS)}"
    # With the u flag only syntax characters may be escaped: a \" would be an error.
    pattern = r"""[!@#£%\^&*()\-_=+`~'",<.>\/?\[\{\]\}\\\|;:]"""

    def is_met(self, password: str) -> bool:
        return any(character in SPECIAL_CHARACTERS for character in password)


class HistoryValidator:
    """Not one of the person's last four passwords, the current one included (S9).

    Django calls `password_changed` after a password was saved, by whichever way; that
    writes the history, the first password of a new account included.
    """

    code = "password_reused"
    sentence = f"Different from your last {REMEMBERED} passwords"
    pattern = ""

    def validate(
        self, password: str, user: "User | AnonymousUser | None" = None
    ) -> None:
        if not isinstance(user, User) or user.pk is None:
            return
        if not is_acceptable(password):  # refused anyway: no hash is spent on it
            return
        remembered = user.password_history.values_list("password", flat=True)
        if any(check_password(password, encoded) for encoded in remembered):
            raise ValidationError(
                f"You have used this password before: choose one that is different "
                f"from your last {REMEMBERED} passwords.",
                code=self.code,
            )

    def password_changed(self, password: str, user: User) -> None:
        with transaction.atomic():
            PasswordHistory.objects.remember(user, keep=REMEMBERED)

    def get_help_text(self) -> str:
        return f"{self.sentence}."


def is_acceptable(password: str) -> bool:
    """Whether a password meets all requirements that it meets or not by itself."""
    return len(password) <= MAX_LENGTH and all(
        each.is_met(password)
        for each in get_default_password_validators()
        if isinstance(each, Requirement)
    )
