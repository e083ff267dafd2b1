"""Access of a person, and putting many people on a project, from the directory."""

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from companies.models import Project, ProjectMembership
from companies.tools import COMPANY_ADMINISTRATOR
from tests.cast import FOREMAN, add_entry, add_member, put_on, template

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


def test_person_on_no_project_reads_so(as_, ada, acme):
    text = access(as_(ada), add_member(acme, "s@acme.example"))
    assert "On no project yet." in text
    assert "Read Only: by template Member" in text


@pytest.mark.parametrize("grants", [0, 1])
def test_administrator_needs_no_grant(as_, ada, acme, tower, grants):
    """What one is on says nothing of what one sees; one project can be asked about."""
    Project.objects.create(company=acme, name="Annex", number="24-018")
    Project.objects.create(company=acme, name="Old", number="9", is_active=False)
    if grants:
        put_on(ada, tower)
    text = access(as_(ada), ada)
    reason = "company administrator by template Company Administrator"
    assert f"Admin on all tools of all active projects (2): {reason}." in text
    assert f"Admin: {reason}" in text
    assert "On no project yet." not in text and "Sees: 1" not in text
    assert f"Admin: {reason}" in access(as_(ada), ada, project=tower.pk)


def test_administrator_who_has_not_joined_sees_nothing(as_, ada, acme, tower):
    entry = add_entry(acme, "new@acme.example", template=COMPANY_ADMINISTRATOR)
    text = access(as_(ada), entry)
    assert "No access: the person has not joined yet." in text
    assert "Admin on all tools" not in text


def test_operator_who_is_a_member_is_named_as_the_operator_only(as_, ada, max_, tower):
    """T45: a company doesn't learn of which person an operator's log-in is."""
    tower.is_active = False
    tower.save()
    users = User.objects.filter(pk=max_.user_id)
    users.update(is_superuser=True, is_staff=True)
    for query in ({}, {"project": tower.pk}):
        text = access(as_(ada), max_, **query)
        assert "Admin: by the operator of the installation" in text
        assert "superuser" not in text
    assert "projects (1): by the operator of the installation." in access(
        as_(ada), max_
    )


def test_what_is_not_in_force_is_explained_on_each_tool(as_, ada, max_, tower):
    """So that one reads what there would be, for the person too."""
    own = reverse("companies:access", args=[max_.company.slug])
    ProjectMembership.objects.all().suspend("insurance ended", ada.user)
    day = date_format(timezone.localdate(), "j F Y")
    by = f"by template {FOREMAN}; suspended since {day}: insurance ended"
    for text in (access(as_(ada), max_), as_(max_).get(own).text):
        assert f"None: Standard {by}" in text
        assert f"None: Read Only {by}" in text


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
    assert "one@x.example: No default project template" in text
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
