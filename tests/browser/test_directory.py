"""The directory in a browser: inviting, and the page that shows the mails arrive."""

import re

import pytest
from playwright.sync_api import expect

from companies.admin.filters import LISTED
from companies.models import Company, Membership, Project, Vendor
from invitations.models import Delivery, Invitation
from tests.browser.test_accessibility import ADMINISTRATOR, check  # noqa: F401
from tests.cast import add_entry

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("demo_world")]

DIRECTORY = "/admin/companies/membership/"


@pytest.fixture
def company():
    company = Company.objects.get(memberships__email=ADMINISTRATOR)
    for name in ("Ann", "Bo", "Cy"):
        add_entry(
            company, f"{name.lower()}@wu.example", first_name=name, last_name="Wu"
        )
    Delivery.objects.all().delete()
    return company


def test_a_sending_renews_itself_until_all_is_settled(
    page,
    log_in,
    company,
    check,  # noqa: F811
):
    """Nothing is loaded again: what was written into the page stays there."""
    log_in(ADMINISTRATOR)
    page.goto(f"{DIRECTORY}?q=wu.example")
    page.get_by_role("checkbox", name=re.compile("select all", re.I)).check()
    page.get_by_label("Action").first.select_option("invite")
    page.get_by_role("button", name="Run").first.click()
    page.get_by_role("link", name="See them arrive").click()
    status = page.get_by_role("status")
    expect(status).to_contain_text("0 of 3 are settled")
    check(page.url)
    page.evaluate("window.isTheSame = true")
    first, *others = Delivery.objects.claim(10)
    first.settle(Delivery.State.REFUSED, "550 User unknown")
    expect(status).to_contain_text("1 of 3 are settled")
    expect(
        page.get_by_role("cell", name=re.compile("550 User unknown"))
    ).to_be_visible()
    for mail in others:
        mail.settle(Delivery.State.ACCEPTED)
    expect(status).to_contain_text("nothing is left to send")
    assert page.evaluate("window.isTheSame")
    check(page.url)


def test_on_a_phone_each_value_has_the_heading_of_its_column(page, log_in, company):
    """What says nothing isn't there; on a desk the columns have their headings."""
    log_in(ADMINISTRATOR)
    row = page.get_by_role("row", name="Ann Wu")
    before = "cell => getComputedStyle(cell, '::before').content"
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(DIRECTORY)
    template = row.locator(".field-template")
    assert template.evaluate(before) == '"Company template: "'
    assert row.locator(".field-name").evaluate(before) == "none"
    expect(row.locator(".field-job_title")).to_be_hidden()
    page.goto("/admin/companies/project/")
    active = page.locator("#result_list .field-is_active").first
    assert active.evaluate(before) == '"Active: "'
    expect(active.get_by_role("img")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(DIRECTORY)
    assert template.evaluate(before) == "none"
    expect(row.locator(".field-job_title")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1024, 1025, 1280])
def test_the_projects_of_a_person_fit_the_page(page, log_in, company, width):
    """None is cut off; on a small screen each field stands below its heading."""
    log_in(ADMINISTRATOR)
    page.set_viewport_size({"width": width, "height": 900})
    walt = Membership.objects.get(company=company, email="walt.jensen@ironbark.example")
    page.goto(f"{DIRECTORY}{walt.pk}/change/")
    page.get_by_role("button", name="Add another Project").click()
    wrapper = page.locator(".tabular .wrapper")
    assert wrapper.evaluate("box => box.scrollWidth - box.clientWidth") <= 0
    for field in page.locator(".tabular tr:not(.empty-form) [name]:visible").all():
        assert field.evaluate("field => field.getBoundingClientRect().width") > 90
    expect(page.get_by_text("Suspended: The insurance")).to_be_visible()
    heading = page.locator(".field-starts_on").first
    before = heading.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert before == ('"First day"' if width <= 1024 else "none")


def test_an_address_breaks_between_its_words(page, log_in, company):
    """And is still the same to whoever copies or searches it."""
    log_in(ADMINISTRATOR)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(DIRECTORY)
    address = page.locator(".field-name .quiet", has_text=ADMINISTRATOR)
    assert address.text_content() == ADMINISTRATOR
    name, _, domain = ADMINISTRATOR.partition("@")
    parts = [f"{name.split('.')[0]}", f".{name.split('.')[1]}@", domain.split(".")[0]]
    assert address.inner_html().split("<wbr>")[:3] == parts


def test_filters_are_in_reach(page, log_in, company):
    """None is hidden in a box of its own; on a phone a link leads to them."""
    log_in(ADMINISTRATOR)
    page.goto(f"{DIRECTORY}?_facets=True")
    boxes = page.locator("#changelist-filter ul")
    hidden = boxes.evaluate_all(
        "boxes => boxes.filter(box => box.scrollHeight > box.clientHeight).length"
    )
    assert hidden == 0
    link = page.get_by_role("link", name="Filter", exact=True)
    expect(link).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 900})
    link.click()
    expect(page.get_by_role("heading", name="Filter")).to_be_in_viewport()


def test_on_a_phone_what_is_done_with_the_chosen_stays_in_reach(page, log_in, company):
    """Whatever row one reads; and a filter is as high as a finger."""
    log_in(ADMINISTRATOR)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(DIRECTORY)
    rows = page.locator("#result_list tbody tr")
    rows.nth(rows.count() // 2).scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Run")).to_be_in_viewport(ratio=1)
    page.get_by_role("link", name="Filter", exact=True).click()
    choice = page.get_by_role("link", name="Not invited")
    expect(choice).to_be_in_viewport()
    assert choice.bounding_box()["height"] >= 44


def test_the_list_its_questions_and_its_form_are_for_everybody(
    page,
    log_in,
    company,
    check,  # noqa: F811
):
    """With more firms and projects than are listed to choose from."""
    Vendor.objects.bulk_create(
        Vendor(company=company, name=f"Firm {n}") for n in range(LISTED + 1)
    )
    Project.objects.bulk_create(
        Project(company=company, name=f"Site {n}", number=f"N-{n}")
        for n in range(LISTED + 1)
    )
    entry = Membership.objects.get(email="ann@wu.example")
    by = Membership.objects.get(company=company, email=ADMINISTRATOR).user
    Invitation.objects.send([entry], by)
    log_in(ADMINISTRATOR)
    page.goto(DIRECTORY)
    for width in (1280, 1220, 900):
        page.set_viewport_size({"width": width, "height": 900})
        for heading in ("Status", "Projects"):  # nothing is pushed off the edge
            column = page.get_by_role("columnheader", name=heading)
            expect(column).to_be_in_viewport(ratio=1)
    check(DIRECTORY)
    check(f"{DIRECTORY}{entry.pk}/change/")
    page.goto(f"{DIRECTORY}?status=invited")
    page.get_by_label("Name of the firm").fill("no such firm")
    page.get_by_label("Name of the firm").press("Enter")
    expect(page).to_have_url(re.compile("status=invited.*vendor_name=no"))
    page.goto(f"{DIRECTORY}{entry.pk}/change/")
    page.get_by_label("Action").first.select_option("deactivate")
    page.get_by_role("button", name="Run").first.click()
    expect(page.get_by_text("their open invitations are revoked")).to_be_visible()
    check()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Ann Wu is deactivated.")).to_be_visible()
