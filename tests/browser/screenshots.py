"""Takes the pictures of docs/screenshots.

Run it with `python -m pytest tests/browser/screenshots.py`; pytest doesn't collect it
when it isn't named.
"""

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect

from companies.models import Project
from invitations import emails
from invitations.models import Invitation
from procore_site.management.commands import demo
from tests.browser.steps import follow
from tests.browser.test_story import failed
from tests.cast import work
from tests.desk.lists import xlsx_file

__all__ = ["failed"]

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("demo_world")]

FOLDER = settings.BASE_DIR / "docs" / "screenshots"
INVITED = "lena.brandt@cascade-electric.example"


@pytest.fixture
def take(page):
    def take(name, width=1280, height=800, scheme="light"):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")

    return take


def test_joining(page, take, settings):
    invitation = Invitation.objects.pending().get(sent_to=INVITED)
    settings.BASE_URL = "https://accounts.example.com"
    page.set_content(emails.welcome(invitation).alternatives[0].content)
    take("mail", 700, 860)
    page.goto("/accounts/login/")
    take("log-in")
    page.goto(reverse("invitations:link", args=[invitation.token]))
    page.get_by_label("Password", exact=True).fill("Gravel-pit")
    take("create-a-password", 1280, 1060)
    take("create-a-password-phone", 390, 900)
    for label in ("Password", "Confirm"):
        page.get_by_label(label, exact=True).fill(demo.PASSWORD)
    page.get_by_role("button", name="Set Password").click()
    expect(page.get_by_role("heading", name="Terms and Conditions")).to_be_visible()
    take("terms", 1280, 980)


def test_working(page, take, log_in):
    log_in("priya.raman@ramanstone.example")
    take("select-a-company-phone", 390, 720)
    project = Project.objects.get(number="24-017")
    page.goto(project.get_absolute_url())
    take("project-dark", 1280, 980, "dark")


def test_explaining(page, take, log_in):
    log_in("luis.ortega@harborpine.example")
    page.get_by_role("button", name="Favourite: Harbor Tower").click()
    follow(page.get_by_role("link", name="My access"))
    page.locator("summary", has_text="Harbor Tower").click()
    page.mouse.move(0, 0)
    take("my-access", 1280, 1020)


def test_administering(page, take, log_in):
    log_in("marta.kowalski@harborpine.example")
    page.get_by_role("button", name="Favourite: Harbor Tower").click()
    page.mouse.move(0, 0)
    take("projects")
    page.goto(reverse("admin:companies_membership_changelist"))
    page.get_by_role("checkbox", name="Sam Delgado").check()
    page.get_by_role("combobox", name="Action").select_option("Invite")
    take("directory", 1280, 760)
    page.goto(reverse("admin:companies_permissiontemplate_changelist"))
    follow(page.get_by_role("link", name="Subcontractor – External"))
    page.get_by_role("radio", name="RFIs: None").check()
    follow(page.get_by_role("button", name="Save", exact=True))
    take("template", 1280, 1720)


def test_the_desk(page, take, log_in, failed):  # noqa: F811
    log_in("marta.kowalski@harborpine.example")
    page.goto(reverse("admin:index"))
    take("overview", 1280, 900)
    take("overview-phone", 390, 900)
    page.goto(reverse("admin:companies_membership_changelist"))
    take("directory-phone", 390, 900)
    page.goto(reverse("admin:companies_membership_story", args=[failed[0].pk]))
    take("story", 1280, 760)
    page.goto(reverse("admin:invitations_invitation_repair"))
    follow(page.get_by_role("link", name="Correct to gmail.com"))
    take("repair", 1280, 680)


def test_importing(page, take, log_in):
    log_in("marta.kowalski@harborpine.example")
    page.goto(reverse("admin:desk_import_add"))
    file = {"name": "subcontractors.xlsx", "mimeType": "", "buffer": a_list()}
    page.get_by_label("CSV or XLSX file").set_input_files(file)
    page.get_by_role("button", name="Upload and compare").click()
    work()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    follow(page.get_by_role("link", name="All", exact=True))
    take("import", 1280, 860)


def a_list():
    """Somebody new, somebody known with another title, and two with a fault."""
    role = "Subcontractor – External"
    return xlsx_file(
        ["Name", "E-mail", "Firm", "Position", "Project", "Role"],
        ["Diaz, Rosa", "rosa@alder.example", "Alder Steel", "Welder", "24-017", role],
        ["Lena Brandt", INVITED, "Cascade Electric", "Electrician", "", ""],
        ["Tom Ek", "tom at alder.example", "Alder Steel", "Rigger", "24-017", role],
        ["Ida Ross", "ida@alder.example", "Alder Steel", "Rigger", "24-099", role],
        ["Noor Said", "noor@alder.example", "Alder Steel", "Rigger", "24-011", role],
    )
