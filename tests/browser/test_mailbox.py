"""The mailbox of the demo: a mail is read, and its link followed, in the browser."""

import pytest
from playwright.sync_api import expect

from tests.cast import work

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.browser.urls")]


@pytest.fixture
def mailbox(settings, tmp_path):
    """Write mails to files, as a development site does."""
    settings.DEBUG = True
    backend = "django.core.mail.backends.filebased.EmailBackend"
    options = {"file_path": str(tmp_path)}
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}


def test_an_invitation_is_read_and_followed(page, mailbox, ivo):
    """S8: as in a mail program, Get Started opens a new window."""
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Mailbox").click()
    expect(page.get_by_text("No mail yet.")).to_be_visible()
    work()
    page.reload()
    page.get_by_role("link", name="ivo@subco.example").click()
    expect(page.get_by_role("heading", name="Welcome to Procore")).to_be_visible()
    link = page.frame_locator("iframe").get_by_role("link", name="Get Started")
    with page.expect_popup() as opened:
        link.click()
    expect(opened.value).to_have_title("Create a Password · Procore")

    page.get_by_text("As plain text").click()
    with page.expect_popup() as opened:
        page.locator(".letter-text a[href^=http]").first.click()
    expect(opened.value).to_have_title("Create a Password · Procore")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_letter_is_shown_to_its_end(page, mailbox, ivo, width):
    """On a phone it is longer, and its last line lets one decline."""
    page.set_viewport_size({"width": width, "height": 800})
    work()
    page.goto("/mailbox/")
    page.get_by_role("link", name="ivo@subco.example").click()
    body = page.frame_locator("iframe").locator("body")
    link = body.get_by_role("link", name="I don’t know this company")
    expect(link).to_be_visible()
    frame = page.locator("iframe").bounding_box()
    end = link.bounding_box()
    assert end["y"] + end["height"] <= frame["y"] + frame["height"]
    assert body.evaluate("body => body.parentElement.scrollHeight <= innerHeight")


def test_a_script_in_a_mail_does_not_run(page, mailbox, ivo, settings):
    """A mail brings its styles along, and nothing that acts."""
    ivo.company.name = "<script>document.title = 'taken'</script>"
    ivo.company.save()
    work()
    page.goto("/mailbox/")
    page.get_by_role("link", name="ivo@subco.example").click()
    expect(page.frame_locator("iframe").get_by_text("<script>").first).to_be_visible()
