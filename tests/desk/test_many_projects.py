"""Somebody on very many projects: their form can be sent, their access can be read."""

import re

import pytest
from django.urls import reverse

from companies.models import Project, ProjectMembership
from desk.admin.directory import GRANTS_IN_FORM
from tests.cast import add_member, put_on


@pytest.fixture
def many(acme, max_):
    projects = Project.objects.bulk_create(
        Project(company=acme, name=f"P{number}", number=f"N-{number}")
        for number in range(GRANTS_IN_FORM)
    )
    given = max_.project_memberships.get().template
    pairs = [(max_, project, given) for project in projects]
    ProjectMembership.objects.grant(pairs, None)


@pytest.mark.usefixtures("many")
def test_form_leaves_the_projects_to_their_list(as_, ada, max_):
    """Else the browser would send more fields than are taken, and nothing be saved."""
    client = as_(ada)
    address = reverse("admin:companies_membership_change", args=[max_.pk])
    page = client.get(address)
    assert page.context["inline_admin_formsets"] == []
    assert f"{GRANTS_IN_FORM + 1} projects" in page.content.decode()
    client.post(address, {"template": max_.template_id, "first_name": "Maximilian"})
    max_.refresh_from_db()
    assert (max_.first_name, max_.is_active) == ("Maximilian", False)
    assert max_.project_memberships.count() == GRANTS_IN_FORM + 1


@pytest.mark.usefixtures("many")
def test_their_list_is_of_this_person_and_says_so(as_, ada, acme, max_, tower):
    """Who is only called alike isn't in it: all of a list are ended by one action."""
    other = add_member(acme, f"tomax@{max_.email.partition('@')[2]}")
    put_on(other, tower)
    client = as_(ada)
    page = client.get(reverse("admin:companies_membership_change", args=[max_.pk]))
    [path] = re.findall(r'href="([^"]*)">\d+ projects', page.text)
    listed = client.get(path)
    assert {row.membership for row in listed.context["cl"].result_list} == {max_}
    [person] = [
        spec for spec in listed.context["cl"].filter_specs if spec.title == "person"
    ]
    assert person.lookup_choices == [(str(max_.pk), "Max Weber")]


def shown(page):
    return [str(project) for project, _ in page.context["rows"]]


@pytest.mark.usefixtures("many")
def test_access_is_paged_with_the_levels_and_what_is_open_first(as_, ada, max_, tower):
    """However many there are: 3,000 would be most of a megabyte."""
    max_.project_memberships.filter(project=tower).suspend("strike", ada.user)
    Project.objects.filter(number="N-0").update(is_active=False)
    pages = {
        "page": (as_(max_), reverse("companies:access", args=[max_.company.slug])),
        "p": (
            as_(ada),
            reverse("admin:companies_membership_access", args=[max_.pk]),
        ),
    }
    for name, (client, address) in pages.items():
        first, second, last = (client.get(address, {name: n}) for n in (1, 2, 3))
        assert len(shown(first)) == 50
        assert [*shown(second)[-1:], *shown(last)] == [str(tower), "N-0 P0"]
        rows = first.context["rows"] + second.context["rows"][:-1]
        assert all(explainer.is_open for _, explainer in rows)
        assert first.text.count("Punch List") == 50
        assert "Page 3 of 3" in last.text


@pytest.mark.usefixtures("many")
def test_one_of_many_is_found_in_the_own_access(as_, max_, acme, tower):
    client, address = as_(max_), reverse("companies:access", args=[acme.slug])
    assert 'type="search"' in client.get(address).text
    assert shown(client.get(address, {"q": "harbour"})) == [str(tower)]
    assert shown(client.get(address, {"q": "n-17"})) == ["N-17 P17"]
    assert "None of your projects matches ‘zeppelin’" in (
        client.get(address, {"q": "zeppelin"}).text
    )
    max_.project_memberships.exclude(project=tower).delete()
    assert 'type="search"' not in client.get(address).text


@pytest.mark.usefixtures("many")
def test_of_many_projects_one_types_a_part(as_, ada, max_, ivo, tower):
    """Adding to one, bringing a crew, and asking about one list none of them."""
    client = as_(ada)
    pages = {
        "project": client.post(
            reverse("admin:companies_membership_changelist"),
            {"action": "add_to_project", "_selected_action": [ivo.membership_id]},
        ),
        "source": client.get(
            reverse("admin:companies_project_mobilise", args=[tower.pk])
        ),
    }
    for name, page in pages.items():
        field = str(page.context["form"][name])
        assert 'data-field-name="project"' in field
        assert "<option" not in field
        assert "select2.full" in page.text
    found = client.get(
        reverse("admin:autocomplete"),
        {
            "app_label": "companies",
            "model_name": "projectmembership",
            "field_name": "project",
            "term": "n-17",
        },
    )
    assert [each["text"] for each in found.json()["results"]] == ["N-17 P17"]


@pytest.mark.usefixtures("many")
def test_what_was_chosen_is_there_when_the_form_comes_back(as_, ada, ivo, tower):
    page = as_(ada).post(
        reverse("admin:companies_membership_changelist"),
        {
            "action": "add_to_project",
            "_selected_action": [ivo.membership_id],
            "apply": "1",
            "project": tower.pk,
            "starts_on": "yesterday",
        },
    )
    assert f">{tower}</option>" in str(page.context["form"]["project"])


def test_an_operator_of_all_companies_chooses_among_those_of_one(
    as_, olga, max_, ivo, tower, bridge
):
    """The search of the desk would find the projects of all."""
    operator = as_(olga)
    pages = {
        "project": operator.post(
            reverse("admin:companies_membership_changelist"),
            {"action": "add_to_project", "_selected_action": [ivo.membership_id]},
        ),
        "source": operator.get(
            reverse("admin:companies_project_mobilise", args=[tower.pk])
        ),
    }
    for name, page in pages.items():
        field = page.context["form"][name]
        assert "admin-autocomplete" not in str(field)
        assert str(bridge) not in str(field)
    assert str(tower) in str(pages["project"].context["form"]["project"])
    access = reverse("admin:companies_membership_access", args=[max_.pk])
    field = str(operator.get(access).context["form"]["project"])
    assert str(tower) in field and str(bridge) not in field
