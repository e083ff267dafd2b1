"""Who gets into the admin, and for which company."""

import re
from urllib.parse import unquote

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from companies.models import Membership
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER
from tests.cast import PASSWORD, add_member, template

INDEX = "/admin/"
DIRECTORY = "/admin/companies/membership/"


@pytest.fixture
def lena(acme, globex):
    """Administrator of both companies."""
    add_member(globex, "lena@both.example", template=COMPANY_ADMINISTRATOR)
    return add_member(acme, "lena@both.example", template=COMPANY_ADMINISTRATOR)


def choose(client: Client, slug: str, target: str = INDEX) -> object:
    return client.post(
        reverse("companies:select"), {"company": slug, "next": target}, follow=True
    )


@pytest.mark.parametrize("path", [INDEX, DIRECTORY + "?q=x", "/admin/none/such/"])
def test_a_stranger_is_led_to_the_log_in_page(client, acme, path):
    """T40: and comes back to the page that was asked for."""
    answer = client.get(path)
    assert answer.status_code == 302
    assert unquote(answer.headers["Location"]) == f"/accounts/login/?next={path}"


def test_the_admin_has_no_log_in_of_its_own(client, ada):
    """Section 1, finding 3: a right password posted there opens nothing."""
    answer = client.post(
        "/admin/login/", {"username": ada.user.email, "password": PASSWORD}, follow=True
    )
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("page", ["password_change/", "logout/", "r/1/1/"])
def test_what_others_do_is_not_there(as_, ada, page):
    """T24, T43, T45: no second password page, no look-up of just any row."""
    assert as_(ada).get(f"/admin/{page}").status_code == 404


def test_a_member_reads_our_page(as_, max_):
    """T40."""
    answer = as_(max_).get(INDEX)
    assert answer.status_code == 403
    assert "You can’t open this page" in answer.content.decode()


@pytest.mark.parametrize(
    "permission", ["companies.invite_membership", "companies.add_membership"]
)
def test_an_unproven_account_hands_out_nothing(acme, ada, max_, permission):
    """S6: whatever its template says, until the mailbox is shown."""
    grant = max_.project_memberships.get()
    asked = [(permission, max_), ("companies.add_projectmembership", grant)]
    assert all(ada.user.has_perm(*each) for each in asked)
    ada.user.emailaddress_set.update(verified=False)
    user = User.objects.get(pk=ada.user_id)
    assert not any(user.has_perm(*each) for each in asked)


def test_an_unproven_account_is_never_let_in(as_, acme, ada):
    """S6: it was made with a first password, and shows no mailbox."""
    user = User.objects.create_user("new@acme.example", PASSWORD, is_proven=False)
    Membership.objects.create(
        company=acme,
        email=user.email,
        user=user,
        joined_at=ada.joined_at,
        template=template(acme, COMPANY_ADMINISTRATOR),
    )
    ada.user.acceptances.get().terms.accept(user)
    assert as_(user).get(INDEX).status_code == 403


@pytest.mark.parametrize("path", [INDEX, DIRECTORY + "?q=x"])
def test_an_administrator_of_two_companies_chooses_first(as_, lena, path):
    """And comes to the page that was asked for."""
    client = as_(lena)
    answer = client.get(path)
    assert answer.headers["Location"] == reverse(
        "companies:select", query={"next": path}
    )
    answer = choose(client, "acme-construction", path)
    assert answer.redirect_chain[-1][0] == path
    assert "Acme Construction" in answer.content.decode()


def test_the_choice_decides_which_rows_are_there(as_, lena, ada, gina):
    """Section 7: scope is the chosen company, not all that one administers."""
    client = as_(lena)
    choose(client, "globex-builders")
    page = client.get(DIRECTORY).content.decode()
    assert "gina@globex.example" in page
    assert "ada@acme.example" not in page
    assert client.get(f"{DIRECTORY}{ada.pk}/change/").status_code == 302
    choose(client, "acme-construction")
    assert client.get(f"{DIRECTORY}{ada.pk}/change/").status_code == 200


def test_a_foreign_company_can_not_be_chosen(as_, gina, acme):
    """T37: neither by the form, nor by header, cookie or parameter."""
    client = as_(gina)
    assert choose(client, acme.slug).status_code == 404
    client.cookies["desk_company"] = str(acme.pk)
    answer = client.get(
        DIRECTORY, {"company": acme.pk}, headers={"X-Company": str(acme.pk)}
    )
    assert answer.status_code == 400
    page = client.get(INDEX, {"desk_company": acme.pk}).content.decode()
    assert "Globex Builders" in page


def test_a_choice_that_was_lost_counts_no_more(as_, lena, acme):
    """T35: the session still names Acme, the membership no longer administers it."""
    client = as_(lena)
    choose(client, acme.slug)
    Membership.objects.filter(pk=lena.pk).update(template=template(acme, MEMBER))
    page = client.get(INDEX).content.decode()
    assert "Globex Builders" in page
    assert "Acme" not in page


@pytest.mark.parametrize("loss", ["template", "entry", "log-in", "company"])
def test_whoever_has_lost_the_last_company_is_out_at_the_next_request(
    as_, gina, globex, loss
):
    """T34, T35: nothing is stored, so nothing has to be taken back."""
    client = as_(gina)
    assert client.get(INDEX).status_code == 200
    rows = Membership.objects.filter(pk=gina.pk)
    match loss:
        case "template":
            rows.update(template=template(globex, MEMBER))
        case "entry":
            rows.update(is_active=False)
        case "log-in":
            User.objects.filter(pk=gina.user_id).update(is_active=False)
        case "company":
            type(globex).objects.filter(pk=globex.pk).update(is_active=False)
    assert client.get(INDEX).status_code in (302, 403)
    assert client.get(DIRECTORY).status_code in (302, 403)


def test_a_switch_is_offered_to_whom_it_is_of_use(as_, lena, gina):
    client = as_(lena)
    page = choose(client, "acme-construction").content.decode()
    [path] = re.findall('href="([^"]*)">Switch company', page)
    assert "Globex Builders" in client.get(path).content.decode()
    answer = client.post(path, {"company": "globex-builders"})
    assert answer.url == INDEX  # and not the projects of the company
    assert "Switch company" not in as_(gina).get(INDEX).content.decode()


def test_a_change_needs_the_token_of_its_page(ada):
    """T46: CSRF is checked in the admin too."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada.user, "invitations.backends.AuthenticationBackend")
    answer = client.post(f"{DIRECTORY}{ada.pk}/change/", {"first_name": "Eve"})
    assert answer.status_code == 403
    ada.refresh_from_db()
    assert ada.first_name == "Ada"


def test_pages_are_kept_by_no_browser(as_, ada):
    """T50: the back button shows nothing after a log-out."""
    answer = as_(ada).get(DIRECTORY)
    assert "no-store" in answer.headers["Cache-Control"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
