"""A passkey, made by the browser: added, asked for at Log In, removed (T54)."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from procore_site.management.commands import demo
from tests.browser.steps import follow

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("demo_world")]

FOREMAN = "luis.ortega@harborpine.example"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def device(page):
    """What reads a finger or a face, and says yes at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def test_a_passkey_is_added_asked_for_and_removed(page, log_in, device):
    log_in(FOREMAN)
    page.goto(reverse("mfa_add_webauthn"))
    page.get_by_label("Password", exact=True).fill(demo.PASSWORD)
    follow(page.get_by_role("button", name="Confirm"))
    page.get_by_label("Name").fill("Phone")
    follow(page.get_by_role("button", name="Add a passkey or security key"))
    expect(page.get_by_text("Passkey or security key added.")).to_be_visible()
    expect(page.get_by_role("heading", name="Recovery Codes")).to_be_visible()

    follow(page.get_by_role("button", name="Log out"))
    log_in(FOREMAN)
    follow(page.get_by_role("button", name="Use your passkey or security key"))
    expect(page.get_by_role("button", name="Log out")).to_be_visible()

    page.goto(reverse("mfa_list_webauthn"))
    follow(page.get_by_role("link", name="Rename Phone"))
    follow(page.get_by_role("link", name="Use your passkey or security key"))
    follow(page.get_by_role("button", name="Use your passkey or security key"))
    page.get_by_label("Name").fill("Old phone")
    follow(page.get_by_role("button", name="Rename"))
    follow(page.get_by_role("link", name="Remove Old phone"))
    follow(page.get_by_role("button", name="Remove"))
    expect(page.get_by_text("Passkey or security key removed.")).to_be_visible()
    expect(page.get_by_text("You have no passkey or security key")).to_be_visible()
