"""The mails as their receivers read them."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from companies.models import Company, Membership, Project
from invitations import emails
from invitations.models import Delivery, Invitation
from tests.cast import PASSWORD, add_entry, add_user, invite, put_on, work

# What somebody may have typed into a name.
STRANGE = "O’Neill & “Söhne” <b>'AG'</b> 建設 🏗"
ESCAPED = "O’Neill &amp; “Söhne” &lt;b&gt;&#x27;AG&#x27;&lt;/b&gt; 建設 🏗"


@pytest.fixture(autouse=True)
def frozen_time():
    """A link is signed with its time, and so differs from second to second."""
    with time_machine.travel(datetime(2026, 11, 24, 22, 30, tzinfo=UTC), tick=False):
        yield


def read(message):
    """Its text and its HTML."""
    [html] = message.alternatives
    return message.body, html.content


def add_projects(entry, count):
    for number in range(count):
        project = Project.objects.create(
            company=entry.company, name=f"Pier {number}", number=f"P-{number}"
        )
        put_on(entry, project)


def test_the_invitation_says_all_that_its_reader_asks(ivo, mailoutbox):
    """S8: who, which company, which projects, until when, and what to do."""
    work()
    [letter] = mailoutbox
    assert letter.subject == "Welcome to Procore"
    assert letter.to == ["ivo@subco.example"]
    link = f"http://127.0.0.1:8000/invitations/{ivo.token}/"
    for part in read(letter):
        assert "Hello Ivo," in part
        assert "Ada Lindqvist invites you to join" in part
        assert "Acme Construction" in part
        assert "24-017 Harbour Tower" in part
        assert "From then on you log in with ivo@subco.example." in part
        assert f"This mail went to {ivo.sent_to} because Acme Construction has" in part
        assert "know this company" in part
        assert f"{link}?decline" in part
    text, html = read(letter)
    assert f"Get Started:\n\n{link}\n" in text
    assert re.search(
        rf'<a [^>]*href="{link}" target="_blank"[^>]*>Get Started</a>', html
    )


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("UTC", "1 December 2026, 22:30 UTC"),
        ("Europe/Berlin", "1 December 2026, 23:30 CET"),
        ("America/New_York", "1 December 2026, 17:30 EST"),
    ],
)
def test_the_last_moment_is_absolute_and_names_its_zone(
    acme, mailoutbox, settings, zone, written
):
    settings.TIME_ZONE = zone
    invite(add_entry(acme, "ivo@subco.example"))
    work()
    text, html = read(mailoutbox[0])
    assert f"This link works until {written}." in text
    assert f"This link works until <strong>{written}</strong>." in html


@pytest.mark.parametrize(
    ("count", "named", "more"),
    [(0, 0, None), (1, 1, None), (5, 5, None), (6, 5, 1), (12, 5, 7)],
)
def test_five_projects_are_named(acme, mailoutbox, count, named, more):
    entry = add_entry(acme, "ivo@subco.example")
    add_projects(entry, count)
    invite(entry)
    work()
    for part in read(mailoutbox[0]):
        assert part.count("Pier") == named
        assert ("Your projects" in part) == (count > 0)
        assert re.findall(r"and (\d+) more", part) == ([str(more)] if more else [])


def test_only_projects_that_the_person_will_be_on_are_named(ivo, tower, mailoutbox):
    """S4: not those that are over, suspended or closed."""
    over, suspended, closed = (
        Project.objects.create(company=ivo.company, name=name, number=name)
        for name in ("Over", "Suspended", "Closed")
    )
    put_on(ivo.membership, over, ends_on=datetime(2020, 1, 1, tzinfo=UTC).date())
    put_on(
        ivo.membership,
        suspended,
        suspended_at=timezone.now(),
        suspension_reason="No helmet",
    )
    put_on(ivo.membership, closed)
    Project.objects.filter(pk=closed.pk).update(is_active=False)
    work()
    for part in read(mailoutbox[0]):
        assert tower.name in part
        assert not any(word in part for word in ("Over", "Suspended", "Closed"))


def test_a_command_invites_in_nobodys_name(acme, mailoutbox):
    invite(add_entry(acme, "ivo@subco.example"))
    work()
    text, html = read(mailoutbox[0])
    assert "Hello,\n\nYou are invited to join Acme Construction on Procore." in text
    assert "You are invited to join <strong>Acme Construction</strong>" in html


def test_somebody_who_has_an_account_logs_in_to_accept(acme, ada, gina, mailoutbox):
    """T18: the same subject; neither the mail nor its link sets a password."""
    invitation = invite(add_entry(acme, gina.email), ada.user)
    work()
    assert mailoutbox[0].subject == "Welcome to Procore"
    for part in read(mailoutbox[0]):
        assert "You have an account already: log in with gina@globex.example" in part
        assert "Log in to accept" in part
        assert "Create a password" not in part
        assert invitation.token in part


def test_an_unproven_account_counts_as_none(acme, globex, ada, mailoutbox):
    """S6: the mailed link leads to Create a Password."""
    User.objects.create_user("una@subco.example", PASSWORD, is_proven=False)
    invite(add_entry(acme, "una@subco.example"), ada.user)
    work()
    assert all("Create a password" in part for part in read(mailoutbox[0]))


def test_names_are_shown_as_they_were_typed(acme, ada, mailoutbox):
    """T48: escaped in HTML; and no entities in text, where nothing needs them."""
    Company.objects.filter(pk=acme.pk).update(name=STRANGE)
    Membership.objects.filter(pk=ada.pk).update(first_name=STRANGE, last_name="")
    entry = add_entry(acme, "ivo@subco.example", first_name=STRANGE)
    project = Project.objects.create(company=acme, name=STRANGE, number="1")
    put_on(entry, project)
    invite(entry, ada.user)
    work()
    text, html = read(mailoutbox[0])
    assert html.count(ESCAPED) == 5
    assert STRANGE not in html
    assert text.count(STRANGE) == 5
    assert not re.search(r"&(\w+|#\w+);", text)


def test_the_name_of_the_site_is_the_operators(ivo, mailoutbox, settings):
    """SITE_NAME, in the subject unescaped, and never with a line break (T16)."""
    settings.SITE_NAME = "Smith & Sons’\nPortal"
    work()
    [letter] = mailoutbox
    assert letter.subject == "Welcome to Smith & Sons’ Portal"
    text, html = read(letter)
    assert "on Smith & Sons’" in text
    assert "on Smith &amp; Sons’" in html
    assert "Procore" not in text + html


def test_links_come_from_base_url(ivo, mailoutbox, settings):
    """T14: from nothing that a request says."""
    settings.BASE_URL = "https://people.acme.example"
    work()
    [letter] = mailoutbox
    for part in read(letter):
        links = re.findall(r"https?://[^\s\"<]+", part)
        assert links
        assert all(link.startswith("https://people.acme.example/") for link in links)
    assert letter.extra_headers["Message-ID"].endswith("@people.acme.example>")


def test_the_mail_asked_for_at_the_log_in_page_is_the_same(ivo, mailoutbox):
    """S5: same version, same link, same expiry; a mail of its own."""
    Invitation.objects.ask_again(ivo.sent_to)
    work()
    first, second = mailoutbox
    assert read(first) == read(second)
    assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]


ABOUT_ACCOUNTS = {
    "account/email/password_reset_key": {},
    "account/email/password_changed": {"timestamp": "2026-11-24T22:30:00Z"},
    "account/email/password_set": {"timestamp": "2026-11-24T22:30:00Z"},
    "account/email/password_reset": {"timestamp": "2026-11-24T22:30:00Z"},
    "account/email/email_confirm": {"timestamp": "2026-11-24T22:30:00Z"},
    "account/email/email_changed": {
        "timestamp": "2026-11-24T22:30:00Z",
        "from_email": "una@subco.example",
        "to_email": "new@subco.example",
    },
    "account/email/email_deleted": {
        "timestamp": "2026-11-24T22:30:00Z",
        "deleted_email": "una@subco.example",
    },
}


@pytest.mark.parametrize("name", ABOUT_ACCOUNTS)
def test_letters_about_an_account_can_be_read(db, settings, name):
    """T48: one line of subject, no entities in text, nothing of a browser unescaped."""
    settings.SITE_NAME = "Smith & Sons"
    user = add_user("una@subco.example")
    facts = ABOUT_ACCOUNTS[name] | {"ip": "192.0.2.7", "user_agent": "<i>O'Browser</i>"}
    letter = emails.about_account(name, user, user.email, facts)
    text, html = read(letter)
    assert letter.subject
    assert "&" not in letter.subject + text.replace("Smith & Sons", "")
    assert "<i>" not in html
    assert ("<i>O'Browser</i>" in text) == ("timestamp" in facts)
    assert ("24 November 2026, 22:30 UTC" in text) == ("timestamp" in facts)


def test_a_confirmation_goes_only_to_an_address_that_waits_for_it(db):
    """T36: the mail is not written when the change was taken back meanwhile."""
    user = add_user("una@subco.example")
    name = "account/email/email_confirmation"
    assert emails.about_account(name, user, "new@subco.example", {}) is None
    user.emailaddress_set.create(email="new@subco.example")
    letter = emails.about_account(name, user, "new@subco.example", {})
    assert letter.to == ["new@subco.example"]
    assert "/accounts/confirm-email/" in letter.body


def test_letters_of_the_invitation_need_no_picture_from_afar(ivo, mailoutbox):
    """T2: nothing is loaded, so nobody learns when it was opened."""
    work()
    _, html = read(mailoutbox[0])
    assert not re.search(r"<(img|script|link|iframe)|url\(|@import", html)
    assert Delivery.objects.get().state == Delivery.State.ACCEPTED
