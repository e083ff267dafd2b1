"""Many entries at once: another template, switched off, switched on again."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from companies.models import Membership, Project, ProjectMembership
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER
from invitations.models import Invitation
from tests.cast import add_entry, add_member, put_on, template

Kind = AuditEvent.Kind
ONLY = (
    "This is the company's only administrator. Make somebody else an administrator "
    "first."
)


def of(*entries):
    return Membership.objects.filter(pk__in=[entry.pk for entry in entries])


def reasons(outcome):
    return {str(entry): sentence for entry, sentence in outcome.refused}


def events(kind):
    return AuditEvent.objects.filter(kind=kind)


@pytest.fixture
def lena(acme):
    return add_member(acme, "lena@acme.example", template=COMPANY_ADMINISTRATOR)


def test_a_template_is_given_to_many(acme, ada, max_, ivo):
    given = template(acme, COMPANY_ADMINISTRATOR)
    outcome = of(ada, max_, ivo.membership).change_template(given, ada.user)
    assert set(outcome.done) == {max_, ivo.membership}
    assert reasons(outcome) == {"Ada Lindqvist": "Has this template already."}
    assert set(of(ada, max_).values_list("template", flat=True)) == {given.pk}
    event = events(Kind.TEMPLATE_CHANGED).get(about_id=max_.pk)
    assert (event.actor, event.company) == (ada.user, acme)
    assert event.facts == {"before": MEMBER, "after": COMPANY_ADMINISTRATOR}


def test_a_template_of_another_company_is_given_to_nobody(globex, ada, max_, olga):
    """T39, T41."""
    outcome = of(max_).change_template(template(globex, MEMBER), olga)
    sentence = "Belongs to another company than the template."
    assert reasons(outcome) == {"Max Weber": sentence}


VERBS = {
    "template": lambda rows, by: rows.change_template(
        template(rows[0].company, "Member"), by
    ),
    "deactivate": lambda rows, by: rows.deactivate(by),
}


@pytest.mark.parametrize("verb", VERBS)
def test_the_last_administrator_stays_and_the_others_are_done(ada, lena, max_, verb):
    """T44: whoever is doing it stays."""
    admins = template(ada.company, COMPANY_ADMINISTRATOR)
    of(max_).update(template=admins)
    rows = of(ada, lena, max_)
    outcome = VERBS[verb](rows, lena.user)
    assert reasons(outcome) == {str(lena): ONLY}
    assert set(outcome.done) == {ada, max_}
    assert list(Membership.objects.keepers()) == [lena]


@pytest.mark.parametrize("verb", VERBS)
def test_all_administrators_may_go_but_one_who_stays_outside(ada, lena, verb):
    assert VERBS[verb](of(ada), lena.user).done == [ada]
    assert reasons(VERBS[verb](of(lena), None)) == {str(lena): ONLY}


def test_a_template_that_makes_administrators_demotes_nobody(acme, ada):
    given = template(acme, COMPANY_ADMINISTRATOR)
    copy = type(given).objects.create(company=acme, name="Boss", scope="company")
    for level in given.levels.all():
        copy.levels.create(tool=level.tool, level=level.level)
    assert of(ada).change_template(copy, ada.user).done == [ada]


def test_only_administrators_of_the_company_may(ada, max_, gina, ivo):
    """T41, T44: neither a member, nor somebody else's administrator."""
    rows = of(ivo.membership)
    before = rows.values().get()
    for by in (max_.user, gina.user):
        for outcome in (
            rows.change_template(template(ada.company, COMPANY_ADMINISTRATOR), by),
            rows.deactivate(by),
            rows.reactivate(by, with_projects=True),
        ):
            sentence = "Only an administrator of the company may do that."
            assert reasons(outcome) == {"Ivo Novak": sentence}
    assert rows.values().get() == before


def test_who_is_deactivated_is_out_and_keeps_the_projects(ada, max_, tower):
    outcome = of(max_).deactivate(ada.user)
    assert outcome.done == [max_]
    assert not Project.objects.visible_to(max_.user)
    assert max_.project_memberships.in_force().count() == 1
    assert reasons(of(max_).deactivate(ada.user)) == {
        "Max Weber": "Is inactive already."
    }
    event = events(Kind.ENTRY_DEACTIVATED).get()
    assert (event.about_label, event.actor) == ("Max Weber", ada.user)


def test_reactivated_with_projects_all_is_as_before(ada, max_, tower):
    of(max_).deactivate(ada.user)
    assert of(max_).reactivate(ada.user, with_projects=True).done == [max_]
    assert list(Project.objects.visible_to(max_.user)) == [tower]
    assert events(Kind.ENTRY_REACTIVATED).get().facts == {"projects": "as before"}
    assert reasons(of(max_).reactivate(ada.user, with_projects=False)) == {
        "Max Weber": "Is active already."
    }
    assert list(Project.objects.visible_to(max_.user)) == [tower]


def test_reactivated_without_projects_they_ended_yesterday(ada, max_, acme):
    """What is over stays as it was; what would begin later never does (see `end`)."""
    today = timezone.localdate()
    over, later = (
        Project.objects.create(company=acme, name=name, number=name)
        for name in ("Over", "Later")
    )
    put_on(max_, over, ends_on=date(2020, 1, 1))
    put_on(max_, later, starts_on=today + timedelta(days=9))
    of(max_).deactivate(ada.user)
    of(max_).reactivate(ada.user, with_projects=False)
    assert not Project.objects.visible_to(max_.user)
    ends = dict(max_.project_memberships.values_list("project__name", "ends_on"))
    yesterday = today - timedelta(days=1)
    assert ends == {
        "Over": date(2020, 1, 1),
        "Harbour Tower": yesterday,
        "Later": yesterday,
    }
    max_.project_memberships.lift(ada.user)
    assert not max_.project_memberships.not_over(today)
    ended = events(Kind.GRANT_ENDED).values_list("about_label", flat=True)
    assert list(ended) == ["Max Weber", "Max Weber"]


def test_reactivating_revives_no_revoked_invitation(ada, ivo):
    Invitation.objects.filter(pk=ivo.pk).revoke(ada.user)
    of(ivo.membership).deactivate(ada.user)
    of(ivo.membership).reactivate(ada.user, with_projects=True)
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.REVOKED
    assert not ivo.is_open(ivo.version)


REACTIVATE = "reactivate"
ALL_VERBS = VERBS | {
    REACTIVATE: lambda rows, by: rows.reactivate(by, with_projects=False)
}


@pytest.mark.parametrize("name", ALL_VERBS)
def test_a_hundred_cost_as_many_queries_as_ten(acme, ada, tower, name):
    entries = [
        add_entry(acme, f"p{n}@acme.example", template=COMPANY_ADMINISTRATOR)
        for n in range(110)
    ]
    for entry in entries:
        put_on(entry, tower)
    of(*entries).update(is_active=name != REACTIVATE)
    ada.user.has_perm("companies.administer_company", acme)  # asked once a request
    counts = []
    for some in (entries[:10], entries[10:]):
        rows = of(*some)
        with CaptureQueriesContext(connection) as queries:
            assert len(ALL_VERBS[name](rows, ada.user).done) == len(some)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 25
    assert ProjectMembership.objects.count() == 110
