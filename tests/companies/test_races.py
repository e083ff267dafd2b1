"""What administrators do at the same moment, with real threads on both engines."""

from functools import partial

from django.core.exceptions import ValidationError

from companies.models import Company, Membership, Project, ProjectMembership
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER
from invitations.models import Invitation
from tests.cast import FOREMAN, add_entry, add_member, template
from tests.invitations.test_races import race

ROUNDS = 10


def test_same_people_put_on_a_project_twice_at_once(transactional_db, acme, ada, tower):
    """One puts them there; the others find them there, and nobody an error page."""
    given = template(acme, FOREMAN)
    for number in range(ROUNDS):
        pairs = [
            (add_entry(acme, f"p{number}-{letter}@x.example"), tower, given)
            for letter in "abc"
        ]
        put = partial(ProjectMembership.objects.grant, pairs, ada.user)
        made = [len(granting.made) for granting in race(*[put] * 4)]
        assert sorted(made) == [0, 0, 0, 3]


def test_two_administrators_do_not_demote_each_other_at_once(
    transactional_db, acme, ada
):
    """A company keeps one, by whichever door the other one leaves."""
    other = add_member(acme, "bo@acme.example", template=COMPANY_ADMINISTRATOR)
    night = template(acme, COMPANY_ADMINISTRATOR).duplicate("Night", None)
    day = template(acme, COMPANY_ADMINISTRATOR)
    member = template(acme, MEMBER)

    def demote():
        entry = Membership.objects.get(pk=ada.pk)
        entry.template = member
        return saved(entry.save)

    def lower():
        return saved(partial(night.set_levels, {"directory": 0}, None))

    for _ in range(ROUNDS):
        Membership.objects.filter(pk=ada.pk).update(template=day)
        Membership.objects.filter(pk=other.pk).update(template=night)
        night.set_levels({"directory": 3}, None)
        assert sorted(race(demote, lower)) == [False, True]
        assert Membership.objects.administrators().filter(company=acme).count() == 1


def saved(write):
    try:
        write()
    except ValidationError:
        return False
    return True


def test_two_companies_are_held_in_one_order(transactional_db, acme, globex, olga):
    """Whoever works in both at once waits for the other, and never both for each."""
    Company.objects.filter(pk=acme.pk).update(name="Zenith")  # last by name, first made
    entries = [add_entry(each, "kim@x.example") for each in (acme, globex)]
    projects = [
        Project.objects.create(company=each, name="Quay", number="1")
        for each in (acme, globex)
    ]
    pairs = [
        (entry, project, template(project.company, FOREMAN))
        for entry, project in zip(entries, projects, strict=True)
    ]
    people = Membership.objects.filter(pk__in=[entry.pk for entry in entries])
    for _ in range(ROUNDS):
        ProjectMembership.objects.all().delete()
        people.update(is_active=True)
        race(
            partial(ProjectMembership.objects.grant, reversed(pairs), olga),
            partial(people.deactivate, olga),
            partial(Invitation.objects.extend, people, olga, days=9),
        )
        assert not people.filter(is_active=True).exists()
