"""The headers that each answer has, also an error's and the admin's (T2, T50)."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.steps import LOG_IN, TERMS, join_page, link_of, log_in, rows, text


def assert_safe(answer):
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]
    policy = answer["Content-Security-Policy"]
    for rule in (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
    ):
        assert rule in policy
    assert "unsafe" not in policy
    assert "http" not in policy


PAGES = ["/", LOG_IN, TERMS, "/companies/", "/admin/", "/nothing/", "/accounts/signup/"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_and_redirects_have_them(client, db, path):
    """T50: for strangers."""
    assert_safe(client.get(path))
    assert_safe(client.post(path))


def test_pages_of_people_have_them(ada, max_, ivo, as_):
    """T50: the admin too, and the pages of an invitation."""
    for path in (
        "/companies/",
        ada.company.get_absolute_url(),
        "/admin/",
        reverse("admin:companies_membership_changelist"),
        reverse("admin:companies_membership_change", args=[ada.pk]),
        reverse("admin:jsi18n"),
        reverse("account_email"),
        reverse("mfa_index"),
        link_of(ivo),
        join_page(ivo),
    ):
        answer = as_(ada).get(path)
        assert answer.status_code in (200, 302, 404)
        if path == reverse("admin:jsi18n"):
            continue
        assert_safe(answer)
    forbidden = as_(max_).get("/admin/")
    assert forbidden.status_code == 403
    assert_safe(forbidden)


def test_400_has_them(client, db):
    """T14, T50: an unknown host is refused before anything else."""
    answer = client.get(LOG_IN, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert_safe(answer)
    assert "This request can’t be understood" in text(answer)


def test_403_without_a_csrf_token_has_them(db):
    """T46, T50."""
    answer = log_in(Client(enforce_csrf_checks=True), "ada@acme.example")
    assert answer.status_code == 403
    assert "Please send that again" in text(answer)
    assert_safe(answer)


def test_404_has_them(client, db):
    """T50."""
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert "There is nothing here" in text(answer)
    assert_safe(answer)


def test_405_has_them(client, ivo):
    """T50."""
    answer = client.delete(reverse("invitations:sign-out"))
    assert answer.status_code == 405
    assert_safe(answer)


def test_429_has_them(client, db):
    """T50."""
    bad = reverse("invitations:link", args=["guess"])
    answer = [client.get(bad) for _ in range(21)][-1]
    assert answer.status_code == 429
    assert "Too many attempts" in text(answer)
    assert_safe(answer)


def test_500_has_them_and_says_nothing_of_the_inside(client, db, settings):
    """T50: with the page that needs nothing that could have failed."""
    settings.ROOT_URLCONF = "tests.broken_urls"
    client.raise_request_exception = False
    answer = client.get("/broken/")
    assert answer.status_code == 500
    assert "Something went wrong" in text(answer)
    assert "secret detail" not in text(answer)
    assert_safe(answer)


def test_cookies_are_kept_from_scripts(client, ada):
    """T50: plain names over http; __Host- over https, see the settings."""
    log_in(client, "ada@acme.example")
    client.get(LOG_IN)
    session = client.cookies["sid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert session["path"] == "/"
    assert not session["domain"]


# Links, hosts and redirects (T14, T15) --------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:8000@evil.example"},
        {"Host": "evil.example:80"},
        {"Host": ""},
        {"Host": "testserver\nevil.example"},
    ],
)
def test_an_unknown_host_queues_no_mail(client, ada, headers):
    """T14."""
    before = rows()
    answer = client.post(
        reverse("account_reset_password"),
        {"email": "ada@acme.example"},
        headers=headers,
    )
    assert answer.status_code == 400
    assert rows() == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"X-Original-Host": "evil.example"},
    ],
)
def test_links_begin_with_the_base_url(client, ada, ivo, settings, mailoutbox, headers):
    """T14: whatever the request says."""
    from tests.cast import work

    settings.BASE_URL = "https://accounts.acme.example"
    for email in ("ada@acme.example", "ivo@subco.example"):
        client.post(
            reverse("account_reset_password"), {"email": email}, headers=headers
        )
    work()
    assert len(mailoutbox) >= 2
    for letter in mailoutbox:
        for part in (letter.body, letter.alternatives[0].content):
            assert "https://accounts.acme.example/" in part
            assert "evil.example" not in part
            assert "testserver" not in part


ELSEWHERE = [
    "https://evil.example/",
    "http://testserver/companies/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "\t//evil.example",
    "/\t/evil.example",
    "\n//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt://%0aalert(1)",
    "data:text/html,x",
    "https:evil.example",
    "http:///evil.example",
    "//testserver@evil.example/",
    "https://testserver@evil.example/",
    "evil.example",
    "foo",
    "companies:select",
    "\0",
    "//[::1",
    "/" * 5000 + "evil.example",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nothing_leads_to_another_site(client, max_, target, as_):
    """T15: the default page instead."""
    answer = log_in(client, "max@acme.example", next=target)
    assert answer.status_code == 302
    home = max_.company.get_absolute_url()
    assert answer.url == home
    known = as_(max_)
    assert known.get(LOG_IN, {"next": target}).url == home
    assert known.get("/companies/", {"next": target}).url == home
    assert known.get(TERMS, {"next": target}).url == home
    assert known.post(reverse("account_logout"), {"next": target}).url in ("/", LOG_IN)


@pytest.mark.parametrize("target", ["/admin/", "/companies/?q=a%20b", "/terms/#top"])
def test_an_own_path_is_kept(client, max_, target):
    """T15."""
    assert log_in(client, "max@acme.example", next=target).url == target
