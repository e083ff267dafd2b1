"""The matrix of a template in the admin, and who is on which project."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from companies.models import PermissionTemplate, Project
from companies.tools import TOOLS, Scope
from tests.cast import FOREMAN, add_member, put_on, template

SUBCONTRACTOR = "Subcontractor – External"


def address(row, name="change"):
    return reverse(
        f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk]
    )


def filled(given, **changed):
    """The form of a template as a browser sends it back."""
    levels = given.level_of() | changed
    return {"name": given.name, "confirmed": ""} | {
        f"level_{tool}": level for tool, level in levels.items()
    }


def test_change_is_shown_first_and_done_when_sent_again(as_, ada, max_, acme, tower):
    foreman = template(acme, FOREMAN)
    client = as_(ada)
    data = filled(foreman, rfis=0)
    first = client.post(address(foreman), data)
    assert (
        "1 person on 1 project loses RFIs: Standard → None." in first.content.decode()
    )
    assert template(acme, FOREMAN).level_of()["rfis"] == 2
    data["confirmed"] = first.context["adminform"].form["confirmed"].value()
    client.post(address(foreman), data)
    assert template(acme, FOREMAN).level_of()["rfis"] == 0
    history = client.get(address(foreman, "history")).content.decode()
    assert "RFIs: Standard → None" in history


def test_what_can_not_be_saved_is_not_asked_to_be_saved_once_more(as_, ada, max_, acme):
    foreman = template(acme, FOREMAN)
    data = filled(foreman, rfis=0) | {"name": SUBCONTRACTOR}
    page = as_(ada).post(address(foreman), data)
    assert "Another template has this name." in page.text
    assert "Save once more" not in page.text


def test_whoever_may_only_look_reads_the_list_and_presses_nothing(as_, rory, acme):
    foreman = template(acme, FOREMAN)
    page = as_(rory).get(address(foreman))
    rows = re.findall(r'<div class="readonly">(.*?)</div>', page.text)
    assert SUBCONTRACTOR in rows
    assert "Confirmed" not in page.text
    radios = re.findall(r'<input type="radio"[^>]*>', page.text)
    assert len(radios) == len(TOOLS[Scope.PROJECT]) * 4
    assert all("disabled" in radio for radio in radios)


def test_other_matrix_than_the_one_shown_is_shown_again(as_, ada, max_, acme):
    foreman = template(acme, FOREMAN)
    client = as_(ada)
    shown = client.post(address(foreman), filled(foreman, rfis=0))
    data = filled(foreman, rfis=3)
    data["confirmed"] = shown.context["adminform"].form["confirmed"].value()
    again = client.post(address(foreman), data)
    assert "gets RFIs: Standard → Admin" in again.content.decode()
    assert template(acme, FOREMAN).level_of()["rfis"] == 2


def test_last_administrator_stays_and_what_was_entered_too(as_, ada, acme):
    """A form error, with the levels as they were chosen."""
    administrators = template(acme, "Company Administrator")
    answer = as_(ada).post(address(administrators), filled(administrators, directory=1))
    assert "would have no administrator" in answer.content.decode()
    form = answer.context["adminform"].form
    assert form["level_directory"].value() == "1"
    assert template(acme, "Company Administrator").level_of()["directory"] == 3


def test_change_that_reaches_nobody_is_saved_at_once(as_, ada, acme):
    owner = template(acme, "Owner/Client – External")
    as_(ada).post(address(owner), filled(owner, budget=0))
    assert template(acme, owner.name).level_of()["budget"] == 0


@pytest.mark.parametrize("scope", [Scope.PROJECT, Scope.COMPANY])
def test_template_is_added_for_either_scope(as_, ada, acme, scope):
    data = {"name": "Surveyor"} | {f"level_{tool}": 1 for tool in TOOLS[scope]}
    add = reverse("admin:companies_permissiontemplate_add", query={"scope": scope})
    as_(ada).post(add, data)
    made = PermissionTemplate.objects.get(company=acme, name="Surveyor")
    assert made.scope == scope
    assert set(made.level_of().values()) == {1}


def test_a_button_of_the_list_adds_one_for_either_scope(as_, ada, rory, acme):
    """And beside the company template of a person no button makes one for projects."""
    listed = reverse("admin:companies_permissiontemplate_changelist")
    client, tools = as_(ada), r'href="([^"]*)" class="addlink">Add for (\w+) tools'
    links = re.findall(tools, client.get(listed).text)
    assert {
        name: client.get(link).context["adminform"].form.instance.scope
        for link, name in links
    } == {"company": Scope.COMPANY, "project": Scope.PROJECT}
    assert "Add for" not in as_(rory).get(listed).text
    person = client.get(reverse("admin:companies_membership_add")).text
    assert re.findall(r'id="add_id_(\w*template)"', person) == [
        "default_project_template"
    ]


@pytest.mark.parametrize(
    ("scope", "first"), [(Scope.PROJECT, "home"), (Scope.COMPANY, "portfolio")]
)
def test_new_template_begins_with_one_tool_to_read(as_, ada, scope, first):
    add = reverse("admin:companies_permissiontemplate_add", query={"scope": scope})
    form = as_(ada).get(add).context["adminform"].form
    begun = {tool: form[f"level_{tool}"].initial for tool in TOOLS[scope]}
    assert begun.pop(first) == 1
    assert set(begun.values()) == {0}


def test_list_to_hand_out_is_kept(as_, ada, acme):
    foreman, owner = template(acme, FOREMAN), template(acme, "Owner/Client – External")
    data = filled(foreman) | {"may_hand_out": [owner.pk]}
    as_(ada).post(address(foreman), data)
    assert list(foreman.hands_out.all()) == [owner]


def test_foreign_template_is_not_taken_for_the_list(as_, ada, acme, globex):
    """T39: it is neither offered nor named."""
    foreman, foreign = template(acme, FOREMAN), template(globex, FOREMAN)
    answer = as_(ada).post(
        address(foreman), filled(foreman) | {"may_hand_out": [foreign.pk]}
    )
    assert answer.status_code == 200
    assert foreign not in foreman.hands_out.all()


def test_duplicate_opens_the_copy(as_, ada, acme):
    foreman = template(acme, FOREMAN)
    answer = as_(ada).post(
        reverse("admin:companies_permissiontemplate_changelist"),
        {"action": "duplicate", "_selected_action": [foreman.pk]},
    )
    copy = PermissionTemplate.objects.get(company=acme, name=f"{FOREMAN} (copy)")
    assert answer.url == address(copy)


def test_shipped_template_can_not_be_deleted(as_, ada, acme):
    foreman = template(acme, FOREMAN)
    assert as_(ada).post(address(foreman, "delete"), {"post": "yes"}).status_code == 403
    copy = foreman.duplicate("Night foreman", ada.user)
    as_(ada).post(address(copy, "delete"), {"post": "yes"})
    assert not PermissionTemplate.objects.filter(pk=copy.pk).exists()


# Who is on which project --------------------------------------------------------


def act(client, action, rows, **more):
    return client.post(
        reverse("admin:companies_projectmembership_changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows]} | more,
    )


def test_suspending_asks_why_then_does_it(as_, ada, max_, tower):
    grants = list(max_.project_memberships.all())
    client = as_(ada)
    assert b"Reason" in act(client, "suspend", grants).content
    assert (
        b"This field is required" in act(client, "suspend", grants, apply="1").content
    )
    act(client, "suspend", grants, apply="1", reason="insurance ended")
    assert max_.project_memberships.get().suspension_reason == "insurance ended"
    act(client, "lift", grants)
    assert max_.project_memberships.get().suspended_at is None


def test_last_day_is_set_in_bulk(as_, ada, max_, tower):
    grants = list(max_.project_memberships.all())
    act(as_(ada), "end", grants, apply="1", last_day="2030-06-30")
    assert str(max_.project_memberships.get().ends_on) == "2030-06-30"


def test_crew_is_brought_after_the_difference_was_shown(as_, ada, max_, acme, tower):
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    mobilise = address(annex, "mobilise")
    shown = as_(ada).post(mobilise, {"source": tower.pk})
    assert "Would come: 1" in shown.content.decode()
    assert not annex.project_memberships.exists()
    as_(ada).post(mobilise, {"source": tower.pk, "apply": "1"})
    assert annex.project_memberships.get().membership == max_


def test_everybody_on_a_project_is_ended(as_, ada, max_, acme, tower):
    other = add_member(acme, "o@acme.example")
    put_on(other, tower, SUBCONTRACTOR)
    demobilise = address(tower, "demobilise")
    assert 'value="Set the last day"' in as_(ada).get(demobilise).text
    as_(ada).post(demobilise, {"last_day": "2030-01-01"})
    ends = set(tower.project_memberships.values_list("ends_on", flat=True))
    assert {str(day) for day in ends} == {"2030-01-01"}


@pytest.mark.parametrize("name", ["mobilise", "demobilise"])
def test_foreign_project_is_out_of_reach(as_, gina, tower, name):
    """T40: the added addresses too."""
    client, data = as_(gina), {"last_day": "2030-01-01"}
    assert client.get(address(tower, name)).status_code == 404
    assert client.post(address(tower, name), data).status_code == 404


def test_crew_of_a_foreign_project_is_not_taken(as_, gina, globex, bridge, max_, tower):
    """T39: posted, not offered."""
    answer = as_(gina).post(
        address(bridge, "mobilise"), {"source": tower.pk, "apply": "1"}
    )
    assert "Choose another project." in answer.content.decode()
    assert not bridge.project_memberships.exists()


# What a template is for ------------------------------------------------------------


@pytest.mark.parametrize("holder", ["a grant", "a default"])
def test_template_held_elsewhere_can_not_be_kept_for_a_project(
    as_, ada, acme, max_, holder
):
    """Else somebody would hold on one project what is for another alone."""
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    name = FOREMAN if holder == "a grant" else "Owner/Client – External"
    given = template(acme, name)
    if holder == "a default":
        max_.default_project_template = given
        max_.save()
    page = as_(ada).post(address(given), filled(given) | {"project": annex.pk})
    assert "duplicate it, and keep the copy" in page.content.decode()
    given.refresh_from_db()
    assert given.project is None


def test_list_tells_which_are_held_in_its_own_query(
    as_, ada, max_, acme, django_assert_max_num_queries
):
    foreman = template(acme, FOREMAN)
    for number in range(20):
        foreman.duplicate(f"Foreman {number}", None)
    default = template(acme, "Owner/Client – External")
    acme.memberships.filter(pk=max_.pk).update(default_project_template=default)
    client, listed = as_(ada), reverse("admin:companies_permissiontemplate_changelist")
    with django_assert_max_num_queries(10):
        rows = client.get(listed).context["cl"].result_list
    shown = admin.site.get_model_admin(PermissionTemplate)
    assert {row.name for row in rows if shown.is_held(row)} == {
        "Company Administrator",
        "Member",
        FOREMAN,
        default.name,
    }
