"""The source document, sentence by sentence, in Chromium: real mail, real worker."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import User
from tests.browser.steps import press_tab_to
from tests.cast import PASSWORD, add_entry, invite, put_on

pytestmark = pytest.mark.browser

CHOSEN = "Gravel-Pit-22"


def html_of(letter):
    return letter.get_body(("html",)).get_content()


def get_started(context, letter):
    """Open a mail and choose Get Started, which opens a new window (S8)."""
    mail = context.new_page()
    mail.set_content(html_of(letter))
    with mail.expect_popup() as opened:
        mail.get_by_role("link", name="Get Started").click()
    return opened.value


def circles(page):
    """The circles before the requirements: length, upper, lower, digit, special."""
    rules = page.locator(".requirements [data-pattern]").all()
    return "".join(
        "●" if "is-met" in (rule.get_attribute("class") or "") else "○"
        for rule in rules
    )


def test_journey(page, context, log_in, ada, tower, bridge, next_letter):
    """Ada adds and invites Ivo in the admin; he joins, agrees, leaves, comes back."""
    # S2: the log-in page says whom to ask. S3: e-mail address and password.
    page.goto("/")
    expect(page.get_by_text("ask your Company Administrator")).to_be_visible()
    log_in(ada.email, PASSWORD)
    expect(page.get_by_role("heading", name="Acme Construction")).to_be_visible()

    # S1: the company's administrator adds a person with a project …
    page.get_by_role("link", name="Administration").click()
    desk = page.get_by_role("navigation", name="The desk")
    desk.get_by_role("link", name="Directory").click()
    page.get_by_role("link", name="Add person").click()
    page.get_by_label("E-mail address").fill("Ivo@SubCo.example")
    page.get_by_label("First name").fill("Ivo")
    page.get_by_label("Last name").fill("Novak")
    page.get_by_text("Add another project").click()
    row = page.locator(".inline-related tr.dynamic-project_memberships").first
    row.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("Harb")
    page.get_by_role("option", name="24-017 Harbour Tower").click()
    row.get_by_label("Project template").select_option("Subcontractor – External")
    page.get_by_role("button", name="Save", exact=True).click()

    # … and invites.
    page.get_by_role("row", name=re.compile("Ivo Novak")).get_by_role(
        "checkbox"
    ).check()
    page.get_by_role("combobox", name="Action").select_option("Invite")
    page.get_by_role("button", name=re.compile("Go|Run")).click()
    expect(page.get_by_text("The invitation is on its way.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()

    # S8: the mail 'Welcome to Procore', its Get Started link, in a new window.
    letter = next_letter()
    assert letter["Subject"] == "Welcome to Procore"
    assert letter["To"] == "ivo@subco.example"
    window = get_started(context, letter)
    expect(window).to_have_title(re.compile("Create a Password"))
    assert re.search(r"/invitations/join/\?i=[\w-]{22}$", window.url)

    # S5: the address that the invitation went to is the log-in.
    expect(window.get_by_label("E-mail address")).to_have_value("ivo@subco.example")

    # S9, S10: a circle is filled as the password begins to meet its requirement.
    password = window.get_by_label("Password", exact=True)
    for typed, shown in [
        ("", "○○○○○"),
        ("gravel", "○○●○○"),
        ("Gravel", "○●●○○"),
        ("GRAVEL22", "●●○●○"),
        ("Gravel-Pit", "●●●○●"),
        (CHOSEN, "●●●●●"),
    ]:
        password.fill("")
        password.press_sequentially(typed)
        assert circles(window) == shown, typed

    # S11: the same password again.
    confirm = window.get_by_label("Confirm")
    confirm.fill("Gravel-Pit-23")
    confirm.blur()
    expect(window.get_by_text("The two passwords differ")).to_be_visible()
    confirm.fill(CHOSEN)
    expect(window.get_by_text("The same password.")).to_be_visible()

    # S12: the box is unticked. S13: Set Password.
    expect(window.get_by_role("checkbox")).not_to_be_checked()
    window.get_by_role("button", name="Set Password").click()

    # S15: before the terms nothing else can be reached.
    expect(window).to_have_title(re.compile("Terms and Conditions"))
    window.goto(ada.company.get_absolute_url())
    expect(window).to_have_title(re.compile("Terms and Conditions"))

    # S14: the box is ticked, then Agree.
    window.get_by_label("I Agree to the Terms and Conditions").check()
    window.get_by_role("button", name="Agree", exact=True).click()
    expect(window.get_by_role("heading", name="Acme Construction")).to_be_visible()

    # S4: what was granted can be reached, and nothing else.
    window.get_by_role("link", name="Harbour Tower").click()
    expect(window.get_by_role("heading", name="Harbour Tower")).to_be_visible()
    for hidden in (bridge.get_absolute_url(), bridge.company.get_absolute_url()):
        answer = window.goto(hidden)
        assert answer is not None and answer.status == 404
    assert not User.objects.get(email="ivo@subco.example").newsletter_since

    # S3: he logs out and in again. S7: with one company straight in.
    window.get_by_role("button", name="Log out").click()
    expect(window).to_have_title(re.compile("Log In"))
    log_in("ivo@subco.example", CHOSEN)
    expect(page.get_by_role("heading", name="Acme Construction")).to_be_visible()


def test_a_first_password_is_handed_over(page, log_in, ada, tower):
    """S6: shown once in the admin, typed at the log-in page, then replaced."""
    zoe = add_entry(ada.company, "zoe@subco.example", first_name="Zoe")
    put_on(zoe, tower)
    log_in(ada.email, PASSWORD)
    page.get_by_role("link", name="Administration").click()
    desk = page.get_by_role("navigation", name="The desk")
    desk.get_by_role("link", name="Directory").click()
    page.get_by_role("row", name=re.compile("Zoe")).get_by_role("checkbox").check()
    actions = page.get_by_role("combobox", name="Action")
    actions.select_option(value="first_password")
    page.get_by_role("button", name=re.compile("Go|Run")).click()
    word = page.locator("dd code").inner_text()
    page.get_by_role("button", name="Log out").click()

    log_in(zoe.email, word)
    expect(page).to_have_title(re.compile("Create a Password"))
    expect(page.get_by_label("E-mail address")).to_have_value(zoe.email)
    for label in ("Password", "Confirm"):
        page.get_by_label(label, exact=True).fill(CHOSEN)
    page.get_by_role("button", name="Set Password").click()
    page.get_by_label("I Agree to the Terms and Conditions").check()
    page.get_by_role("button", name="Agree", exact=True).click()
    page.get_by_role("link", name="Harbour Tower").click()
    expect(page.get_by_role("heading", name="Harbour Tower")).to_be_visible()
    assert not User.objects.get(email=zoe.email).is_proven


def test_joining_needs_no_mouse(page, ada, tower, next_letter):
    """S8 to S15 by the keyboard alone."""
    ivo = add_entry(ada.company, "ivo@subco.example", first_name="Ivo")
    put_on(ivo, tower)
    invite(ivo, ada.user)
    letter = next_letter()
    page.set_content(html_of(letter))
    link = page.get_by_role("link", name="Get Started")
    press_tab_to(page, link)
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    window = opened.value

    for label in ("Password", "Confirm"):
        press_tab_to(window, window.get_by_label(label, exact=True))
        window.keyboard.type(CHOSEN)
    newsletter = window.get_by_label("Construction Newsletter")
    press_tab_to(window, newsletter)
    window.keyboard.press("Space")
    window.keyboard.press("Enter")  # sends the form, as Set Password does

    agree = window.get_by_label("I Agree to the Terms and Conditions")
    press_tab_to(window, agree)
    window.keyboard.press("Space")
    press_tab_to(window, window.get_by_role("button", name="Agree", exact=True))
    window.keyboard.press("Enter")
    project = window.get_by_role("link", name="Harbour Tower")
    press_tab_to(window, project)
    window.keyboard.press("Enter")
    expect(window.get_by_role("heading", name="Harbour Tower")).to_be_visible()
    assert User.objects.get(email=ivo.email).newsletter_since


def test_several_companies_are_selected(page, log_in, max_, gina, bridge):
    """S7: select a company, Continue."""
    entry = add_entry(gina.company, max_.email)
    entry.join(max_.user, entry.created_at)
    put_on(entry, bridge)
    log_in(max_.email, PASSWORD)
    page.get_by_label("Globex Builders").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("link", name="Mill Bridge")).to_be_visible()
