"""Operators: all rows or one company's, and seen by no company's administrator."""

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from companies.models import Company, Membership
from companies.tools import COMPANY_ADMINISTRATOR
from tests.cast import add_entry, invite, template
from tests.steps import log_in

COMPANIES = "/admin/companies/company/"
DIRECTORY = "/admin/companies/membership/"


def work_for(client, company):
    path = f"{COMPANIES}{company.pk}/work-for/"
    assert f'formaction="{path}"' in client.get(COMPANIES).content.decode()
    return client.post(path, follow=True).content.decode()


def test_an_operator_sees_all_companies_until_one_is_chosen(as_, olga, ada, gina):
    client = as_(olga)
    page = client.get(DIRECTORY).content.decode()
    assert "All companies" in page
    assert "ada@acme.example" in page
    assert "gina@globex.example" in page
    assert "Globex Builders" in page  # whose row it is
    assert "Acme Construction" in work_for(client, ada.company)
    page = client.get(DIRECTORY).content.decode()
    assert "ada@acme.example" in page
    assert "gina@globex.example" not in page


def test_there_is_a_way_back_to_all_companies(as_, olga, ada, gina):
    client = as_(olga)
    assert reverse("admin:all") in work_for(client, ada.company)
    client.post(reverse("admin:all"))
    assert "gina@globex.example" in client.get(DIRECTORY).content.decode()


def test_opening_the_way_back_changes_nothing(as_, olga, ada, gina):
    """A GET changes no state."""
    client = as_(olga)
    work_for(client, ada.company)
    assert client.get(reverse("admin:all")).status_code == 405
    assert "gina@globex.example" not in client.get(DIRECTORY).content.decode()


def test_a_company_is_chosen_by_a_post_of_an_operator(as_, olga, ada, acme):
    """T37: a GET changes no state, and to others there is nothing to choose."""
    path = f"{COMPANIES}{acme.pk}/work-for/"
    client = as_(olga)
    assert client.get(path).status_code == 405
    assert client.post(f"{COMPANIES}987654/work-for/").status_code == 404
    assert "All companies" in client.get("/admin/").content.decode()
    assert as_(ada).post(path).status_code == 404


def test_an_operator_without_a_company_works_at_the_desk(client, olga):
    """Not on a page that says to ask the Company Administrator."""
    assert log_in(client, olga.email).status_code == 302
    for path in ("/", reverse("companies:select")):
        answer = client.get(path, follow=True)
        assert answer.redirect_chain[-1][0] == "/admin/"


@pytest.mark.parametrize(
    "page", ["companies_membership", "companies_vendor", "desk_import"]
)
def test_an_operator_of_all_companies_is_led_to_choose_one_first(as_, olga, acme, page):
    client, path = as_(olga), reverse(f"admin:{page}_add")
    for answer in (client.get(path, follow=True), client.post(path, {}, follow=True)):
        assert answer.redirect_chain[-1][0] == COMPANIES
        assert "Choose a company first" in answer.content.decode()
    assert path in client.get(reverse(f"admin:{page}_changelist")).content.decode()
    work_for(client, acme)
    assert client.get(path).status_code == 200


def test_a_company_is_worked_for_from_its_own_page(as_, olga, acme):
    client = as_(olga)
    data = {"CHANGE_FORM-action": "work_here", "_selected_action": acme.pk}
    answer = client.post(f"{COMPANIES}{acme.pk}/change/", data, follow=True)
    assert answer.redirect_chain[-1][0] == "/admin/"
    assert "Acme Construction" in answer.content.decode()


def test_rows_of_two_companies_are_not_joined_by_an_operator(as_, olga, ada, gina):
    """T39: who works for all companies may still not mix them."""
    foreign = template(gina.company, "Member")
    data = {"template": foreign.pk, **no_projects(0)}
    answer = as_(olga).post(f"{DIRECTORY}{ada.pk}/change/", data)
    assert answer.status_code == 200
    assert "template" in answer.context["adminform"].form.errors
    page = as_(olga).get(f"{DIRECTORY}{ada.pk}/change/")
    offered = page.context["adminform"].form.fields["template"].queryset
    assert {row.company for row in offered} == {ada.company}


def no_projects(count):
    return {
        "project_memberships-TOTAL_FORMS": count,
        "project_memberships-INITIAL_FORMS": 0,
    }


def test_an_operator_puts_somebody_on_a_project_of_their_company(as_, olga, ada, tower):
    """Working for all companies, the entry says which one it is."""
    data = {
        "template": ada.template_id,
        "is_active": "on",
        **no_projects(1),
        "project_memberships-0-project": tower.pk,
        "project_memberships-0-template": template(
            ada.company, "Owner/Client – External"
        ).pk,
    }
    answer = as_(olga).post(f"{DIRECTORY}{ada.pk}/change/", data)
    assert answer.status_code == 302
    assert ada.project_memberships.get().company == ada.company


def test_a_company_made_here_is_written_down_and_begins_with_the_templates(as_, olga):
    as_(olga).post(
        f"{COMPANIES}add/",
        {"name": "Initech", "kind": "owner", "is_active": "on"},
    )
    company = Company.objects.get(name="Initech")
    event = AuditEvent.objects.get(kind=AuditEvent.Kind.COMPANY_CREATED)
    assert event.company == company
    assert company.permissiontemplates.exists()


def test_an_operator_can_not_switch_off_the_own_log_in(as_, olga):
    as_(olga).post(f"/admin/accounts/user/{olga.pk}/change/", {})
    olga.refresh_from_db()
    assert olga.is_active


@pytest.mark.parametrize("name", ["password", "is_superuser", "email"])
def test_an_operator_sets_nothing_that_is_a_persons_own(as_, olga, max_, name):
    """T45."""
    before = getattr(max_.user, name)
    data = {"is_active": "on", name: "on@acme.example"}
    as_(olga).post(f"/admin/accounts/user/{max_.user_id}/change/", data)
    max_.user.refresh_from_db()
    assert getattr(max_.user, name) == before


def test_no_hash_is_guessed_through_an_address(as_, olga, max_):
    """T43: secret columns are no filter, for operators neither."""
    for lookup in ("password__startswith", "email__startswith", "is_active__lt"):
        path = f"/admin/accounts/user/?{lookup}=a"
        assert as_(olga).get(path).status_code == 400


def test_operators_are_invisible_to_company_administrators(as_, olga, ada, acme):
    """T45: neither as actor of a history, nor as the one who has invited."""
    entry = add_entry(acme, "kim@acme.example")
    client = as_(olga)
    data = {**{"email": entry.email, "template": entry.template_id}, **no_projects(0)}
    data |= {"first_name": "Kim", "is_active": "on"}
    assert client.post(f"{DIRECTORY}{entry.pk}/change/", data).status_code == 302
    invitation = invite(entry, olga)
    asker = as_(ada)
    for path in (
        f"{DIRECTORY}{entry.pk}/history/",
        f"{DIRECTORY}{entry.pk}/change/",
        DIRECTORY,
        f"/admin/invitations/invitation/{invitation.pk}/change/",
        f"/admin/invitations/invitation/{invitation.pk}/history/",
        "/admin/",
    ):
        page = asker.get(path).content.decode()
        assert "olga@operator.example" not in page, path
    history = asker.get(f"{DIRECTORY}{entry.pk}/history/").content.decode()
    assert "the operator" in history
    assert Membership.objects.get(pk=entry.pk).first_name == "Kim"


def test_a_new_company_is_worked_for_at_once(as_, olga, acme):
    """And says what comes next: somebody who administers it."""
    client = as_(olga)
    data = {"name": "Initech", "slug": "initech", "kind": acme.kind}
    answer = client.post(f"{COMPANIES}add/", data | {"_save": "1"}, follow=True)
    company = Company.objects.get(name="Initech")
    page = answer.text
    assert f'<a href="{DIRECTORY}add/">Invite its first administrator</a>' in page
    assert "Nobody is in the directory yet." in page
    assert "Everybody who was invited" not in page and "<svg viewBox" not in page
    form = client.get(f"{DIRECTORY}add/").context["adminform"].form
    assert form.initial["template"] == template(company, COMPANY_ADMINISTRATOR)


def test_a_log_in_is_explained_in_our_words(as_, olga):
    page = as_(olga).get(f"/admin/accounts/user/{olga.pk}/change/").text
    assert "An operator: sees and does everything." in page
    assert "When the person subscribed." in page
    assert "S12" not in page and "Designates" not in page
