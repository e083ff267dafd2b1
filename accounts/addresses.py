"""The canonical form of an e-mail address: the one function that every door uses.

Two ways of writing one mailbox must be one account, and two mailboxes that only look
alike must never be taken for one another (T11, CVE-2019-19844). What can't be decided
is refused with a sentence.
"""

import ipaddress
import re
import unicodedata
from functools import lru_cache
from typing import Any

import idna
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models

MAX_LENGTH = 254
MAX_LOCAL_LENGTH = 64

SENTENCES = {
    "email_invalid": "Enter an e-mail address such as name@company.com.",
    "email_control_character": (
        "The address contains an invisible character. Type it in again by hand."
    ),
    "email_too_long": (
        "The address is too long: 254 characters, and 64 before the @, are the most."
    ),
    "email_local_not_ascii": (
        "Before the @ only plain letters, digits and the usual signs can be used."
    ),
    "email_domain_invalid": "Check the part after the @: it is not a domain name.",
    "email_domain_not_public": (
        "Use an address at a domain name such as company.com, not at a machine."
    ),
    "email_domain_mixes_scripts": (
        "The domain mixes letters of different alphabets that look alike. Type the "
        "address in again by hand."
    ),
}


def refusal(code: str) -> ValidationError:
    return ValidationError(SENTENCES[code], code=code)


def canonical_email(text: str) -> str:
    """Return the one way of writing this address.

    The local part is unquoted ASCII in lower case, plus tags and dots kept; the domain
    is an IDNA 2008 A-label in lower case.

    Raises:
        ValidationError: with a sentence that says what to mend.
    """
    text = text.strip()
    if has_control_character(text):
        raise refusal("email_control_character")
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise refusal("email_invalid")
    if not local.isascii():
        raise refusal("email_local_not_ascii")
    if not EmailValidator.user_regex.fullmatch(local) or local.startswith('"'):
        raise refusal("email_invalid")
    address = f"{local.lower()}@{canonical_domain(domain)}"
    if len(address) > MAX_LENGTH or len(local) > MAX_LOCAL_LENGTH:
        raise refusal("email_too_long")
    return address


def has_control_character(text: str) -> bool:
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(character) in {"Cc", "Cf"} for character in text)


@lru_cache(maxsize=4096)
def canonical_domain(domain: str) -> str:
    """Return the domain as an A-label, refusing IP literals and local names.

    Kept, since people of one firm share one: of ten thousand addresses that are saved,
    IDNA would take longer than the database.
    """
    if domain.startswith("[") or is_ip_address(domain):
        raise refusal("email_domain_not_public")
    if any(mixes_scripts(label) for label in domain.split(".")):
        raise refusal("email_domain_mixes_scripts")
    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode()
        labels = idna.decode(ascii_domain).split(".")
    except idna.IDNAError:
        raise refusal("email_domain_invalid") from None
    # The A-label of a look-alike can be typed in as well.
    if any(mixes_scripts(label) for label in labels):
        raise refusal("email_domain_mixes_scripts")
    ascii_domain = ascii_domain.lower()
    if (
        len(labels) < 2
        or labels[-1] == "localhost"
        or ascii_domain.endswith(".")
        or is_ip_address(ascii_domain)
    ):
        raise refusal("email_domain_not_public")
    return ascii_domain


def is_ip_address(domain: str) -> bool:
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        # Browsers and resolvers read 127.1 and 0x7f.1 as addresses too.
        return re.fullmatch(r"(0x[0-9a-f]+|\d+)", domain.rpartition(".")[2]) is not None
    return True


def mixes_scripts(label: str) -> bool:
    """Tell whether a label mixes Latin with Cyrillic or Greek, as look-alikes do."""
    scripts = {unicodedata.name(character, "").split(" ")[0] for character in label}
    return "LATIN" in scripts and bool(scripts & {"CYRILLIC", "GREEK"})


class CanonicalEmailField(models.EmailField[str, str]):
    """A column that only ever holds canonical addresses.

    What is saved is made canonical, so that the unique constraint compares like with
    like; so is what an exact look-up is given, which an index then serves as it stands.
    """

    default_validators = []  # canonical_email says it, and says it better

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return canonical_email(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        if value:
            value = canonical_email(value)
            setattr(model_instance, self.attname, value)
        return value

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": CanonicalEmailFormField, **kwargs})


class CanonicalEmailFormField(forms.EmailField):
    """A form field that gives the canonical address, or says what is wrong with it."""

    default_validators = []

    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        return canonical_email(value) if value else value
