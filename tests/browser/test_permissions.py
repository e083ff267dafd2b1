"""What the pages about access do in the browser: levels, favourites, long lists."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from companies.models import Project, ProjectMembership, Vendor
from invitations.models import Delivery
from tests.browser.steps import press_tab_to
from tests.cast import FOREMAN, PASSWORD, add_entry, invite, put_on, template

pytestmark = pytest.mark.browser

MORE_THAN_FITS = """
    element => Math.max(0, element.scrollWidth - element.clientWidth)
"""


def test_levels_are_set_by_the_keyboard_alone(page, log_in, ada, max_):
    """The head of a column sets all; what would happen is said before it does."""
    foreman = template(ada.company, FOREMAN)
    log_in(ada.email, PASSWORD)
    page.goto(reverse("admin:companies_permissiontemplate_change", args=[foreman.pk]))

    press_tab_to(page, page.get_by_role("button", name="Set all tools to Read Only"))
    page.keyboard.press("Enter")
    expect(page.locator(".matrix tbody :checked[value='1']")).to_have_count(16)
    press_tab_to(page, page.get_by_role("radio", name="RFIs: Read Only"))
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="RFIs: None")).to_be_checked()

    page.keyboard.press("Enter")  # saves: the way of every form
    loss = page.get_by_text("1 person on 1 project loses RFIs: Standard → None.")
    expect(loss).to_be_visible()
    expect(page.get_by_text("Please correct")).to_be_hidden()
    assert foreman.level_of()["rfis"] == 2

    press_tab_to(page, page.get_by_role("button", name="Save and confirm"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    levels = foreman.level_of()
    assert levels.pop("rfis") == 0
    assert set(levels.values()) == {1}


def test_enter_saves_the_form_of_a_person(page, log_in, ada, max_):
    """What was typed isn't lost to the button that runs an action."""
    log_in(ada.email, PASSWORD)
    page.goto(reverse("admin:companies_membership_change", args=[max_.pk]))
    page.get_by_label("Job title").fill("Foreman")
    page.keyboard.press("Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    max_.refresh_from_db()
    assert max_.job_title == "Foreman"


def test_star_brings_a_project_to_the_top(page, log_in, acme, max_, tower):
    """Favourites come first, whatever the order of the others."""
    annex = Project.objects.create(company=acme, name="Zenith Annex", number="25-001")
    put_on(max_, annex)
    log_in(max_.email, PASSWORD)
    page.goto(acme.get_absolute_url() + "?order=number")
    names = page.locator(".projects .row-name")
    expect(names).to_have_text(["Harbour Tower", "Zenith Annex"])

    star = page.get_by_role("button", name="Favourite: Zenith Annex")
    star.click()
    expect(names).to_have_text(["Zenith Annex", "Harbour Tower"])
    expect(star).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith("?order=number")

    star.click()
    expect(names).to_have_text(["Harbour Tower", "Zenith Annex"])


def test_all_columns_of_a_list_fit_a_desk(page, log_in, acme, ada):
    """At 1280 pixels, with the longest names that a building site knows."""
    firm = "Müller-Lüdenscheidt & Oberpfalz Structural Steel Erection Contractors"
    kasimir = add_entry(
        acme,
        "kasimir-alexander.featherstonehaugh@structural-steel-erection.example",
        first_name="Kasimir-Alexander",
        last_name="Wojciechowski-Featherstonehaugh",
        job_title="Assistant Deputy Superintendent of Works",
        vendor=Vendor.objects.create(company=acme, name=firm),
    )
    name = "Saint-Bartholomew-on-the-Hill Regional Medical Center, East Wing"
    project = Project.objects.create(company=acme, name=name, number="26-0001-B")
    put_on(kasimir, project, starts_on="2026-09-23", ends_on="2027-09-30")
    reason = "the certificate of insurance ended and the new one is not here yet"
    ProjectMembership.objects.suspend(reason, None)
    invite(kasimir, ada.user)
    [mail] = Delivery.objects.claim(1)
    answer = "550 5.1.1 See https://support.mail.example/mail/answer/6596?p=NoSuchUser"
    mail.settle(Delivery.State.REFUSED, answer)
    log_in(ada.email, PASSWORD)
    page.set_viewport_size({"width": 1280, "height": 900})
    for model in (
        "companies_membership",
        "companies_projectmembership",
        "invitations_invitation",
        "audit_auditevent",
    ):
        page.goto(reverse(f"admin:{model}_changelist"))
        assert not page.locator("#changelist .results").evaluate(MORE_THAN_FITS), model
