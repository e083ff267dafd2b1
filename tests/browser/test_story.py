"""The pages that say why somebody can't get in, and mend what did not arrive."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from audit.models import AuditEvent
from companies.models import Company, Membership
from invitations.models import Delivery, Invitation
from tests.browser.test_accessibility import ADMINISTRATOR, check  # noqa: F401
from tests.cast import add_entry

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("demo_world")]


@pytest.fixture
def failed():
    """Three people whose domain is misspelt, and one whose mailbox is full."""
    company = Company.objects.get(memberships__email=ADMINISTRATOR)
    by = Membership.objects.get(company=company, email=ADMINISTRATOR).user
    people = [
        add_entry(company, f"{name.lower()}@gmial.com", first_name=name, last_name="Wu")
        for name in ("Ann", "Bo", "Cy")
    ]
    full = add_entry(company, "dee@initech.example", first_name="Dee", last_name="Wu")
    Delivery.objects.filter(state="queued").update(
        state="accepted", settled_at=timezone.now()
    )
    Invitation.objects.send([*people, full], by)
    for mail in Delivery.objects.claim(10):
        is_full = mail.recipient == full.email
        answer = "552 5.2.2 Over quota" if is_full else "550 5.1.1 User unknown"
        mail.settle(Delivery.State.REFUSED, f"{answer}: <{mail.recipient}>")
    invitation = Invitation.objects.get(membership=people[0])
    facts = {"version": 1, "method": "HEAD", "agent": "SafeLinks"}
    for _ in range(3):
        AuditEvent.record(
            AuditEvent.Kind.LINK_OPENED, None, company, invitation.membership, facts
        )
    return people


def test_the_pages_are_for_everybody(page, check, log_in, failed):  # noqa: F811
    log_in(ADMINISTRATOR)
    check(reverse("admin:companies_membership_story", args=[failed[0].pk]))
    check(reverse("admin:why", query={"q": "wu"}))
    check(reverse("admin:invitations_invitation_repair"))
    check(
        reverse(
            "admin:invitations_invitation_repair",
            query={"domain": "gmial.com", "cause": "mailbox"},
        )
    )
    check(reverse("admin:audit_auditevent_changelist"))
    check(reverse("admin:audit_auditevent_changelist", query={"kind": "x"}))


def test_from_the_search_to_the_repaired_address(page, log_in, failed):
    """With the keyboard alone."""
    log_in(ADMINISTRATOR)
    page.goto(reverse("admin:index"))
    page.get_by_role("searchbox", name="Why can’t somebody get in?").fill("ann wu")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Why can’t Ann Wu get in?"
    )
    expect(page.locator(".answer")).to_contain_text("mailbox unknown")
    button = page.get_by_role("button", name="Correct the address")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("E-mail address")).to_have_value("ann@gmial.com")

    page.goto(reverse("admin:invitations_invitation_repair"))
    link = page.get_by_role("link", name="Correct to gmail.com")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("New domain for all chosen")).to_have_value("gmail.com")
    page.get_by_label("Cy Wu", exact=True).press("Space")
    page.get_by_role("button", name="Correct and send invitations").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_have_text(
        re.compile("2 invitations are on their way")
    )
    expect(page.get_by_text("1 person at gmial.com: mailbox unknown")).to_be_visible()
