"""The small scripts: a long list that narrows, and the account menu."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from companies.models import Company
from tests.cast import PASSWORD, add_entry

pytestmark = pytest.mark.browser


@pytest.fixture
def select(page, log_in, max_):
    """Somebody of many companies, who is to select one."""
    for number in range(12):
        company = Company.objects.create(name=f"Söderberg & Sons {number}")
        add_entry(company, max_.email).join(max_.user, timezone.now())
    log_in(max_.email, PASSWORD)
    return page


def test_a_long_list_of_companies_narrows_while_one_types(select):
    """S7: among many, the wanted one is found by a part of its name."""
    select.get_by_label("Söderberg & Sons 7").check()
    find = select.get_by_label("Find a company")
    find.fill("soderberg 1")
    expect(select.get_by_text("4 of 13 shown")).to_be_visible()
    names = select.get_by_role("radio").all()
    assert sum(name.is_visible() for name in names) == 4
    find.press("Enter")  # sends nothing
    expect(select.get_by_label("Söderberg & Sons 7")).to_be_checked()
    select.get_by_role("button", name="Continue").click()
    expect(select.get_by_role("heading", name="Söderberg & Sons 7")).to_be_visible()


def test_the_account_menu_closes_politely(select):
    """By Escape, by a click elsewhere, and when the focus leaves it."""
    sheet = select.locator(".menu-sheet")
    summary = select.get_by_text("My account")
    summary.click()
    expect(sheet).to_be_visible()
    select.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(summary).to_be_focused()

    summary.click()
    select.get_by_role("heading", name="Select a Company").click()
    expect(sheet).to_be_hidden()

    summary.click()
    for _ in range(sheet.get_by_role("link").count() + 1):
        select.keyboard.press("Tab")
    expect(select.get_by_role("button", name="Log out")).to_be_focused()
    expect(sheet).to_be_hidden()
