"""Access of a person, and putting many people on a project, from the directory."""

import pytest
from django.urls import reverse

from companies.models import ProjectMembership
from tests.cast import add_entry, add_member, template

SUBCONTRACTOR = "Subcontractor – External"


def access(client, entry, **query):
    address = reverse("admin:companies_membership_access", args=[entry.pk])
    return client.get(address, query).content.decode()


def add(client, entries, **form):
    return client.post(
        reverse("admin:companies_membership_changelist"),
        {"action": "add_to_project", "_selected_action": [each.pk for each in entries]}
        | form,
        follow=True,
    ).content.decode()


def test_what_a_person_sees_is_said_with_the_reason(as_, ada, max_, tower):
    text = access(as_(ada), max_)
    assert "Sees: 1" in text
    assert "Standard: by template Foreman/Superintendent – Internal" in text
    ProjectMembership.objects.all().suspend("insurance ended", ada.user)
    text = access(as_(ada), max_)
    assert "Does not see: 1" in text
    assert "insurance ended" in text


def test_any_project_can_be_asked_about(as_, ada, acme, tower):
    stranger = add_member(acme, "s@acme.example")
    text = access(as_(ada), stranger, project=tower.pk)
    assert "No access: not on this project." in text


def test_foreign_project_is_not_explained(as_, ada, max_, bridge):
    """T39, T43: as if it weren't there."""
    assert "Mill Bridge" not in access(as_(ada), max_, project=bridge.pk)


def test_people_are_added_with_one_template_or_each_their_own(as_, ada, acme, tower):
    given = template(acme, SUBCONTRACTOR)
    own = add_entry(acme, "own@x.example", default_project_template=given)
    none = add_entry(acme, "none@x.example")
    client = as_(ada)
    assert "Each person’s default project template" in add(client, [own, none])
    text = add(client, [own, none], apply="1", project=tower.pk)
    assert "Added: 1." in text
    assert "one@x.example: Has no default project template" in text
    text = add(client, [own, none], apply="1", project=tower.pk, template=given.pk)
    assert "wn@x.example: Is on this project already" in text
    assert tower.project_memberships.filter(membership=none).exists()


@pytest.mark.parametrize(
    "name, refusal",
    [("project", "Choose another project."), ("template", "Select a valid choice")],
)
def test_foreign_row_is_not_taken(as_, ada, acme, tower, globex, bridge, name, refusal):
    """T39."""
    entry = add_entry(acme, "e@x.example")
    form = {"project": tower.pk, "template": template(acme, SUBCONTRACTOR).pk}
    foreign = {"project": bridge, "template": template(globex, SUBCONTRACTOR)}[name]
    text = add(as_(ada), [entry], apply="1", **form | {name: foreign.pk})
    assert refusal in text
    assert not entry.project_memberships.exists()


def test_days_in_the_wrong_order_are_a_form_error(as_, ada, acme, tower):
    entry = add_entry(acme, "e@x.example")
    days = {"starts_on": "2030-02-01", "ends_on": "2030-01-01"}
    form = {"project": tower.pk, "template": template(acme, SUBCONTRACTOR).pk}
    text = add(as_(ada), [entry], apply="1", **form, **days)
    assert "before the first" in text
