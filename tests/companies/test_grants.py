"""Grants: given, suspended, lifted, ended, and carried to another project."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.explanations import Explainer
from companies.models import PermissionTemplate, Project, ProjectMembership
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
    with pytest.raises(ValidationError, match="for another project"):
        ProjectMembership.objects.grant([(ada, tower, given)], ada.user)


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


def test_nobody_hands_out_more_than_they_may(cora, acme, tower):
    """T44: on the giver's list, and not above their own level, also in bulk."""
    entry = add_member(acme, "new@acme.example")
    subcontractor, owner = (
        template(acme, name) for name in (SUBCONTRACTOR, "Owner/Client – External")
    )
    with pytest.raises(ValidationError, match="may not hand out Owner"):
        ProjectMembership.objects.grant([(entry, tower, owner)], cora.user)
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    with pytest.raises(ValidationError, match="may not hand out"):
        ProjectMembership.objects.grant([(entry, annex, subcontractor)], cora.user)
    ProjectMembership.objects.grant([(entry, tower, subcontractor)], cora.user)
    assert reaches(entry, tower)


def test_a_crew_stands_in_the_order_of_the_directory(acme, tower):
    for name in ("Weber", "Abara", "Novak"):
        put_on(add_entry(acme, f"{name.lower()}@x.example", last_name=name), tower)
    names = [grant.membership.last_name for grant in tower.crew()]
    assert names == ["Abara", "Novak", "Weber"]
