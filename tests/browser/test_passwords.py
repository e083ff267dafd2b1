"""What helps while a password is typed says the same as the server (S9, S10)."""

import pytest
from django.contrib.auth.password_validation import get_default_password_validators
from django.urls import reverse
from playwright.sync_api import expect

from tests.accounts.password_cases import PASSWORD_CASES

pytestmark = pytest.mark.browser

UNMET = """(passwords) => {
    const patterns = [...document.querySelectorAll("[data-pattern]")]
        .map((item) => new RegExp(item.dataset.pattern, "u"));
    return passwords.map((password) => patterns.map((each) => each.test(password)));
}"""


@pytest.fixture
def join(page, ivo):
    page.goto(reverse("invitations:link", args=[ivo.token]))
    return page


def test_the_patterns_of_the_page_agree_with_the_table(join):
    """S9: by the codes of the requirements that a password doesn't meet."""
    rules = [each for each in get_default_password_validators() if each.pattern]
    passwords = [password for password, _ in PASSWORD_CASES]
    for (password, unmet), marks in zip(
        PASSWORD_CASES, join.evaluate(UNMET, passwords), strict=True
    ):
        pairs = zip(rules, marks, strict=True)
        assert {rule.code for rule, is_met in pairs if not is_met} == unmet, password


def test_the_last_circle_is_left_to_the_server(join):
    """S10: whether a password was used before can't be told in the browser."""
    last = join.locator(".requirements li").last
    expect(last).to_have_text(
        "Different from your last 4 passwords (checked when you set it)"
    )
    join.get_by_label("Password", exact=True).fill("Gravel-Pit-22")
    expect(join.locator(".requirements .is-met")).to_have_count(5)
    assert "is-met" not in (last.get_attribute("class") or "")


def test_a_screen_reader_is_told_what_is_missing(join):
    """S10 without eyes: once, after a pause in the typing."""
    join.get_by_label("Password", exact=True).press_sequentially("Gravel")
    told = join.locator(".requirements-box [role=status]")
    expect(told).to_contain_text(
        "2 of 5 requirements met. Missing: At least 8 characters"
    )


def test_a_password_can_be_shown(join):
    """S9: typing a long one is easier in sight; refused, it isn't sent back."""
    password = join.get_by_label("Password", exact=True)
    password.fill("Gravel")
    join.get_by_label("Confirm", exact=True).fill("Gravel")
    join.get_by_role("button", name="Show what stands in Password").click()
    expect(password).to_have_attribute("type", "text")
    join.get_by_role("button", name="Set Password").click()
    expect(join.get_by_text("The password needs").first).to_be_visible()
    expect(password).to_have_value("")
