"""Somebody on very many projects: their form can be sent, their access can be read."""

import pytest
from django.urls import reverse

from companies.models import Project, ProjectMembership
from desk.admin.directory import GRANTS_IN_FORM


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
def test_access_is_a_sentence_for_each_project(as_, ada, max_, acme, tower):
    """Not also a table of sixteen tools for each."""
    own = reverse("companies:access", args=[acme.slug])
    desk = reverse("admin:companies_membership_access", args=[max_.pk])
    client = as_(ada)
    for text in (
        as_(max_).get(own).content.decode(),
        client.get(desk).content.decode(),
    ):
        assert "Harbour Tower" in text
        assert "Punch List" not in text
    one = client.get(desk, {"project": tower.pk}).content.decode()
    assert "Punch List" in one


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
