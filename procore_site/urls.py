"""Every address of the site; tests/test_urls.py holds the list of those allowed."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.webauthn import views as webauthn
from django.contrib import admin
from django.urls import include, path

from procore_site import mailbox, views
from procore_site.decorators import proven_required, renews_session

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("invitations.urls")),
    path("companies/", include("companies.urls")),
    # An unproven account can't change its address (S6).
    path("accounts/email/", proven_required(account.email), name="account_email"),
    path(
        "accounts/reauthenticate/",
        renews_session(account.reauthenticate),
        name="account_reauthenticate",
    ),
    path(
        "accounts/2fa/reauthenticate/",
        renews_session(mfa.reauthenticate),
        name="mfa_reauthenticate",
    ),
    path(
        "accounts/2fa/webauthn/reauthenticate/",
        renews_session(webauthn.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("admin/", admin.site.urls),
]

if mailbox.is_shown():
    urlpatterns.append(path("mailbox/", include(mailbox.urlpatterns)))
