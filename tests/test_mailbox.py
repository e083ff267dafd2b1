"""The mailbox of a development site: each mail is found, however many there are."""

import pytest
from django.core.mail import EmailMessage, mailers

pytestmark = [pytest.mark.urls("tests.browser.urls"), pytest.mark.django_db]


@pytest.fixture
def mailbox(settings, tmp_path):
    """Write mails to files, as a development site does."""
    settings.DEBUG = True
    backend = "django.core.mail.backends.filebased.EmailBackend"
    options = {"file_path": str(tmp_path)}
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}


@pytest.fixture
def many(mailbox):
    """As after inviting somebody, and then a crew."""
    crew = [f"m{number}@subco.example" for number in range(119)]
    mailers.default.send_messages(
        EmailMessage("Welcome", f"Be welcome, {email}", to=[email])
        for email in ["lena@subco.example", *crew]
    )


def shown(answer):
    return [letter.to for letter in answer.context["page"].object_list]


def test_the_newest_come_first_fifty_on_a_page(client, many):
    answer = client.get("/mailbox/")
    assert shown(answer)[0] == "m118@subco.example"
    assert len(shown(answer)) == 50
    assert "Page 1 of 3" in answer.content.decode()
    assert shown(client.get("/mailbox/?page=3"))[-1] == "lena@subco.example"


def test_a_mail_is_found_by_its_address_and_read(client, many):
    answer = client.get("/mailbox/?q=Lena")
    assert shown(answer) == ["lena@subco.example"]
    [letter] = answer.context["page"].object_list
    page = client.get(f"/mailbox/{letter.name}/").content.decode()
    assert "Be welcome, " in page
    assert client.get("/mailbox/nothing/").status_code == 404


def test_what_is_not_found_is_said(client, many):
    page = client.get("/mailbox/?q=nobody").content.decode()
    assert "No mail matches ‘nobody’" in page
