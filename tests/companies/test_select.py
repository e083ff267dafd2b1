"""Several companies: Select a Company, Continue; one: straight in (S7, T37)."""

import pytest
from django.urls import reverse

from companies.desk import KEY
from companies.models import Company, Membership
from companies.tools import COMPANY_ADMINISTRATOR
from tests.cast import add_member
from tests.steps import log_in, text

SELECT = reverse("companies:select")


@pytest.fixture
def both(max_, globex):
    """Max has joined Globex too."""
    return add_member(globex, "max@acme.example")


def test_with_one_company_one_is_straight_in(client, max_):
    """S7."""
    answer = client.get(log_in(client, "max@acme.example").url, follow=True)
    assert answer.request["PATH_INFO"] == max_.company.get_absolute_url()


def test_with_several_one_selects_and_continues(client, both, max_):
    """S7: by the companies' names, and none is selected beforehand."""
    assert log_in(client, "max@acme.example").url == SELECT
    page = text(client.get(SELECT))
    assert "Select a Company" in page
    assert "Acme Construction" in page
    assert "Globex Builders" in page
    assert " checked" not in page
    assert "Continue" in page
    answer = client.post(SELECT, {"company": both.company.slug})
    assert answer.url == both.company.get_absolute_url()
    assert client.get(SELECT).status_code == 200


def test_one_goes_on_to_where_one_was_going(both, as_):
    """S7: the page keeps it meanwhile."""
    client = as_(both)
    target = both.company.get_absolute_url() + "?q=bridge"
    page = text(client.get(SELECT, {"next": target}))
    assert f'name="next" value="{target}"' in page
    answer = client.post(SELECT, {"company": both.company.slug, "next": target})
    assert answer.url == target


@pytest.mark.parametrize("company", ["", "\0", "acme\0", "x" * 10_000, "1", "' --"])
def test_what_is_no_company_is_refused(both, as_, company):
    """T37, T49: and the session stays as it was."""
    client = as_(both)
    answer = client.post(SELECT, {"company": company})
    assert answer.status_code in (200, 404)
    assert KEY not in client.session
    if not company:
        assert "Select a company to go on." in text(answer)


def test_a_foreign_company_is_not_there(max_, as_, globex):
    """T37: 404, the session unchanged; a header and a cookie say nothing."""
    client = as_(max_)
    before = dict(client.session.items())
    answer = client.post(SELECT, {"company": globex.slug})
    assert answer.status_code == 404
    client.cookies["company"] = globex.slug
    page = globex.get_absolute_url()
    for path in (page, f"{page}?company={globex.pk}"):
        assert client.get(path, headers={"X-Company": globex.slug}).status_code == 404
    assert dict(client.session.items()) == before


def test_what_was_ended_is_not_offered(both, max_, as_):
    """T35: at the next request."""
    client = as_(max_)
    Membership.objects.filter(pk=max_.pk).update(is_active=False)
    assert client.get(SELECT).url == both.company.get_absolute_url()
    assert client.get(max_.company.get_absolute_url()).status_code == 404
    Company.objects.filter(pk=both.company_id).update(is_active=False)
    assert "Ask the Company Administrator" in text(client.get(SELECT))


def test_opening_a_page_never_changes_the_desk(olga, acme, as_):
    """Design, small rules: an operator who is a member works for all companies on."""
    add_member(acme, olga.email, template=COMPANY_ADMINISTRATOR)
    client = as_(olga)
    assert client.get(SELECT).url == acme.get_absolute_url()
    client.get(acme.get_absolute_url())
    assert KEY not in client.session


def test_selecting_is_what_the_desk_follows(ada, globex, as_):
    """Design, small rules."""
    add_member(globex, "ada@acme.example", template=COMPANY_ADMINISTRATOR)
    client = as_(ada)
    client.post(SELECT, {"company": globex.slug})
    assert client.session[KEY] == globex.pk
