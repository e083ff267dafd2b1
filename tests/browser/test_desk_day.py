"""An administrator's day: 300 people of 40 firms are brought in, and let in.

Chromium, a real mail server and the real worker; whatever a page complains of, as that
the Content Security Policy was violated, fails the test.
"""

import csv
import io
import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from companies.models import Membership, Project, Vendor
from invitations.models import Delivery
from tests.cast import FOREMAN, PASSWORD, let_an_hour_pass
from tests.desk.lists import csv_file, xlsx_file
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

SUBCONTRACTOR = "Subcontractor – External"
HEADING = ["Name", "E-mail", "Firm", "Position", "Project", "Role"]
PEOPLE, FIRMS, PROJECTS = 300, 40, 12
# The mail server knows neither of them: one domain is misspelt, one name.
MISSPELT, UNKNOWN = "person.007@gmial.com", "person.008@firm-08.example"
REFUSED = "550 5.1.1 User unknown"
SETTLED = [Delivery.State.ACCEPTED, Delivery.State.REFUSED, Delivery.State.DROPPED]
UNTIL_DONE = 30_000  # milliseconds


def person(number):
    """A row of the list; the first is on two projects."""
    firm = number % FIRMS
    project = f"24-{number % PROJECTS:03}"
    return [
        f"Person {number:03}",
        MISSPELT if number == 7 else f"person.{number:03}@firm-{firm:02}.example",
        f"Firm {firm:02} Structural Steel",
        "Ironworker",
        f"{project}; 24-011" if number == 1 else project,
        FOREMAN if number < FIRMS else SUBCONTRACTOR,
    ]


def list_of_people():
    """What the subcontractors have sent: two rows have a fault."""
    rows = [person(number) for number in range(1, PEOPLE + 1)]
    rows[99][1] = "person.100 at firm-20.example"
    rows[199][4] = "42-008"
    title = ["People of our subcontractors"]
    return xlsx_file(title, [], HEADING, *rows)


def mended(file):
    """The refused rows, with what was wrong in them put right."""
    rows = list(csv.reader(io.StringIO(file.decode("utf-8-sig")), delimiter=","))
    cells = [[repair(cell) for cell in row] for row in rows]
    assert cells != rows
    return csv_file(*cells)


def repair(cell):
    return cell.replace(" at ", "@").replace("42-008", "24-008")


def settle():
    """Wait until no mail is on its way any more."""
    wait_until(lambda: not Delivery.objects.exclude(state__in=SETTLED).exists())


class Day:
    """What she does, one after the other, on the pages of the desk."""

    def __init__(self, page):
        self.page = page

    def bring(self, name, content):
        """Upload a list, and wait for the dry run."""
        self.open("desk_import_add")
        file = {"name": name, "mimeType": "", "buffer": content}
        self.page.get_by_label("CSV or XLSX file").set_input_files(file)
        self.press("Upload and compare")
        nothing = self.page.get_by_text("Nothing is changed yet.")
        expect(nothing).to_be_visible(timeout=UNTIL_DONE)

    def apply(self):
        """Apply what the dry run has shown; the page says by itself when it is done."""
        self.page.get_by_role("button", name="Apply").click()
        done = self.page.get_by_text("The list was applied")
        expect(done).to_be_visible(timeout=UNTIL_DONE)

    def invite_all(self):
        self.open("companies_membership_changelist", status="not_invited")
        self.page.get_by_role("checkbox", name="Select all").check()
        self.press(f"Select all {PEOPLE}")
        self.run("Invite")
        self.shows(f"Not invited: {PEOPLE}")
        self.press("Invite")
        self.told(f"{PEOPLE} invitations are on their way.")

    def act_on(self, name, action):
        """Choose somebody in the directory, and what is to be done."""
        self.open("companies_membership_changelist", q=name)
        self.page.get_by_role("checkbox", name=name).check()
        self.run(action)

    def run(self, action):
        self.page.get_by_role("combobox", name="Action").select_option(action)
        self.press("Run")

    def ask_why(self, name):
        self.open("index")
        self.page.get_by_role("searchbox").fill(name)
        self.press("Find out")

    def open(self, name, **query):
        self.page.goto(reverse(f"admin:{name}", query=query))

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def told(self, sentence):
        expect(self.page.locator(".messagelist")).to_contain_text(sentence)

    def shows(self, *sentences):
        for sentence in sentences:
            expect(self.page.get_by_text(sentence).first).to_be_visible()

    def figures(self, heading):
        """A table of the overview: what it counts, and the figure."""
        section = self.page.get_by_role("region", name=heading, exact=True)
        rows = section.locator("tbody tr").all()
        return {row.locator("th").inner_text(): row.locator("td").first for row in rows}


@pytest.fixture
def day(page, log_in, ada):
    for number in range(PROJECTS):
        name, code = f"Building {number}", f"24-{number:03}"
        Project.objects.create(company=ada.company, name=name, number=code)
    log_in(ada.email, PASSWORD)
    return Day(page)


def test_a_day_at_the_desk(day, page, ada, worker, mail_server):
    mail_server.at_rcpt |= {MISSPELT: REFUSED, UNKNOWN: REFUSED}

    # She imports the list, and reads before anything is done what would be.
    day.bring("subcontractors.xlsx", list_of_people())
    kinds = page.get_by_role("navigation", name="Kinds of rows")
    expect(kinds).to_contain_text(re.compile(r"New 298\s+Refused 2"))
    page.get_by_text(f"{FIRMS} firms will be created").click()
    day.shows("Firm 01 Structural Steel, Firm 02")
    kinds.get_by_role("link", name="Refused").click()
    day.shows("Row 103, E-mail", "Row 203, Project")
    assert not Vendor.objects.filter(company=ada.company).exists()
    day.apply()
    expect(kinds).to_contain_text("New 298")

    # The two that were refused come back as a file: mended, it is imported, too.
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the refused rows").click()
    day.bring("refused.csv", mended(download.value.path().read_bytes()))
    expect(kinds).to_contain_text("New 2")
    expect(kinds).not_to_contain_text("Refused")
    day.apply()
    assert Vendor.objects.filter(company=ada.company).count() == FIRMS

    # She invites all of them with one action, and sees the mails arrive.
    day.invite_all()
    page.get_by_role("link", name="See them arrive").click()
    settled = page.get_by_text(f"{PEOPLE} of {PEOPLE} are settled")
    expect(settled).to_be_visible(timeout=UNTIL_DONE)
    day.shows("Accepted by the mail server: 298", "Refused by the mail server: 2")

    # The overview leads her to the repair of the domain that is misspelt.
    day.open("index")
    attention = page.get_by_role("region", name="Needs attention today")
    expect(attention).to_contain_text("2 Mails that the mail server did not accept")
    attention.get_by_role("link", name="Repair addresses").click()
    day.shows("1 person at gmial.com: mailbox unknown")
    page.get_by_role("link", name="Correct to gmail.com").click()
    day.press("Correct and send invitations")
    day.told("The invitation is on its way.")

    # Why can't the other one get in? The page says it, and has the one next step.
    day.ask_why("Person 008")
    day.shows("The mail was refused: mailbox unknown. Check the address.")
    day.press("Correct the address")
    day.shows("Not accepted by the mail server")
    page.get_by_label("E-mail address").fill("p.008@firm-08.example")
    day.press("Save")
    day.told("changed successfully")

    # One has lost the mail, and one is not coming.
    let_an_hour_pass(Membership.objects.get(email="person.009@firm-09.example"))
    day.act_on("Person 009", "Send the invitation again")
    day.told("The invitation is on its way.")
    day.act_on("Person 010", "Deactivate …")
    day.shows("their open invitations are revoked")
    day.press("Deactivate")
    day.told("Person 010 is deactivated.")

    # The overview has the same figures as what she did, and the mail server agrees.
    settle()
    day.open("index")
    expect(attention).to_contain_text("Nothing.")
    statuses = day.figures("People")
    assert list(statuses) == ["Invited", "Joined", "Inactive"]
    expect(statuses["Invited"]).to_have_text("299")
    expect(statuses["Inactive"]).to_have_text("1")
    page.get_by_text("The same as a table").click()
    week = page.get_by_role("region", name="Invited, and joined since")
    expect(week.locator("tbody tr").last).to_have_text(re.compile(r"300\s*0$"))
    crews = day.figures("Projects with people who can’t get in yet")
    expect(crews["24-011 Building 11"]).to_have_text("26")
    assert mail_server.received["person.007@gmail.com"] == 1
    assert mail_server.received["p.008@firm-08.example"] == 1
    assert mail_server.received["person.009@firm-09.example"] == 2
    assert mail_server.received.total() == PEOPLE + 1
