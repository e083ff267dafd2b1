"""Putting people on a project in bulk, from the project's side."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from audit.models import AuditEvent
from companies.models import PermissionTemplate, Project, Vendor
from companies.models.grants import DEACTIVATED
from tests.cast import FOREMAN, add_entry, put_on, template

SUBCONTRACTOR = "Subcontractor – External"


def address(project):
    return reverse("admin:companies_project_add_people", args=[project.pk])


def form(people, given, **more):
    return {"people": [each.pk for each in people], "template": given.pk, **more}


def on(project):
    rows = project.project_memberships.order_by("pk")
    return [(grant.membership, grant.template.name) for grant in rows]


@pytest.fixture
def namesakes(acme):
    """Two people of one name, one of them with a firm."""
    bolt = Vendor.objects.create(company=acme, name="Bolt & Sons")
    name = {"first_name": "Kim", "last_name": "Novak"}
    return [
        add_entry(acme, "kim@acme.example", **name),
        add_entry(acme, "kim@bolt.example", vendor=bolt, **name),
    ]


@pytest.fixture
def people(acme):
    return [add_entry(acme, f"p{number}@subco.example") for number in range(3)]


def test_people_are_put_on_a_project_and_who_is_there_stays(
    as_, ada, acme, max_, tower, people
):
    client, given = as_(ada), template(acme, SUBCONTRACTOR)
    days = {"starts_on": "2030-01-01", "ends_on": "2030-06-30"}
    data = form([max_, *people], given, **days)
    page = client.post(address(tower), data, follow=True)
    assert "Added: 3." in page.text
    there = "Max Weber: Is on this project already, and stays as they are (In force)."
    assert there in page.text
    assert on(tower) == [
        (max_, FOREMAN),
        *((entry, SUBCONTRACTOR) for entry in people),
    ]
    grant = people[0].project_memberships.get()
    assert [str(day) for day in grant.days] == ["2030-01-01", "2030-06-30"]
    event = AuditEvent.objects.get(kind="granted", about_id=people[0].pk)
    assert event.actor == ada.user


def test_who_is_deactivated_is_put_on_no_project_by_the_form_either(
    as_, ada, acme, tower
):
    """The sentence of the other doors, and nothing that was entered is lost."""
    gone = add_entry(acme, "gone@acme.example", is_active=False)
    data = {"membership": gone.pk, "project": tower.pk, "ends_on": "2030-06-30"}
    data["template"] = template(acme, SUBCONTRACTOR).pk
    page = as_(ada).post(reverse("admin:companies_projectmembership_add"), data)
    assert DEACTIVATED in page.text
    form = page.context["adminform"].form
    assert {name: form[name].value() for name in data} == {
        name: str(value) for name, value in data.items()
    }
    assert on(tower) == []


@pytest.mark.parametrize("is_active", [True, False])
def test_whose_days_are_over_begins_anew_by_the_form_too(
    as_, ada, acme, tower, is_active
):
    back = add_entry(acme, "back@acme.example", is_active=is_active)
    grant = put_on(back, tower, ends_on=date(2020, 1, 1))
    data = {"membership": back.pk, "project": tower.pk, "ends_on": "2030-06-30"}
    data["template"] = template(acme, SUBCONTRACTOR).pk
    page = as_(ada).post(reverse("admin:companies_projectmembership_add"), data)
    assert page.status_code == (302 if is_active else 200)
    assert is_active or DEACTIVATED in page.text
    grant.refresh_from_db()
    until = "2030-06-30" if is_active else "2020-01-01"
    assert (str(grant.ends_on), tower.project_memberships.count()) == (until, 1)
    given = AuditEvent.objects.filter(kind="granted", about_id=back.pk)
    assert given.exists() == is_active


def test_project_leads_there_as_far_as_the_reader_may(as_, ada, cora, rory, tower):
    """Standard adds people; only an administrator brings a crew or ends one."""
    seen = {}
    for entry in (ada, cora, rory):
        page = as_(entry).get(
            reverse("admin:companies_project_change", args=[tower.pk])
        )
        verbs = ("Add people", "Copy a crew", "Set a last day for everyone")
        seen[entry.first_name] = [verb for verb in verbs if verb in page.text]
    assert seen == {
        "Ada": ["Add people", "Copy a crew", "Set a last day for everyone"],
        "Cora": ["Add people"],
        "Rory": [],
    }


def test_standard_gives_what_she_may_where_she_may(as_, cora, acme, tower, people):
    """T44: and it takes no other template, and nothing on another project."""
    client = as_(cora)
    offered = client.get(address(tower)).context["form"].fields["template"].queryset
    assert [each.name for each in offered] == [SUBCONTRACTOR]
    for name in (FOREMAN, "Owner/Client – External"):
        answer = client.post(address(tower), form(people, template(acme, name)))
        assert "Select a valid choice" in answer.text
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    given = template(acme, SUBCONTRACTOR)
    assert (
        "Select a valid choice" in client.post(address(annex), form(people, given)).text
    )
    assert on(annex) == []
    client.post(address(tower), form(people, given))
    assert {entry for entry, _ in on(tower)} == {cora, *people}


def test_template_of_another_project_is_not_offered(as_, ada, acme, tower):
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    bound = template(acme, SUBCONTRACTOR).duplicate("Annex only", ada.user)
    PermissionTemplate.objects.filter(pk=bound.pk).update(project=annex)
    client = as_(ada)
    for project, is_offered in ((tower, False), (annex, True)):
        asked = client.get(address(project)).context["form"].fields["template"]
        assert (bound in asked.queryset) == is_offered


def test_foreign_person_is_not_taken(as_, ada, acme, gina, tower):
    """T39: posted, not offered, and named by nothing."""
    answer = as_(ada).post(address(tower), form([gina], template(acme, SUBCONTRACTOR)))
    assert "Select a valid choice" in answer.text
    assert "gina" not in answer.text.lower()
    assert on(tower) == []


@pytest.mark.parametrize("garbage", ["x", "-1", "9" * 40, "\0", ""])
def test_garbage_is_no_person(as_, ada, acme, tower, garbage):
    given = template(acme, SUBCONTRACTOR).pk
    data = {"people": [garbage], "template": given}
    assert as_(ada).post(address(tower), data).status_code == 200
    assert on(tower) == []


def test_days_in_the_wrong_order_are_a_form_error(as_, ada, acme, tower, people):
    """What was chosen is still there."""
    days = {"starts_on": "2030-02-01", "ends_on": "2030-01-01"}
    data = form(people, template(acme, SUBCONTRACTOR), **days)
    answer = as_(ada).post(address(tower), data)
    assert "before the first" in answer.text
    field = str(answer.context["form"]["people"])
    assert field.count("selected") == len(people)
    assert 'data-field-name="membership"' in field and "multiple" in field


def test_operator_chooses_among_the_people_of_the_company(
    as_, olga, acme, tower, gina, people
):
    """Who looks at all companies has a list: the search would find those of all."""
    client = as_(olga)
    field = str(client.get(address(tower)).context["form"]["people"])
    assert "p0@subco.example" in field
    assert "gina" not in field.lower()
    client.post(address(tower), form(people, template(acme, FOREMAN)))
    assert len(on(tower)) == len(people)
    client.post(reverse("admin:companies_company_work_for", args=[acme.pk]))
    field = str(client.get(address(tower)).context["form"]["people"])
    assert 'data-field-name="membership"' in field and "<option" not in field


def test_many_people_take_no_more_queries_than_few(
    as_, ada, acme, tower, django_assert_max_num_queries
):
    people = [add_entry(acme, f"q{number}@subco.example") for number in range(60)]
    client, data = as_(ada), form(people, template(acme, SUBCONTRACTOR))
    with django_assert_max_num_queries(25):
        client.post(address(tower), data)
    assert len(on(tower)) == 60


def test_somebody_whose_days_are_over_begins_anew(as_, ada, acme, tower, people):
    put_on(people[0], tower, SUBCONTRACTOR, ends_on="2020-01-01")
    as_(ada).post(address(tower), form(people[:1], template(acme, FOREMAN)))
    assert on(tower) == [(people[0], FOREMAN)]


def test_people_of_one_name_are_told_apart_where_one_chooses(
    as_, ada, acme, tower, namesakes, django_assert_num_queries
):
    field = {"model_name": "projectmembership", "field_name": "membership"}
    query = {"app_label": "companies", "term": "novak"} | field
    labels = [
        "Kim Novak · kim@acme.example",
        "Kim Novak · kim@bolt.example · Bolt & Sons",
    ]
    client = as_(ada)
    with CaptureQueriesContext(connection) as with_two:
        found = client.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [each["text"] for each in found] == labels
    for number in range(9):
        firm = Vendor.objects.create(company=acme, name=f"Firm {number}")
        add_entry(acme, f"n{number}@x.example", last_name="Novak", vendor=firm)
    with django_assert_num_queries(len(with_two)):
        client.get(reverse("admin:autocomplete"), query)
    # And what was chosen still says so in a form that comes back.
    answer = client.post(address(tower), form(namesakes, template(acme, "Member")))
    assert all(f">{escape(label)}</option>" in answer.text for label in labels)


def test_people_of_one_name_are_told_apart_in_the_lists_of_the_chosen(
    as_, ada, acme, tower, namesakes
):
    client = as_(ada)
    grants = [put_on(entry, tower) for entry in namesakes]
    asked = [
        ("membership", "deactivate", namesakes),
        ("projectmembership", "end", grants),
    ]
    pages = [
        client.post(
            reverse(f"admin:companies_{model}_changelist"),
            {"action": action, "_selected_action": [row.pk for row in rows]},
        )
        for model, action, rows in asked
    ]
    pages.append(
        client.get(reverse("admin:companies_project_demobilise", args=[tower.pk]))
    )
    for page in pages:
        assert "kim@acme.example</span>" in page.text
        assert "kim@bolt.example · Bolt &amp; Sons</span>" in page.text


def test_everyone_on_a_project_is_given_a_last_day(as_, ada, max_, tower):
    """And it is said that the day is included."""
    address = reverse("admin:companies_project_demobilise", args=[tower.pk])
    client = as_(ada)
    page = client.get(address).text
    assert "<h1>Set a last day for everyone on 24-017 Harbour Tower</h1>" in page
    assert "The day is included" in page
    assert 'class="default danger" value="Set the last day"' in page
    client.post(address, {"last_day": "2030-06-30"})
    assert str(max_.project_memberships.get().ends_on) == "2030-06-30"


def test_a_crew_is_copied_once_the_difference_was_shown(as_, ada, acme, max_, tower):
    """One button is the primary one: first to look, and then to add them."""
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    address = reverse("admin:companies_project_mobilise", args=[annex.pk])
    client = as_(ada)
    page = client.get(address).text
    assert "<h1>Copy a crew to 24-018 Annex</h1>" in page
    assert "They stay on the other one, too" in page
    assert 'class="default" value="Show the difference"' in page
    page = client.post(address, {"source": tower.pk}).text
    assert 'class="default" name="apply" value="Add them"' in page
    assert '<input type="submit" value="Show the difference"' in page
    client.post(address, {"source": tower.pk, "apply": "1"})
    assert [entry for entry, _ in on(annex)] == [max_]
