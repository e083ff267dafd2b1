"""Templates: what ships, what a change reaches, what can't be done to them."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db.models import ProtectedError
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from companies import tools
from companies.access import Access
from companies.models import Company, PermissionTemplate, Project
from companies.models.templates import effective
from companies.tools import MEMBER, CompanyKind, Level, Scope, Tool
from tests.cast import FOREMAN, add_member, put_on, template


@pytest.mark.parametrize("kind", CompanyKind.values)
def test_each_kind_of_company_begins_with_its_set(terms, kind):
    company = Company.objects.create(name="New", kind=kind)
    shipped = company.permissiontemplates.all()
    assert {each.scope for each in shipped} == {Scope.COMPANY, Scope.PROJECT}
    assert shipped.filter(is_shipped=True).count() == len(tools.SHIPPED[kind])
    for each in shipped:
        assert set(each.level_of()) == set(tools.TOOLS[each.scope])


def test_general_contractor_begins_with_the_five_of_a_project(acme):
    """With the levels that each of them lives by."""
    everybody = {
        name: template(acme, name).level_of()
        for name in (
            "Project Manager – Internal",
            FOREMAN,
            "Architect/Engineer – External",
            "Owner/Client – External",
            "Subcontractor – External",
        )
    }
    shipped = acme.permissiontemplates.filter(scope=Scope.PROJECT)
    assert set(shipped.values_list("name", flat=True)) == set(everybody)
    essential = ("directory", "rfis", "daily_log", "budget", "incidents")
    assert {
        name: [levels[tool] for tool in essential] for name, levels in everybody.items()
    } == {
        "Project Manager – Internal": [3, 3, 3, 3, 3],
        FOREMAN: [1, 2, 2, 0, 2],
        "Architect/Engineer – External": [1, 2, 1, 0, 0],
        "Owner/Client – External": [1, 1, 1, 1, 1],
        "Subcontractor – External": [1, 2, 2, 0, 0],
    }


def test_shipped_template_is_edited_but_not_deleted(acme):
    with pytest.raises(ValidationError, match="not deleted"):
        template(acme, "Owner/Client – External").delete()


def test_template_in_use_is_not_deleted(acme, ada, max_, tower):
    copy = template(acme, FOREMAN).duplicate("Night foreman", ada.user)
    max_.project_memberships.update(template=copy)
    with pytest.raises(ProtectedError):
        copy.delete()


@pytest.mark.parametrize("field", ["template", "default_project_template"])
def test_template_of_an_entry_is_not_deleted(as_, acme, ada, max_, field):
    """The company template, and the default one, by the model and by the admin."""
    name = MEMBER if field == "template" else FOREMAN
    copy = template(acme, name).duplicate("Copy", ada.user)
    acme.memberships.filter(pk=max_.pk).update(**{field: copy})
    with pytest.raises(ProtectedError):
        copy.delete()
    path = reverse("admin:companies_permissiontemplate_delete", args=[copy.pk])
    client = as_(ada)
    assert "Cannot delete permission template" in client.get(path).text
    client.post(path, {"post": "yes"})
    assert PermissionTemplate.objects.filter(pk=copy.pk).exists()


def test_duplicate_has_the_same_levels_and_list(acme, ada):
    original = template(acme, FOREMAN)
    copy = original.duplicate("Night foreman", ada.user)
    assert copy.level_of() == original.level_of()
    assert list(copy.hands_out.all()) == list(original.hands_out.all())
    assert not copy.is_shipped


def test_name_is_unique_in_the_company_whatever_the_case(acme, ada, globex):
    with pytest.raises(ValidationError, match="Another template"):
        template(acme, FOREMAN).duplicate(FOREMAN.upper(), ada.user)


def test_change_says_whom_it_reaches_before_it_does(acme, ada, max_, tower):
    """Administrators are not counted: no project template limits them."""
    put_on(ada, tower)
    foreman = template(acme, FOREMAN)
    [change] = foreman.reach({"rfis": Level.NONE})
    assert str(change) == "1 person on 1 project loses RFIs: Standard → None"
    put_on(add_member(acme, "second@acme.example"), tower)
    assert "2 people on 1 project get Budget" in str(
        foreman.reach({"budget": Level.STANDARD})[0]
    )
    assert foreman.reach(foreman.level_of()) == []


def test_change_reaches_nobody_on_a_project_that_is_not_active(acme, max_, tower):
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    put_on(max_, annex)
    foreman = template(acme, FOREMAN)
    assert foreman.holders() == (1, 2)
    Project.objects.filter(pk=annex.pk).update(is_active=False)
    assert foreman.holders() == (1, 1)


def test_admin_on_directory_reaches_all_tools(acme, max_):
    changes = template(acme, FOREMAN).reach({"directory": Level.ADMIN})
    assert {change.after for change in changes} == {Level.ADMIN}
    assert len(changes) == len(tools.TOOLS[Scope.PROJECT])


def test_change_counts_at_the_next_request_and_is_kept_as_history(
    acme, ada, max_, tower
):
    foreman = template(acme, FOREMAN)
    foreman.set_levels({"rfis": Level.NONE}, ada.user)
    user = User.objects.get(pk=max_.user_id)
    assert not user.has_perm("companies.read_only_rfis", tower)
    event = AuditEvent.objects.get(kind=AuditEvent.Kind.LEVELS_CHANGED)
    assert event.facts == {"RFIs": "Standard → None"}
    assert event.actor == ada.user


def test_history_of_the_list_says_what_was_taken_away(acme, ada):
    foreman, owner = template(acme, FOREMAN), template(acme, "Owner/Client – External")
    foreman.set_hands_out([owner], ada.user)
    foreman.set_hands_out([], ada.user)
    events = AuditEvent.objects.filter(kind=AuditEvent.Kind.LEVELS_CHANGED)
    assert [event.facts["may hand out"] for event in events.order_by("pk")] == [
        "Subcontractor – External → Owner/Client – External",
        "Owner/Client – External → nothing",
    ]


def test_company_keeps_an_administrator(acme, ada):
    administrators = template(acme, "Company Administrator")
    with pytest.raises(ValidationError, match="no administrator"):
        administrators.set_levels({"directory": Level.STANDARD}, ada.user)
    assert template(acme, "Company Administrator").level_of()["directory"] == 3


@pytest.fixture
def cranes(monkeypatch):
    monkeypatch.setitem(tools.TOOLS, Scope.PROJECT, dict(tools.TOOLS[Scope.PROJECT]))
    tools.register(Scope.PROJECT, Tool("cranes", "Cranes", "cranes"))


def test_further_app_brings_its_own_tool(acme, max_, ada, tower, cranes):
    """The way that docs/permissions.md describes."""
    user = User.objects.get(pk=max_.user_id)
    assert not user.has_perm("cranes.read_only_cranes", tower)
    template(acme, FOREMAN).set_levels({"cranes": Level.STANDARD}, ada.user)
    user = User.objects.get(pk=max_.user_id)
    assert user.has_perm("cranes.standard_cranes", tower)
    assert not user.has_perm("companies.standard_cranes", tower)
    for key in ("cranes", "c" * (tools.KEY_LENGTH + 1), "tower-cranes"):
        with pytest.raises(ValueError, match="can't be registered"):
            tools.register(Scope.PROJECT, Tool(key, "Cranes"))


def test_further_tool_is_at_none_in_a_later_company_too(terms, cranes):
    """No outside firm has it unasked, and Admin on Directory is Admin on all."""
    company = Company.objects.create(name="Later")
    held = {
        each.name: effective(each.level_of())["cranes"]
        for each in company.permissiontemplates.filter(scope=Scope.PROJECT)
    }
    assert held.pop("Project Manager – Internal") == Level.ADMIN
    assert set(held.values()) == {Level.NONE}


def test_levels_of_a_removed_app_decide_nothing(acme, max_, tower, monkeypatch, cranes):
    """Max has none on it: else he could hand out nothing, and nobody see why."""
    subcontractor = template(acme, "Subcontractor – External")
    subcontractor.set_levels({"cranes": Level.READ_ONLY}, None)
    assert not Access.load(max_.user, acme.pk).may_hand_out(subcontractor, tower)
    monkeypatch.delitem(tools.TOOLS[Scope.PROJECT], "cranes")
    assert Access.load(max_.user, acme.pk).may_hand_out(subcontractor, tower)
    call_command("check_invariants")


def test_company_template_is_not_counted_by_projects(acme, max_):
    [change] = template(acme, MEMBER).reach({"reports": Level.READ_ONLY})
    assert str(change) == "1 person gets Reports: None → Read Only"
    assert PermissionTemplate.objects.filter(company=acme).count() > 1


@pytest.mark.parametrize(
    ("name", "level", "sentence"),
    [
        (MEMBER, Level.ADMIN, "1 person gets Admin on all tools of all projects"),
        (
            "Company Administrator",
            Level.STANDARD,
            "1 person loses Admin on all tools of all projects",
        ),
        (MEMBER, Level.STANDARD, None),
        (FOREMAN, Level.ADMIN, None),
    ],
)
def test_change_of_administering_says_what_it_means_for_the_projects(
    acme, ada, max_, name, level, sentence
):
    """The company's Directory opens all projects; said once, beside the tools."""
    said = [str(each) for each in template(acme, name).reach({"directory": level})]
    of_projects = [each for each in said if "all projects" in each]
    assert of_projects == ([sentence] if sentence else [])
