"""The published rules for passwords, on the server (S9, T28)."""

import pytest
from django.contrib.auth.password_validation import (
    get_default_password_validators,
    validate_password,
)
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.password_validation import SPECIAL_CHARACTERS
from tests.accounts.password_cases import PASSWORD_CASES, SPECIALS
from tests.steps import follow, set_password, text


def codes(password):
    try:
        validate_password(password)
    except ValidationError as error:
        return {each.code for each in error.error_list}
    return set()


@pytest.mark.parametrize(("password", "unmet"), PASSWORD_CASES)
def test_each_unmet_requirement_is_named(password, unmet):
    """S9, T28: the table that the browser runs too."""
    assert codes(password) == unmet


def test_there_are_32_specials():
    """S9: the list of the source, without the dollar."""
    assert len(SPECIALS) == len(set(SPECIALS)) == 32
    assert set(SPECIALS) == set(SPECIAL_CHARACTERS)
    assert "$" not in SPECIALS


def test_256_characters_are_taken_and_257_are_not():
    """T28."""
    assert codes("Aa1!" + "x" * 252) == set()
    with pytest.raises(ValidationError) as error:
        validate_password("Aa1!" + "x" * 253)
    assert error.value.messages == [
        "The password is too long: 256 characters are the most."
    ]


def test_every_requirement_has_a_sentence_and_its_pattern_if_a_browser_can_check_it():
    """S10: help text and circles come from the validators, in their order."""
    validators = get_default_password_validators()
    assert [bool(validator.pattern) for validator in validators] == [True] * 5 + [False]
    assert [validator.get_help_text() for validator in validators] == [
        "At least 8 characters.",
        "At least one upper case character.",
        "At least one lower case character.",
        "At least one numeric character.",
        "At least one of the special characters "
        "! @ # £ % ^ & * ( ) - _ = + ` ~ ' \" , < . > / ? [ { ] } \\ | ; :.",
        "Different from your last 4 passwords.",
    ]


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("Aa1!aaa", "at least 8 characters"),
        ("Abcdefg1$", "at least one of the special characters"),
        ("Aa1!" + "x" * 253, "256 characters are the most"),
        ("Aa1!aaa\0", "Null characters"),
    ],
)
def test_a_password_that_is_refused_is_refused_with_a_sentence(
    client, ivo, password, sentence
):
    """S9, T28: and nobody is let in, and nothing is lost but the password."""
    follow(client, ivo)
    answer = set_password(client, ivo, password, newsletter="on")
    assert answer.status_code == 200
    assert sentence in text(answer)
    assert answer.context["form"]["newsletter"].value() is True
    assert not User.objects.filter(email="ivo@subco.example").exists()


@pytest.mark.parametrize(
    "password", [" Abcde1! ", "Abcdefg1$!", "Aa1!" + "x" * 252, "Gruß-Gott-1 😀"]
)
def test_a_password_is_taken_as_it_was_typed(client, ivo, password):
    """S9, T28: nothing is cut off, changed or normalised."""
    follow(client, ivo)
    assert set_password(client, ivo, password).status_code == 302
    user = User.objects.get(email="ivo@subco.example")
    assert user.check_password(password)
    assert not user.check_password(password.strip() + " ")
