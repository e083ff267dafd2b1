"""axe finds nothing serious on any page: light and dark, on a phone and a desk."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from companies.models import (
    Company,
    Membership,
    PermissionTemplate,
    Project,
    ProjectMembership,
    Vendor,
)
from invitations.models import Invitation, Terms
from procore_site.management.commands import demo
from tests.browser.steps import follow, press_tab_to
from tests.cast import add_entry, invite, work
from tests.desk.lists import xlsx_file

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("demo_world")]

ADMINISTRATOR = "marta.kowalski@harborpine.example"
FOREMAN = "luis.ortega@harborpine.example"
IN_BOTH = "priya.raman@ramanstone.example"
DIRECTORY = reverse_lazy("admin:companies_membership_changelist")
SUBCONTRACTOR = "Subcontractor – External"
INVITED = "lena.brandt@cascade-electric.example"


# Only the colours are others at night.
EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = EVERYTHING | {"runOnly": ["color-contrast"]}
SIGHTS = [
    (1280, "light", EVERYTHING),
    (1280, "dark", COLOURS),
    (390, "dark", COLOURS),
    (390, "light", EVERYTHING),
]
SPILL = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture
def check(page):
    """Look at a page in all ways; what spills over the edge is a fault, too.

    Outside the admin the window is called as the page is.
    """

    def check(url=""):
        if url:
            assert page.goto(str(url)).status in (200, 404), url
        page.wait_for_load_state()
        heading = page.get_by_role("heading", level=1).inner_text()
        assert "/admin/" in page.url or page.title().startswith(f"{heading} · ")
        faults = [fault for sight in SIGHTS for fault in look(page, *sight)]
        assert not faults, page.url

    return check


def look(page, width, scheme, options):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    for fault in Axe().run(page, options=options).response["violations"]:
        if fault["impact"] in ("serious", "critical"):
            places = [node["target"] for node in fault["nodes"]]
            yield f"{width} {scheme}: {fault['id']} at {places}"
    if (spill := page.evaluate(SPILL)) > 0:
        yield f"{width} {scheme}: {spill} pixels wider than the window"


def test_pages_before_the_log_in(page, check):
    for name in ("account_login", "account_reset_password", "account_signup"):
        check(reverse(name))
    page.goto(reverse("account_reset_password"))
    page.get_by_label("E-mail address").fill("nobody@example.com")
    follow(page.get_by_role("button", name="Send the mail"))
    check()
    for url in ("/nothing-here/", "/invitations/cut-off/", reverse("invitations:join")):
        check(url)
    page.goto(reverse("account_login"))
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("wrong")
    follow(page.get_by_role("button", name="Log In", exact=True))
    check()


@pytest.mark.parametrize("state", ["revoked", "declined", "accepted"])
def test_pages_of_links_that_are_dead(check, state):
    invitation = Invitation.objects.filter(state=state).first()
    check(reverse("invitations:link", args=[invitation.token]))


def test_pages_of_joining(page, check):
    invitation = Invitation.objects.pending().get(sent_to=INVITED)
    check(reverse("invitations:link", args=[invitation.token]))
    page.get_by_label("Password", exact=True).fill("Gravel")
    page.get_by_label("Confirm").fill("Grovel")
    page.get_by_label("Confirm").blur()
    check()
    page.get_by_role("button", name="Set Password").click()
    expect(page.get_by_text("The password needs").first).to_be_visible()
    check()
    follow(page.get_by_role("link", name="Not for me"))
    check()
    follow(page.get_by_role("link", name="Back", exact=True))
    for label in ("Password", "Confirm"):
        page.get_by_label(label, exact=True).fill(demo.PASSWORD)
    page.get_by_role("button", name="Set Password").click()
    expect(page.get_by_role("heading", name="Terms and Conditions")).to_be_visible()
    check()


def test_pages_of_a_member(page, check, log_in):
    user = User.objects.get(email=IN_BOTH)
    third = Company.objects.create(name="Orca Civil Works")
    waiting = invite(add_entry(third, user.email))
    log_in(user.email)
    check(reverse("invitations:waiting"))
    check(reverse("invitations:join", query={"i": waiting.public_id}))
    check(reverse("companies:select"))
    project = Project.objects.get(number="24-017")
    check(project.company.get_absolute_url())
    check(project.company.get_absolute_url() + "?q=nothing")
    page.goto(project.get_absolute_url())
    page.get_by_role("button", name="Favourite: Harbor Tower").click()
    expect(page.get_by_role("button", name="Favourite", pressed=True)).to_be_visible()
    page.get_by_text("My account").click()
    check()


def test_pages_of_somebody_on_many_projects(page, check, log_in):
    entry = Membership.objects.get(email=FOREMAN)
    on_all_projects(entry)
    entry.project_memberships.filter(project__number="24-017").suspend(
        "No helmet.", None
    )
    log_in(entry.email)
    check(entry.company.get_absolute_url() + "?order=visited")
    check(reverse("companies:access", args=[entry.company.slug]))
    page.locator("summary", has_text="Cedar River").click()
    check()


def test_pages_of_the_own_account(page, check, log_in):
    log_in(IN_BOTH)
    for name in (
        "account_change_password",
        "account_email",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_list_webauthn",
        "usersessions_list",
        "accounts:newsletter",
        "account_logout",
        "account_reauthenticate",
    ):
        check(reverse(name))


def test_people_of_projects_are_called_with_a_thumb(page, log_in):
    log_in(FOREMAN)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(Project.objects.get(number="24-017").get_absolute_url())
    for link in page.get_by_role("main").get_by_role("link").filter(has_text="@").all():
        assert link.bounding_box()["height"] >= 44
    expect(page.get_by_role("link", name="+1 206 555").first).to_be_in_viewport()


def test_sections_of_the_own_account_are_all_in_sight_on_a_phone(page, log_in):
    log_in(IN_BOTH)
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(reverse("accounts:newsletter"))
    sections = page.get_by_role("navigation", name="My account").get_by_role("link")
    for section in sections.all():
        expect(section).to_be_in_viewport(ratio=1)


def test_pages_of_an_administrator(page, check, log_in):
    log_in(ADMINISTRATOR)
    check(reverse("admin:index"))
    for model in ("project", "vendor", "permissiontemplate"):
        check(reverse(f"admin:companies_{model}_changelist"))
    check(reverse("admin:invitations_invitation_changelist"))
    check(reverse("admin:companies_membership_add"))
    entry = Membership.objects.get(email="luis.ortega@harborpine.example")
    for name in ("change", "history"):
        check(reverse(f"admin:companies_membership_{name}", args=[entry.pk]))
    check(reverse("admin:companies_membership_changelist"))
    page.get_by_role("checkbox", name="Sam Delgado").check()
    run(page, "Make a first password")
    check()


def test_pages_of_the_overview_and_the_directory(page, check, log_in):
    log_in(ADMINISTRATOR)
    check(reverse("admin:index"))
    page.get_by_text("The same as a table").click()
    check()
    check(f"{DIRECTORY}?status=invited&_facets=True")
    check(f"{DIRECTORY}?q=nobody")
    page.goto(str(DIRECTORY))
    page.get_by_role("checkbox", name="Select all").check()
    run(page, "Send the invitation again")
    check()
    follow(page.get_by_role("button", name="Send again"))
    follow(page.get_by_role("link", name="See them arrive"))
    check()
    check(f"{page.url}?state=refused")


@pytest.mark.parametrize(
    "action",
    [
        "Remind those pending longer than …",
        "Extend …",
        "Add to a project …",
        "Change the company template …",
        "Deactivate …",
        "Reactivate …",
    ],
)
def test_pages_that_ask_before_an_action(page, check, log_in, action):
    log_in(ADMINISTRATOR)
    page.goto(str(DIRECTORY))
    page.get_by_role("checkbox", name="Select all").check()
    run(page, action)
    check()


def test_pages_of_an_import(page, check, log_in):
    log_in(ADMINISTRATOR)
    check(reverse("admin:desk_import_add"))
    picture = {"name": "list.xlsx", "mimeType": "image/png", "buffer": b"\x89PNG\0"}
    upload(page, picture)
    check()
    upload(page, a_list(Other=[["Nothing"]]))
    check()
    page.get_by_label("People", exact=True).check()
    follow(page.get_by_role("button", name="Compare", exact=True))
    check_while_it_works(page, check)
    follow(page.get_by_role("button", name="Apply 1 row"))
    check_while_it_works(page, check)
    page.locator("summary", has_text="Undo the import").click()
    check()
    follow(page.get_by_role("button", name="Undo the import"))
    check_while_it_works(page, check)
    check(reverse("admin:desk_import_changelist"))


def test_pages_of_why_and_of_the_history(page, check, log_in):
    log_in(ADMINISTRATOR)
    check(reverse("admin:why"))
    check(reverse("admin:why", query={"q": "nobody"}))
    check(reverse("admin:why", query={"q": "harborpine"}))
    for email in (INVITED, FOREMAN):
        entry = Membership.objects.get(email=email)
        check(reverse("admin:companies_membership_story", args=[entry.pk]))
    check(reverse("admin:audit_auditevent_changelist"))


def test_pages_of_deleting_a_row_and_of_what_happened_to_it(check, log_in):
    """One firm goes, and of the other it is said who is in the way."""
    log_in(ADMINISTRATOR)
    entry = Membership.objects.get(email=ADMINISTRATOR)
    ours = {"company": entry.company}
    working = Membership.objects.filter(**ours).exclude(vendor=None).first()
    free = Vendor.objects.create(**ours, name="Steel & Sons")
    own = PermissionTemplate.objects.create(**ours, scope="company", name="Own")
    for row in (free, working.vendor, own):
        check(page_of(row, "delete"))
    grant = ProjectMembership.objects.filter(**ours).first()
    invitation = Invitation.objects.filter(**ours).first()
    for row in (working, working.vendor, own, grant, grant.project, invitation):
        check(page_of(row, "history"))


def page_of(row, name):
    model = row._meta.label_lower.replace(".", "_")
    return reverse(f"admin:{model}_{name}", args=[row.pk])


def test_page_of_a_form_of_another_company(page, check, log_in):
    log_in(ADMINISTRATOR)
    entry = Membership.objects.get(email=ADMINISTRATOR)
    other = Company.objects.create(name="Orca Civil Works")
    administrator = {"template": entry.template.name}
    add_entry(other, entry.email, **administrator).join(entry.user, timezone.now())
    select(page, entry.company)
    page.goto(reverse("admin:companies_vendor_add"))
    page.get_by_label("Name").fill("Steel & Sons")
    select(page.context.new_page(), other)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("You switched to Orca Civil Works")).to_be_visible()
    check()


def test_an_action_needs_no_mouse(page, log_in):
    log_in(ADMINISTRATOR)
    page.goto(f"{DIRECTORY}?q=lena")
    press_tab_to(page, page.get_by_role("link", name="Skip the filters"))
    page.keyboard.press("Enter")
    press_tab_to(page, page.get_by_role("checkbox", name="Lena Brandt"))
    page.keyboard.press("Space")
    # The action stands above the list: back to it.
    choose = page.get_by_role("combobox", name="Action")
    press_tab_to(page, choose, "Shift+Tab")
    page.keyboard.type("Deactivate")
    press_tab_to(page, page.get_by_role("button", name="Run", exact=True))
    page.keyboard.press("Enter")
    press_tab_to(page, page.get_by_role("button", name="Deactivate", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Lena Brandt is deactivated.")).to_be_visible()


def test_an_import_needs_no_mouse(page, log_in):
    log_in(ADMINISTRATOR)
    page.goto(reverse("admin:desk_import_add"))
    field = page.get_by_label("CSV or XLSX file")
    press_tab_to(page, field)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(a_list())
    press_tab_to(page, page.get_by_role("button", name="Upload and compare"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The list is being compared")).to_be_visible()
    work()
    # The page looks by itself, and says what it has found.
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    press_tab_to(page, page.get_by_role("button", name="Apply 1 row"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The list is being applied")).to_be_visible()
    work()
    expect(page.get_by_text("The list was applied")).to_be_visible()


def test_pages_of_handing_out_access(page, check, log_in):
    log_in(ADMINISTRATOR)
    grants = reverse("admin:companies_projectmembership_changelist")
    check(grants)
    for action in ("Suspend …", "End on …"):
        page.goto(grants)
        page.get_by_role("checkbox", name="Select all").check()
        run(page, action)
        check()
    page.goto(reverse("admin:companies_membership_changelist"))
    page.get_by_role("checkbox", name="Sam Delgado").check()
    run(page, "Add to a project …")
    choose(page, "24-017", "Harbor Tower")
    page.get_by_label("Last day").fill("2020-01-31")
    follow(page.get_by_role("button", name="Add to a project"))
    check()
    grant = ProjectMembership.objects.filter(membership__email=FOREMAN).first()
    check(reverse("admin:companies_projectmembership_change", args=[grant.pk]))
    check(reverse("admin:companies_membership_access", args=[grant.membership_id]))
    page.locator("summary").first.click()
    check()


def test_pages_of_a_crew(page, check, log_in):
    log_in(ADMINISTRATOR)
    source = Project.objects.get(number="24-017")
    target = Project.objects.get(number="24-011")
    check(reverse("admin:companies_project_change", args=[target.pk]))
    follow(page.get_by_role("link", name="Copy a crew"))
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("24-01")
    check()
    page.get_by_role("option", name=str(source)).click()
    page.get_by_role("button", name="Show the difference").click()
    expect(page.get_by_label("Crew of the project").first).to_contain_text(str(source))
    check()
    check(reverse("admin:companies_project_demobilise", args=[target.pk]))
    check(reverse("admin:companies_project_add_people", args=[target.pk]))
    choose(page, "sam", "Sam Delgado")
    check()


def test_pages_of_a_template(page, check, log_in):
    template = PermissionTemplate.objects.get(
        company__name__startswith="Harbor", name="Subcontractor – External"
    )
    log_in(ADMINISTRATOR)
    check(reverse("admin:companies_permissiontemplate_change", args=[template.pk]))
    page.get_by_role("button", name="Set all tools to None").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    check()


def choose(page, typed, name):
    """Find one of many by what is typed into the field that completes it."""
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill(typed)
    page.get_by_role("option", name=name).click()


def run(page, action):
    page.get_by_role("combobox", name="Action").select_option(action)
    follow(page.get_by_role("button", name="Run", exact=True))


def a_list(**sheets):
    """A file with a row that is new, one that is refused, and one that is ignored."""
    rows = [
        ["Name", "E-mail", "Firm", "Project", "Role"],
        [
            "Rosa Diaz",
            "rosa@steel.example",
            "Steel Co",
            "24-017",
            SUBCONTRACTOR,
        ],
        ["John Doe", "john at steel.example", "Steel Co", "", ""],
        ["Total", "", "", "", ""],
    ]
    content = xlsx_file(*rows, **sheets)
    return {"name": "people.xlsx", "mimeType": "", "buffer": content}


def upload(page, file):
    page.get_by_label("CSV or XLSX file").set_input_files(file)
    follow(page.get_by_role("button", name="Upload and compare"))


DONE = re.compile("would be done|was applied|was undone")


def check_while_it_works(page, check):
    """Look at the page of an import that goes on, and again when that is done."""
    bar = page.get_by_role("progressbar")
    expect(bar).to_be_visible()
    check()
    page.evaluate("window.isTheSame = true")
    work()
    expect(bar).to_be_hidden()
    # In its place, so that a screen reader hears of it.
    expect(page.get_by_role("status")).to_contain_text(DONE)
    assert page.evaluate("window.isTheSame")
    check()


def select(page, company):
    page.goto(reverse("companies:select"))
    page.get_by_label(company.name).check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name=company.name)).to_be_visible()


def on_all_projects(entry):
    template = entry.project_memberships.first().template
    projects = Project.objects.filter(company=entry.company)
    pairs = [(entry, project, template) for project in projects]
    ProjectMembership.objects.grant(pairs, None)


def test_pages_of_an_operator(check, log_in):
    log_in(demo.OPERATOR)
    check(reverse("admin:index"))
    for model in (
        "companies_company",
        "accounts_user",
        "invitations_terms",
        "invitations_delivery",
        "audit_auditevent",
    ):
        check(reverse(f"admin:{model}_changelist"))
    check(reverse("admin:invitations_terms_add"))
    terms = Terms.objects.get()
    check(reverse("admin:invitations_terms_change", args=[terms.pk]))
