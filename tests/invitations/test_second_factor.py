"""The second factor is asked before an invitation is accepted (T54)."""

from time import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from tests.cast import PASSWORD, add_entry, invite, link_in, work
from tests.steps import (
    CHOSEN,
    FORGOT,
    LOG_IN,
    accept,
    follow,
    is_logged_in,
    join_page,
    log_in,
    text,
)

SECOND_STEP = reverse("mfa_authenticate")


@pytest.fixture
def secret(max_):
    """Max's authenticator app, switched on."""
    secret = generate_totp_secret()
    TOTP.activate(max_.user, secret)
    return secret


def code(secret):
    return format_hotp_value(hotp_value(secret, int(time()) // 30))


@pytest.fixture
def second(gina, max_):
    return invite(add_entry(gina.company, "max@acme.example"), gina.user)


def test_it_is_asked_before_accepting(client, secret, second, max_):
    """T54: the password alone opens nothing, the invitation neither."""
    follow(client, second)
    answer = log_in(client, "max@acme.example")
    assert answer.url == SECOND_STEP
    assert not is_logged_in(client)
    assert "Log in to accept" in text(accept(client, second))
    assert not second.company.has_member(max_.user)

    answer = client.post(SECOND_STEP, {"code": "000000"})
    assert "This code is not right" in text(answer)
    assert not is_logged_in(client)

    answer = client.post(SECOND_STEP, {"code": code(secret)})
    assert answer.url == join_page(second)
    assert is_logged_in(client)
    accept(client, second)
    assert second.company.has_member(max_.user)


def test_who_is_switched_off_before_it_gets_not_in(client, secret, max_):
    """T20, T34: they read the same as for a wrong password."""
    log_in(client, "max@acme.example")
    User.objects.filter(pk=max_.user_id).update(is_active=False)
    answer = client.post(SECOND_STEP, {"code": code(secret)}, follow=True)
    assert answer.request["PATH_INFO"] == LOG_IN
    assert "The address or the password is not right." in text(answer)
    assert not is_logged_in(client)
    kinds = AuditEvent.objects.values_list("kind", flat=True)
    assert AuditEvent.Kind.LOG_IN_REFUSED in kinds
    assert AuditEvent.Kind.LOGGED_IN not in kinds
    # The password was for one try.
    assert client.get(SECOND_STEP).url == LOG_IN


def test_a_reset_goes_not_round_it(client, secret, max_, mailoutbox):
    """T54."""
    client.post(FORGOT, {"email": "max@acme.example"})
    work()
    form = client.get(link_in(mailoutbox[0]), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": CHOSEN, "password2": CHOSEN})
    assert not is_logged_in(client)
    assert log_in(client, "max@acme.example", CHOSEN).url == SECOND_STEP
    assert not is_logged_in(client)


def test_the_admins_own_log_in_goes_not_round_it(client, secret):
    """T54: it is allauth's."""
    page = client.get(reverse("admin:index"))
    assert page.url.startswith(reverse("account_login"))
    assert log_in(client, "max@acme.example", next="/admin/").url == SECOND_STEP
    assert client.get(reverse("admin:index")).status_code == 302


def test_the_secret_is_not_stored_in_clear(secret):
    """Dependencies, section 1."""
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in stored


def test_a_factor_is_added_after_the_password_was_asked_again(
    max_, client, django_capture_on_commit_callbacks
):
    """T31, T54: and it is in the audit."""
    log_in(client, "max@acme.example")
    page = reverse("mfa_activate_totp")
    answer = client.get(page)
    assert answer.url.startswith(reverse("account_reauthenticate"))
    client.post(answer.url, {"password": PASSWORD})
    form = client.get(page).context["form"]
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(page, {"code": code(form.secret)})
    assert answer.status_code == 302
    assert max_.user.authenticator_set.filter(type="totp").exists()
    kinds = AuditEvent.objects.filter(actor=max_.user).values_list("kind", flat=True)
    assert AuditEvent.Kind.FACTOR_ADDED in kinds


def test_a_change_of_the_address_is_settled_first(max_, as_):
    """T36, T54: the log-in's own address is proven, so nothing else is asked for."""
    EmailAddress.objects.create(user=max_.user, email="weber@acme.example")
    answer = as_(max_).get(reverse("mfa_activate_totp"), follow=True)
    assert (
        "Confirm or cancel the change to weber@acme.example first, on the page "
        '<a href="/accounts/email/">E-mail address</a>.'
    ) in text(answer)


def test_an_address_that_is_not_shown_is_shown_first(max_, as_):
    """S6, T54."""
    max_.user.emailaddress_set.update(verified=False)
    answer = as_(max_).get(reverse("mfa_activate_totp"), follow=True)
    assert "Show first that your address is yours" in text(answer)


def test_a_key_is_not_offered_to_somebody_without_one(client, secret):
    """tests/browser/test_second_factor.py offers it to somebody who has one."""
    log_in(client, "max@acme.example")
    page = text(client.get(SECOND_STEP))
    assert '<label for="id_code">Code</label>' in page
    assert "security key" not in page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mfa_index", "Switch the app off"),
        ("mfa_index", "Add a passkey or security key"),
        ("mfa_index", "Make new codes"),
        ("mfa_deactivate_totp", ">Cancel</a>"),
        ("mfa_generate_recovery_codes", "Make new codes</button>"),
        ("mfa_list_webauthn", "You have no passkey or security key yet."),
        ("mfa_add_webauthn", "Add a passkey or security key</button>"),
        ("mfa_reauthenticate", "Code from your app, or a recovery code</label>"),
    ],
)
def test_pages_say_what_their_buttons_do(client, secret, name, words):
    log_in(client, "max@acme.example")
    client.post(SECOND_STEP, {"code": code(secret)})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert words in text(client.get(reverse(name)))
