"""The gate of the terms: nobody gets past it without having agreed (S14, S15, T51)."""

import re
from logging import WARNING, LogRecord

import pytest
from django.core.exceptions import ValidationError
from django.urls import URLResolver, get_resolver, reverse

from audit.models import AuditEvent
from companies.models import Company
from invitations.models import Terms, TermsAcceptance
from procore_site.logging import MaskTokens
from tests.cast import PASSWORD, add_member, add_user
from tests.steps import (
    TERMS,
    agree,
    follow,
    is_logged_in,
    join_page,
    link_of,
    log_in,
    set_password,
    text,
)

# What somebody without the current terms may ask for (S15); the link of a mail only
# moves its token into the session.
EXEMPT = {
    "/terms/",
    "/accounts/logout/",
    "/invitations/sign-out/",
    "/invitations/SECRET/",
}
EXAMPLES = {
    "slug": "acme-construction",
    "number": "24-017",
    "token": "SECRET",
    "key": "SECRET",
    "uidb36": "1",
    "pk": "1",
    "object_id": "1",
    "app_label": "companies",
    "url": "nothing",
    "name": "x",
    "batch": "00000000-0000-4000-8000-000000000000",
}


ARGUMENT = re.compile(r"\(\?P<(\w+)>(?:\[[^]]*\]|[^()])*\)|<(?:\w+:)?(\w+)>")


def addresses(patterns=None, prefix="/"):
    """Every address of the urlconf, with examples in the place of its arguments."""
    for each in patterns or get_resolver().url_patterns:
        route = ARGUMENT.sub(
            lambda found: EXAMPLES[found[1] or found[2]], str(each.pattern)
        )
        path = prefix + route.strip("^$")
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, path)
        else:
            yield path


@pytest.fixture
def without(max_, as_):
    """A client of Max, who has not agreed to the newest terms."""
    Terms.objects.publish("2026-02", "Now wear boots, too.", None)
    return as_(max_)


def test_every_address_leads_to_the_terms(without, tower):
    """S15, T51: with GET, HEAD and POST, the admin included."""
    asked = set(addresses())
    assert len(asked) > 60
    assert "/companies/acme-construction/projects/24-017/" in asked
    assert "/accounts/password/reset/key/1-SECRET/" in asked
    assert "/admin/companies/membership/1/change/" in asked
    for path in sorted(asked - EXEMPT):
        for ask in (without.get, without.head, without.post):
            answer = ask(path)
            assert (path, answer.status_code) == (path, 302)
            assert (path, answer.url.partition("?")[0]) == (path, TERMS)
    assert is_logged_in(without)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/site.css"])
def test_static_files_and_health_checks_are_open(without, path):
    """S15."""
    answer = without.get(path)
    assert answer.status_code == 200
    answer.close()


def test_the_exempt_addresses_let_one_leave(without, ivo):
    """S15, T51: refusing logs out."""
    page = text(without.get(TERMS))
    assert "Now wear boots, too." in page
    assert "I don’t agree: log out" in page
    assert without.get(link_of(ivo)).url == join_page(ivo)
    without.post(reverse("account_logout"))
    assert not is_logged_in(without)


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json"},
        {"Accept": "application/json, text/plain, */*"},
        {"Accept": "application/json, text/javascript, */*; q=0.01"},
        {"Accept": "application/vnd.procore.v2+json"},
        {"Accept": "application/problem+json, application/ld+json;q=0.9, */*;q=0.1"},
        {"Accept": "*/*", "Content-Type": "application/json"},
        {"Accept": "*/*", "Content-Type": "application/json; charset=utf-8"},
        {"Accept": "*/*", "Content-Type": "Application/Merge-Patch+JSON"},
        {"Accept": "*/*", "X-Requested-With": "XMLHttpRequest"},
    ],
)
def test_json_callers_get_403(without, tower, headers):
    """T51: with a sentence."""
    asked = {"headers": headers, "content_type": headers.get("Content-Type", "")}
    for path in (tower.get_absolute_url(), reverse("admin:index")):
        answer = without.generic("GET", path, **asked)
        assert answer.status_code == 403
        assert "agree to the Terms" in answer.json()["detail"]


@pytest.mark.parametrize(
    "accepted",
    ["text/html", "*/*", "image/png", "text/html, application/ld+json;q=0.9", ""],
)
def test_browsers_get_the_page(without, tower, accepted):
    """T51."""
    answer = without.get(tower.get_absolute_url(), headers={"Accept": accepted})
    assert answer.status_code == 302


def test_where_the_person_was_going_is_kept(without, tower):
    """S15: through the page of the terms and back."""
    answer = without.get(tower.get_absolute_url(), follow=True)
    kept = f'<input type="hidden" name="next" value="{tower.get_absolute_url()}">'
    assert kept in text(answer)
    assert agree(without, next=tower.get_absolute_url()).url == tower.get_absolute_url()
    assert without.get(tower.get_absolute_url()).status_code == 200


def test_no_secret_of_an_address_is_kept(without):
    """T2, T51: links of mails are never repeated in another address, nor in the log."""
    asked = {path for path in addresses() if "SECRET" in path}
    assert {path.replace("SECRET", "…") for path in asked} == {
        "/invitations/…/",
        "/accounts/confirm-email/…/",
        "/accounts/newsletter/…/",
        "/accounts/password/reset/key/1-…/",
    }
    for path in asked:
        assert "SECRET" not in without.get(path).headers.get("Location", "")
        record = LogRecord("x", WARNING, "x", 1, "Not Found: %s", (path,), None)
        MaskTokens().filter(record)
        assert "SECRET" not in record.getMessage()


def test_no_way_is_offered_that_leads_back(without, tower):
    """S15: only Log out, until the person has agreed."""
    page = text(without.get(TERMS))
    assert 'aria-label="Main"' not in page
    assert "Log out</button>" in page
    agree(without)
    assert 'aria-label="Main"' in text(without.get(tower.get_absolute_url()))


def test_who_has_agreed_before_reads_that_they_have_changed(client, ivo, without):
    """S15: and since which version; a newcomer does not."""
    since = "They have changed since you agreed to version 2026-01."
    assert since in text(without.get(TERMS))
    follow(client, ivo)
    set_password(client, ivo, PASSWORD)
    assert "They have changed" not in text(client.get(TERMS))


def test_agreeing_takes_a_tick(without):
    """S14."""
    current = Terms.objects.current()
    answer = without.post(TERMS, {"version": current.version})
    assert "Tick the box to go on, or log out." in text(answer)
    assert not Terms.objects.are_accepted_by(TermsAcceptance.objects.last().user)


def test_what_was_agreed_to_is_kept(without, max_):
    """T51: version, hash, time and address."""
    agree(without)
    acceptance = TermsAcceptance.objects.get(user=max_.user, terms__version="2026-02")
    assert acceptance.accepted_at
    assert acceptance.client_address == "127.0.0.1"
    event = AuditEvent.objects.filter(kind=AuditEvent.Kind.TERMS_ACCEPTED).latest("id")
    assert event.facts == {
        "version": "2026-02",
        "sha256": acceptance.terms.sha256,
    }


def test_agreeing_twice_is_no_error(without, max_):
    """T51: from a second tab."""
    agree(without)
    assert agree(without).status_code == 302
    assert TermsAcceptance.objects.filter(user=max_.user).count() == 2


def test_an_older_version_is_asked_again(without, max_):
    """T51: the POST names the version that was shown."""
    shown = Terms.objects.current()
    Terms.objects.publish("2026-03", "And gloves.", None)
    answer = without.post(TERMS, {"version": shown.version, "agree": "on"})
    assert answer.status_code == 200
    assert "There is a newer version." in text(answer)
    assert "And gloves." in text(answer)
    assert 'value="2026-03"' in text(answer)
    assert not answer.context["form"]["agree"].value()
    assert not Terms.objects.are_accepted_by(max_.user)


@pytest.mark.parametrize("version", ["", "2026-01", "nothing", "2026-02\0"])
def test_a_version_that_is_not_the_current_one_counts_not(without, max_, version):
    """T51."""
    without.post(TERMS, {"version": version, "agree": "on"})
    assert not Terms.objects.are_accepted_by(max_.user)


@pytest.mark.parametrize(
    "version",
    ["2026-02 ", "\t2026-02\n", "\u30002026-02", "Cafe\u0301", "2026  02", "2026\n02"]
    + ["2026\u202802", "2026\x1c02", "2026\x0002", " ", "\u202e2026"],
)
def test_an_odd_version_is_refused_or_can_be_agreed_to(max_, as_, version):
    """S14, T51: or it would lock everybody out."""
    try:
        Terms.objects.publish(version, "Now wear boots, too.", None)
    except ValidationError as error:
        assert error.messages[0].endswith((" by hand.", "cannot be blank.", "allowed."))
        assert Terms.objects.count() == 1
    else:
        client = as_(max_)
        shown = client.get(TERMS).context["form"]["version"].value()
        client.post(TERMS, {"version": shown, "agree": "on"})
        assert Terms.objects.are_accepted_by(max_.user)


def test_a_new_version_asks_everybody_at_the_next_request(max_, as_):
    """T51: sessions that are open, too."""
    client = as_(max_)
    page = max_.company.get_absolute_url()
    assert client.get(page).status_code == 200
    Terms.objects.publish("2026-02", "Now wear boots, too.", None)
    assert client.get(page).url == reverse("invitations:terms", query={"next": page})
    assert "Now wear boots, too." in text(client.get(page, follow=True))


def test_the_operator_agrees_too(olga, as_):
    """T51: the admin included."""
    client = as_(olga)
    Terms.objects.publish("2026-02", "Now wear boots, too.", None)
    assert client.get(reverse("admin:index")).url.startswith(TERMS)
    agree(client)
    assert client.get(reverse("admin:index")).status_code == 200


def test_without_published_terms_only_operators_pass(db, as_):
    """Design, small rules."""
    company = Company.objects.create(name="Acme Construction")
    member = add_member(company, "max@acme.example")
    client = as_(member)
    answer = client.get(company.get_absolute_url(), follow=True)
    assert "The Terms and Conditions have not been published" in text(answer)
    assert 'aria-label="Main"' not in text(answer)
    olga = add_user("olga@operator.example", is_superuser=True)
    assert as_(olga).get(reverse("admin:index")).status_code == 200
    assert 'aria-label="Main"' in text(as_(olga).get(TERMS))


def test_neither_reset_nor_second_tab_steps_round_the_terms(client, ivo, tower):
    """S15, T51: a person who joins and leaves is asked when they come back."""
    follow(client, ivo)
    set_password(client, ivo, PASSWORD)
    assert client.get(tower.get_absolute_url()).url.startswith(TERMS)
    client.post(reverse("account_logout"))
    log_in(client, "ivo@subco.example")
    assert client.get(tower.get_absolute_url()).url.startswith(TERMS)
    agree(client)
    assert client.get(tower.get_absolute_url()).status_code == 200


def test_a_stranger_logs_in_first(client, terms):
    """S15."""
    assert client.get(TERMS).url == f"{reverse('account_login')}?next={TERMS}"
    assert client.post(TERMS, {"agree": "on"}).status_code == 302


def test_publishing_at_the_desk_says_whom_it_reaches(as_, olga, ada, max_):
    """Before it is done, by one button: it can't be changed afterwards."""
    client = as_(olga)
    address = reverse("admin:invitations_terms_add")
    page = client.get(address).text
    assert "<h1>Publish terms</h1>" in page
    assert "published can’t be changed. 3 people are asked to agree" in page
    assert re.findall(r'<input type="submit"[^>]*value="(.*?)"', page) == ["Publish"]
    client.post(address, {"version": "2027-01", "text": "Be careful.", "_save": "1"})
    terms = Terms.objects.current()
    assert terms and terms.version == "2027-01"
