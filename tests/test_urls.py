"""Every address of the site is on a list, and what is closed is closed (T23)."""

import pytest
from django.contrib import admin
from django.urls import URLResolver, get_resolver, reverse

from accounts.models import User
from tests.steps import text

ALLOWED = {
    "accounts:newsletter",
    "accounts:unsubscribe",
    # ours
    "home",
    "invitations:terms",
    "invitations:join",
    "invitations:waiting",
    "invitations:decline",
    "invitations:declined",
    "invitations:sign-out",
    "invitations:link",
    "companies:select",
    "companies:company",
    "companies:project",
    "companies:favourite",
    "companies:access",
    # allauth's
    "account_login",
    "account_logout",
    "account_signup",  # says that accounts come by invitation
    "account_inactive",
    "account_reauthenticate",
    "account_email",
    "account_email_verification_sent",
    "account_confirm_email",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_confirm_login_code",  # leads to the log-in page: no code is ever sent
    "mfa_index",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn",
    "mfa_edit_webauthn",
    "mfa_login_webauthn",
    "usersessions_list",
    # the admin's, beside those of each model
    "admin:index",
    "admin:login",
    "admin:all",
    "admin:autocomplete",
    "admin:jsi18n",
    "admin:app_list",
    "admin:why",
    "admin:audit_auditevent_export",
    "admin:companies_membership_access",
    "admin:companies_membership_story",
    "admin:invitations_invitation_progress",
    "admin:companies_project_add_people",
    "admin:companies_company_work_for",
    "admin:companies_project_mobilise",
    "admin:invitations_invitation_repair",
    "admin:companies_project_demobilise",
    "admin:desk_import_refused",
    "admin:desk_import_template_csv",
    "admin:desk_import_template_xlsx",
    "admin:",  # leads an older address on, or is not there
}
# Only in development: the mails that it has written.
MAILBOX = {"mailbox", "mailbox-message", "mailbox-html"}

MODELS = {
    "accounts.user",
    "audit.auditevent",
    "companies.company",
    "companies.membership",
    "companies.permissiontemplate",
    "companies.project",
    "companies.projectmembership",
    "companies.vendor",
    "desk.import",
    "invitations.delivery",
    "invitations.invitation",
    "invitations.terms",
}
PAGES = ("changelist", "add", "history", "delete", "change")


def names(patterns, namespace=""):
    for each in patterns:
        if isinstance(each, URLResolver):
            inside = f"{namespace}{each.namespace}:" if each.namespace else namespace
            yield from names(each.url_patterns, inside)
        else:
            yield namespace + (each.name or "")


def test_the_addresses_are_those_of_the_list():
    """T23: no social log-in, no log-in by code, no API, no second log-in."""
    models = {
        f"admin:{label.replace('.', '_')}_{page}" for label in MODELS for page in PAGES
    }
    assert set(names(get_resolver().url_patterns)) - MAILBOX == ALLOWED | models


def test_the_admin_keeps_only_our_models():
    """T23, T45: no groups, no allauth tables, no sessions, no tasks."""
    assert {model._meta.label_lower for model in admin.site._registry} == MODELS


@pytest.mark.parametrize("ask", ["get", "post"])
def test_nobody_signs_up(client, terms, ask):
    """S1, T23."""
    given = {"email": "x@x.example", "password1": "Aa1!aaaa", "password2": "Aa1!aaaa"}
    answer = getattr(client, ask)(reverse("account_signup"), given)
    assert "Accounts come by invitation" in text(answer)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/code/",
        "/accounts/signup/passkey/",
        "/accounts/2fa/webauthn/signup/",
        "/accounts/social/",
        "/accounts/3rdparty/",
        "/accounts/google/login/",
        "/accounts/phone/change/",
        "/accounts/password/reset/confirm/",
        "/_allauth/browser/v1/auth/login",
        "/_allauth/app/v1/auth/signup",
        "/api/",
        "/admin/password_change/",
        "/admin/auth/group/",
        "/admin/account/emailaddress/",
        "/admin/r/1/1/",
        "/debug/",
        "/.env",
        "/static/../procore_site/settings.py",
    ],
)
def test_what_is_off_is_not_there(client, olga, as_, path):
    """T23: neither for a stranger nor for an operator."""
    assert as_(olga).get(path).status_code == 404
    assert client.get(path).status_code in (302, 404)
    if not path.startswith("/admin/"):
        assert client.get(path).status_code == 404


def test_no_code_logs_anybody_in(client, db):
    """T23."""
    answer = client.get(reverse("account_confirm_login_code"))
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))
