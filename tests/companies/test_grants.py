"""Grants: given, suspended, lifted, ended, and carried to another project."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.explanations import Explainer
from companies.models import (
    Membership,
    PermissionTemplate,
    Project,
    ProjectMembership,
)
from companies.models.grants import GrantState
from tests.cast import FOREMAN, add_entry, add_member, put_on, template

SUBCONTRACTOR = "Subcontractor – External"


def reaches(entry, project):
    user = User.objects.get(pk=entry.user_id)
    return user.has_perm("companies.view_project", project)


def kinds(entry):
    events = AuditEvent.objects.filter(about_model="companies.membership")
    return set(events.filter(about_id=entry.pk).values_list("kind", flat=True))


@pytest.fixture
def annex(acme):
    return Project.objects.create(company=acme, name="Annex", number="24-018")


@pytest.fixture
def today():
    return timezone.localdate()


def test_granting_in_bulk_leaves_who_is_there_as_they_are(
    max_, ada, acme, tower, annex
):
    given = template(acme, SUBCONTRACTOR)
    pairs = [(max_, tower, given), (max_, annex, given)]
    granting = ProjectMembership.objects.grant(pairs, ada.user)
    assert [grant.project for grant in granting.made] == [annex]
    assert [grant.project for grant in granting.there] == [tower]
    assert max_.project_memberships.get(project=tower).template.name == FOREMAN
    assert AuditEvent.Kind.GRANTED in kinds(max_)


def test_template_of_one_project_is_refused_on_another(max_, ada, acme, tower, annex):
    given = template(acme, SUBCONTRACTOR).duplicate("Annex only", ada.user)
    PermissionTemplate.objects.filter(pk=given.pk).update(project=annex)
    given.refresh_from_db()
    [(_, why)] = ProjectMembership.objects.grant(
        [(ada, tower, given)], ada.user
    ).refused
    assert "for another project" in why


@pytest.mark.parametrize(
    ("first", "last", "is_in"),
    [(0, 0, True), (1, None, False), (None, -1, False), (-3, 3, True)],
)
def test_first_and_last_day_are_included(acme, tower, today, first, last, is_in):
    entry = add_member(acme, "day@acme.example")
    days = {
        name: None if offset is None else today + timedelta(days=offset)
        for name, offset in (("starts_on", first), ("ends_on", last))
    }
    put_on(entry, tower, **days)
    assert reaches(entry, tower) == is_in


def test_suspension_shuts_out_says_why_and_is_lifted(max_, ada, tower):
    grants = ProjectMembership.objects.filter(membership=max_)
    assert grants.suspend("insurance ended", ada.user) == 1
    assert not reaches(max_, tower)
    explanation = Explainer.of(max_, tower).explain("rfis")
    assert "suspended since" in explanation.reason
    assert "insurance ended" in explanation.reason
    assert grants.lift(ada.user) == 1
    assert reaches(max_, tower)
    assert {AuditEvent.Kind.GRANT_SUSPENDED, AuditEvent.Kind.GRANT_LIFTED} <= kinds(
        max_
    )


def test_suspension_needs_a_reason(max_, ada):
    with pytest.raises(ValidationError, match="Say why"):
        ProjectMembership.objects.all().suspend("  ", ada.user)


def test_demobilising_ends_everybody_and_keeps_their_place(
    max_, ada, acme, tower, today
):
    future = add_member(acme, "later@acme.example")
    put_on(future, tower, starts_on=today + timedelta(days=5))
    assert tower.demobilise(today, ada.user) == 2
    grant = max_.project_memberships.get()
    assert grant.ends_on == today
    assert reaches(max_, tower)
    assert not tower.project_memberships.in_force(today + timedelta(days=6)).exists()
    assert (
        acme.memberships.filter(pk__in=[max_.pk, future.pk], is_active=True).count()
        == 2
    )


def test_mobilising_carries_the_crew_over(max_, ada, acme, tower, annex):
    bound = template(acme, SUBCONTRACTOR).duplicate("Tower only", ada.user)
    PermissionTemplate.objects.filter(pk=bound.pk).update(project=tower)
    left = add_member(acme, "left@acme.example")
    kept = add_member(
        acme,
        "kept@acme.example",
        default_project_template=template(acme, SUBCONTRACTOR),
    )
    put_on(left, tower, "Tower only")
    put_on(kept, tower, "Tower only")
    granting = annex.mobilise(tower, ada.user)
    carried = {grant.membership: grant.template.name for grant in granting.made}
    assert carried == {max_: FOREMAN, kept: SUBCONTRACTOR}
    assert annex.mobilise(tower, ada.user).made == []


def difference(project, source):
    return {
        heading.partition(":")[2].strip() or heading.split()[0]: {
            str(grant.membership): grant.template.name for grant in grants
        }
        for heading, grants in project.crew_difference(source)
        if grants
    }


def test_everybody_of_a_crew_stands_in_the_difference(acme, tower, annex, today):
    """Also who stays behind, and why; and with the template that they would get."""
    bound = template(acme, SUBCONTRACTOR).duplicate("Tower only", None)
    PermissionTemplate.objects.filter(pk=bound.pk).update(project=tower)
    default = {"default_project_template": template(acme, SUBCONTRACTOR)}
    people = {
        name: add_entry(acme, f"{name}@x.example", **more)
        for name, more in {
            "kept": default,
            "bound": {},
            "suspended": {},
            "inactive": {"is_active": False},
            "there": {},
            "over": {},
        }.items()
    }
    for name, entry in people.items():
        put_on(entry, tower, "Tower only" if name in ("kept", "bound") else FOREMAN)
    tower.project_memberships.filter(membership=people["suspended"]).suspend("x", None)
    put_on(people["there"], annex, SUBCONTRACTOR, starts_on=today + timedelta(days=9))
    put_on(people["over"], annex, SUBCONTRACTOR, ends_on=today - timedelta(days=1))
    assert difference(annex, tower) == {
        "Would": {"kept@x.example": SUBCONTRACTOR, "over@x.example": FOREMAN},
        "Are": {"there@x.example": FOREMAN},
        "their template is for that project alone": {"bound@x.example": "Tower only"},
        "suspended or not active": {
            "suspended@x.example": FOREMAN,
            "inactive@x.example": FOREMAN,
        },
    }
    made = {
        str(grant.membership): grant.template.name
        for grant in annex.mobilise(tower, None).made
    }
    assert made == {"kept@x.example": SUBCONTRACTOR, "over@x.example": FOREMAN}


def test_nobody_hands_out_more_than_they_may(cora, acme, tower, annex):
    """T44: on the giver's list, and not above their own level, also in bulk."""
    entry = add_member(acme, "new@acme.example")
    subcontractor, owner = (
        template(acme, name) for name in (SUBCONTRACTOR, "Owner/Client – External")
    )
    pairs = [
        (entry, tower, owner),
        (entry, annex, subcontractor),
        (entry, tower, subcontractor),
    ]
    granting = ProjectMembership.objects.grant(pairs, cora.user)
    assert granting.refused == [
        (entry, f"You may not hand out {owner} on 24-017 Harbour Tower."),
        (entry, f"You may not hand out {subcontractor} on 24-018 Annex."),
    ]
    assert reaches(entry, tower)
    assert not reaches(entry, annex)


def test_each_is_refused_for_themselves(ada, acme, tower):
    """Whom something speaks against stands in nobody's way, and is named."""
    given = template(acme, FOREMAN)
    gone, comes = (add_member(acme, f"{name}@acme.example") for name in ("gone", "new"))
    Membership.objects.filter(pk=gone.pk).deactivate(ada.user)
    pairs = [
        (each, tower, given)
        for each in Membership.objects.filter(pk__in=[gone.pk, comes.pk])
    ]
    granting = ProjectMembership.objects.grant(pairs, ada.user)
    assert [grant.membership for grant in granting.made] == [comes]
    assert granting.refused == [(gone, "Is deactivated: reactivate them first.")]


def test_whose_days_are_over_begins_anew(ada, max_, acme, tower, today):
    """A crew that comes back; who is suspended stays so, and that is said."""
    subcontractor = template(acme, SUBCONTRACTOR)
    max_.project_memberships.end(today - timedelta(days=3), ada.user)
    assert not reaches(max_, tower)
    until = today + timedelta(days=9)
    again = [(max_, tower, subcontractor)]
    ProjectMembership.objects.grant(again, ada.user, ends_on=until)
    assert reaches(max_, tower)
    grant = max_.project_memberships.get()
    assert (grant.template, grant.ends_on) == (subcontractor, until)
    max_.project_memberships.suspend("insurance ended", ada.user)
    [(_, why)] = ProjectMembership.objects.grant(again, ada.user).not_made
    assert why == (
        "Is on this project already, and stays as they are "
        "(Suspended: insurance ended)."
    )


@pytest.mark.parametrize("last", [-9, -1, 0, 3])
def test_who_was_ended_before_the_first_day_is_let_in_on_none(
    ada, acme, tower, today, last
):
    """Not on the last day of the others either; and may come back."""
    entry = add_member(acme, "later@acme.example")
    put_on(entry, tower, starts_on=today + timedelta(5))
    assert tower.demobilise(today + timedelta(last), ada.user) == 1
    for offset in range(10):
        assert not tower.project_memberships.in_force(today + timedelta(offset))
    [grant] = entry.project_memberships.all()
    assert grant.state_on(today) == GrantState.OVER
    assert grant.ends_on == today + timedelta(min(last, -1))
    again = [(entry, tower, template(acme, SUBCONTRACTOR))]
    assert ProjectMembership.objects.grant(again, ada.user).made
    assert reaches(entry, tower)


def test_a_crew_that_was_ended_before_its_first_day_is_brought_again(
    max_, ada, acme, tower, annex, today
):
    put_on(max_, annex, starts_on=today + timedelta(30))
    annex.demobilise(today, ada.user)
    assert difference(annex, tower) == {"Would": {"Max Weber": FOREMAN}}
    assert annex.mobilise(tower, ada.user).made
    assert reaches(max_, annex)


def test_who_comes_back_by_reactivating_without_projects_can_be_put_on_them(
    max_, ada, acme, annex, today
):
    """The same for a person: what would have begun is over."""
    put_on(max_, annex, starts_on=today + timedelta(30))
    chosen = Membership.objects.filter(pk=max_.pk)
    chosen.deactivate(ada.user)
    chosen.reactivate(ada.user, with_projects=False)
    again = [(max_, annex, template(acme, FOREMAN))]
    assert ProjectMembership.objects.grant(again, ada.user).made
    assert reaches(max_, annex)


def test_somebody_named_twice_is_put_on_a_project_once(ada, acme, tower):
    entry = add_member(acme, "new@acme.example")
    pairs = [(entry, tower, template(acme, name)) for name in (FOREMAN, SUBCONTRACTOR)]
    granting = ProjectMembership.objects.grant(pairs, ada.user)
    assert granting.there == granting.made == [entry.project_memberships.get()]
    assert granting.made[0].template.name == FOREMAN


def test_nobody_gives_on_a_project_that_is_not_active(cora, acme, tower):
    """T44: there nobody but an administrator has a level of their own."""
    entry = add_member(acme, "new@acme.example")
    Project.objects.update(is_active=False)
    pairs = [(entry, Project.objects.get(), template(acme, SUBCONTRACTOR))]
    assert ProjectMembership.objects.grant(pairs, cora.user).refused
    assert not entry.project_memberships.exists()


def test_a_crew_stands_in_the_order_of_the_directory(acme, tower):
    for name in ("Weber", "Abara", "Novak"):
        put_on(add_entry(acme, f"{name.lower()}@x.example", last_name=name), tower)
    names = [grant.membership.last_name for grant in tower.crew()]
    assert names == ["Abara", "Novak", "Weber"]
