"""May she? The predicate, the querysets and the explanation against a plain model.

The model at the top is the rule as one would say it aloud. Random worlds are built, and
of each person, project and tool all four have to say the same, in both directions.
"""

import os
from datetime import date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from companies.access import Access
from companies.explanations import Explainer
from companies.models import (
    Company,
    Membership,
    PermissionLevel,
    PermissionTemplate,
    Project,
    ProjectMembership,
)
from companies.tools import Level, Scope, permission
from tests.cast import add_member, put_on

WORLDS = int(os.environ.get("ACCESS_WORLDS", 200))
TODAY = date(2026, 5, 4)
TOOLS = ["directory", "rfis", "budget"]


# The rule, in plain Python ----------------------------------------------------


def level(person, project, tool, world):
    """What a person may do with a tool of a project."""
    if not person["is_active"]:
        return 0
    if person["is_operator"]:
        return 3
    company = world["companies"][project["company"]]
    entry = world["entries"].get((project["company"], person["key"]))
    if not (company["is_active"] and project["is_active"]):
        return 0
    if not entry or not entry["is_active"] or not entry["has_joined"]:
        return 0
    if entry["template"].get("directory") == 3:
        return 3
    grant = world["grants"].get((project["key"], person["key"]))
    if not grant or grant["is_suspended"]:
        return 0
    if grant["starts"] is not None and grant["starts"] > 0:
        return 0
    if grant["ends"] is not None and grant["ends"] < 0:
        return 0
    levels = grant["template"]
    return 3 if levels.get("directory") == 3 else levels.get(tool, 0)


def is_visible(person, project, world):
    """Whether the project is there for the person at all."""
    everything = {"directory": 3}
    seen = {
        key: grant | {"template": everything} for key, grant in world["grants"].items()
    }
    return level(person, project, "directory", world | {"grants": seen}) == 3


# Random worlds ----------------------------------------------------------------

# A tool may have no row at all, such as one that came later.
levels = st.fixed_dictionaries(
    {}, optional={tool: st.sampled_from([0, 1, 2, 3]) for tool in TOOLS}
)
mostly = st.sampled_from([True, True, True, False])
rarely = st.sampled_from([False, False, False, True])


@st.composite
def worlds(draw):
    companies = [{"is_active": draw(mostly)} for _ in range(draw(st.integers(1, 2)))]
    projects = [
        {"key": key, "company": draw(st.integers(0, len(companies) - 1))}
        | {"is_active": draw(mostly)}
        for key in range(draw(st.integers(1, 4)))
    ]
    people = [
        {"key": key, "is_active": draw(mostly), "is_operator": draw(rarely)}
        for key in range(draw(st.integers(1, 3)))
    ]
    entries = {
        (company, person["key"]): {
            "is_active": draw(mostly),
            "has_joined": draw(mostly),
            "template": draw(levels),
        }
        for company in range(len(companies))
        for person in people
        if draw(mostly)
    }
    grants = {
        (project["key"], person["key"]): {
            "template": draw(levels),
            "is_suspended": draw(rarely),
            "is_for_one_project": draw(rarely),
            "starts": draw(st.sampled_from([None, -5, -1, 0, 0, 1])),
            "ends": draw(st.sampled_from([None, -1, 0, 0, 1, 5])),
        }
        for project in projects
        for person in people
        if (project["company"], person["key"]) in entries and draw(mostly)
    }
    for grant in grants.values():
        if None not in (grant["starts"], grant["ends"]):
            grant["ends"] = max(grant["ends"], grant["starts"])
    return {
        "companies": companies,
        "projects": projects,
        "people": people,
        "entries": entries,
        "grants": grants,
    }


def day(offset):
    return None if offset is None else TODAY + timedelta(days=offset)


class Built:
    """A world in the database, made with as few statements as there are tables."""

    def __init__(self, world):
        self.world = world
        users = User.objects.bulk_create(
            User(
                email=f"p{person['key']}@w.example",
                is_active=person["is_active"],
                is_superuser=person["is_operator"],
                is_staff=person["is_operator"],
            )
            for person in world["people"]
        )
        self.users = {user.email: user for user in users}
        self.companies = Company.objects.bulk_create(
            Company(name=f"C{key}", slug=f"c{key}", is_active=made["is_active"])
            for key, made in enumerate(world["companies"])
        )
        self.projects = Project.objects.bulk_create(
            Project(
                company=self.companies[made["company"]],
                name=f"P{made['key']}",
                number=f"{made['key']}",
                is_active=made["is_active"],
            )
            for made in world["projects"]
        )
        self.make_templates([*world["entries"].values(), *world["grants"].values()])
        self.entries = dict(
            zip(
                world["entries"],
                Membership.objects.bulk_create(map(self.entry, world["entries"])),
                strict=True,
            )
        )
        ProjectMembership.objects.bulk_create(map(self.grant, world["grants"]))

    def make_templates(self, holders):
        companies = [key[0] for key in self.world["entries"]] + [
            self.world["projects"][project]["company"]
            for project, _ in self.world["grants"]
        ]
        scopes = [Scope.COMPANY] * len(self.world["entries"])
        scopes += [Scope.PROJECT] * len(self.world["grants"])
        bound = [None] * len(self.world["entries"]) + [
            self.projects[project] if made["is_for_one_project"] else None
            for (project, _), made in self.world["grants"].items()
        ]
        self.templates = PermissionTemplate.objects.bulk_create(
            PermissionTemplate(
                company=self.companies[company],
                name=f"T{number}",
                scope=scope,
                project=project,
            )
            for number, (company, scope, project) in enumerate(
                zip(companies, scopes, bound, strict=True)
            )
        )
        PermissionLevel.objects.bulk_create(
            PermissionLevel(template=template, tool=tool, level=level)
            for template, holder in zip(self.templates, holders, strict=True)
            for tool, level in holder["template"].items()
        )

    def user(self, key):
        return self.users[f"p{key}@w.example"]

    def entry(self, key):
        number = list(self.world["entries"]).index(key)
        has_joined = self.world["entries"][key]["has_joined"]
        return Membership(
            company=self.companies[key[0]],
            user=self.user(key[1]) if has_joined else None,
            joined_at=timezone.now() if has_joined else None,
            email=self.user(key[1]).email,
            template=self.templates[number],
            is_active=self.world["entries"][key]["is_active"],
        )

    def grant(self, key):
        number = len(self.entries) + list(self.world["grants"]).index(key)
        made = self.world["grants"][key]
        project = self.projects[key[0]]
        return ProjectMembership(
            company=project.company,
            project=project,
            membership=self.entries[self.world["projects"][key[0]]["company"], key[1]],
            template=self.templates[number],
            starts_on=day(made["starts"]),
            ends_on=day(made["ends"]),
            suspended_at=timezone.now() if made["is_suspended"] else None,
            suspension_reason="insurance ended" if made["is_suspended"] else "",
        )


@pytest.mark.django_db
def test_predicate_querysets_and_explanation_say_what_the_rule_says(time_machine):
    """T35, T44 rest on this: one answer, whoever asks and however."""
    time_machine.move_to(f"{TODAY}T12:00Z", tick=False)

    @settings(
        max_examples=WORLDS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds())
    def agree(world):
        with transaction.atomic():
            built = Built(world)
            for person in world["people"]:
                compare(built, person)
            transaction.set_rollback(True)

    agree()


def compare(built, person):
    """Ask all four about one person, on every project and tool."""
    world = built.world
    user = User.objects.get(pk=built.user(person["key"]).pk)
    projects = [(made, built.projects[made["key"]]) for made in world["projects"]]
    seen = set(Project.objects.visible_to(user))
    for made, project in projects:
        expected = is_visible(person, made, world)
        assert (project in seen) == expected
        assert user.has_perm("companies.view_project", project) == expected
    for tool, at_least in product(TOOLS, [1, 2, 3]):
        found = set(Project.objects.with_level(user, tool, at_least))
        for made, project in projects:
            expected = level(person, made, tool, world) >= at_least
            assert (project in found) == expected
            assert user.has_perm(permission(Level(at_least), tool), project) == expected
    entries = [each for each in built.entries.items() if each[0][1] == person["key"]]
    for (made, project), ((company, _), entry) in product(projects, entries):
        explainer = Explainer.of(entry, project)
        # An entry that nobody has joined with isn't this person's yet; of another
        # company's projects it says nothing, but for operators, who reach them all.
        is_asked = entry.user and (company == made["company"] or person["is_operator"])
        for tool in TOOLS:
            expected = level(person, made, tool, world) if is_asked else 0
            assert explainer.explain(tool).level == expected
    for (company, _), entry in entries:
        if entry.user:
            said = Explainer(entry).explain("directory").level
            for at_least in map(Level, (1, 2, 3)):
                asked = permission(at_least, "directory"), built.companies[company]
                assert user.has_perm(*asked) == (said >= at_least)


# What one asks of it ------------------------------------------------------------


def test_first_question_takes_two_queries_and_later_ones_none(
    max_, tower, django_assert_num_queries
):
    user = User.objects.get(pk=max_.user_id)
    with django_assert_num_queries(2):
        assert user.has_perm("companies.standard_rfis", tower)
    with django_assert_num_queries(0):
        assert not user.has_perm("companies.read_only_budget", tower)
        assert not user.has_perm("companies.admin_directory", tower.company)


def test_of_another_companys_project_an_entry_explains_nothing(ada, bridge):
    """Not even to its administrator, and without a word about the project."""
    summary = Explainer.of(ada, bridge).summary
    assert summary == "No access: the project is of another company."


def test_lowering_counts_at_the_next_request(max_, tower):
    """T35: each request loads its user, and with it the answer."""
    grant = max_.project_memberships.get()
    assert User.objects.get(pk=max_.user_id).has_perm("companies.view_project", tower)
    grant.delete()
    user = User.objects.get(pk=max_.user_id)
    assert not user.has_perm("companies.view_project", tower)


@pytest.mark.parametrize(
    "name",
    [
        "companies.standard_nothing",
        "companies.none_rfis",
        "other.standard_rfis",
        "companies.rfis",
        "standard_rfis",
        "",
    ],
)
def test_unknown_permission_is_nobodys(ada, tower, name):
    assert not ada.user.has_perm(name, tower)


def test_holder_hands_out_what_is_on_the_list_and_not_above(max_, ada, tower):
    """T44: both hold, the list and the own level; administrators may give all."""
    company = tower.company
    named = {
        template.name: template
        for template in PermissionTemplate.objects.filter(company=company)
    }
    access = Access.load(max_.user, company.pk)
    subcontractor = named["Subcontractor – External"]
    assert access.may_hand_out(subcontractor, tower)
    assert not access.may_hand_out(named["Owner/Client – External"], tower)
    subcontractor.set_levels({"budget": Level.READ_ONLY}, None)
    access = Access.load(max_.user, company.pk)
    assert not access.may_hand_out(subcontractor, tower)
    assert Access.load(ada.user, company.pk).may_hand_out(subcontractor, tower)


@pytest.mark.parametrize(
    ("moment", "is_in"),
    [
        ("2026-05-03T23:59:59", False),
        ("2026-05-04T00:00:00", True),
        ("2026-05-05T23:59:59", True),
        ("2026-05-06T00:00:00", False),
    ],
)
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_days_begin_and_end_at_midnight_of_the_site(
    acme, tower, settings, time_machine, zone, moment, is_in
):
    """Of TIME_ZONE, not of UTC: for all three."""
    settings.TIME_ZONE = zone
    entry = add_member(acme, "day@acme.example")
    put_on(entry, tower, starts_on=date(2026, 5, 4), ends_on=date(2026, 5, 5))
    at = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    time_machine.move_to(at, tick=False)
    user = User.objects.get(pk=entry.user_id)
    assert user.has_perm("companies.view_project", tower) == is_in
    assert Project.objects.visible_to(user).filter(pk=tower.pk).exists() == is_in
    found = Project.objects.with_level(user, "rfis", Level.STANDARD)
    assert (tower in found) == is_in
    assert Explainer.of(entry, tower).is_open == is_in
