"""'Sign out and continue' with an invitation for another address (T3), and log-out."""

import pytest
from django.urls import reverse

from accounts.models import User
from tests.cast import add_entry, invite
from tests.steps import follow, is_logged_in, join_page, set_password, text

SIGN_OUT = reverse("invitations:sign-out")
LOG_OUT = reverse("account_logout")


def test_sign_out_and_continue_keeps_what_was_opened(ivo, gina, max_, as_):
    """T3: all links of this session, not only the one that is gone on with."""
    other = invite(add_entry(gina.company, "zoe@subco.example"), gina.user)
    client = as_(max_)
    follow(client, other)
    follow(client, ivo)
    before = client.session.session_key
    answer = client.post(SIGN_OUT, {"invitation": ivo.public_id})
    assert answer.url == join_page(ivo)
    assert not is_logged_in(client)
    assert client.session.session_key != before
    assert list(client.session.keys()) == ["invitations"]
    assert "Create a Password" in text(client.get(answer.url))
    assert "Create a Password" in text(client.get(join_page(other)))
    set_password(client, ivo)
    assert User.objects.get(email="ivo@subco.example").memberships.count() == 1


@pytest.mark.parametrize("ask", ["get", "head", "put"])
def test_signing_out_takes_a_post(ivo, max_, as_, ask):
    """T32."""
    client = as_(max_)
    assert getattr(client, ask)(SIGN_OUT).status_code == 405
    assert is_logged_in(client)


def test_signing_out_leads_only_to_an_invitation(max_, as_):
    """T15."""
    answer = as_(max_).post(SIGN_OUT, {"invitation": "//evil.example/"})
    assert answer.url == reverse("invitations:join", query={"i": "//evil.example/"})


def test_logging_out_takes_a_post(max_, as_):
    """T32: opening the page asks first."""
    client = as_(max_)
    assert "Log out?" in text(client.get(LOG_OUT))
    assert is_logged_in(client)


def test_logging_out_kills_the_session(max_, as_):
    """T32: the old cookie is dead, and what was opened is forgotten."""
    client = as_(max_)
    page = max_.company.get_absolute_url()
    assert "no-store" in client.get(page)["Cache-Control"]
    old = client.cookies.output()
    key = client.session.session_key
    client.post(LOG_OUT)
    assert not client.session.exists(key)
    client.cookies.load(old)
    assert client.get(page).status_code == 302
