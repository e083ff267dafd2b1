"""What `user.has_perm` keeps between the questions of a request, and what not."""

import pickle

from accounts.models import User
from companies.models import Membership, Project, ProjectMembership
from companies.tools import COORDINATOR, PROJECT_MANAGER, SUBCONTRACTOR
from tests.cast import template


def test_what_is_kept_is_asked_of_the_row_as_it_is(max_, acme, tower):
    """T44: no answer of before stands for a row that has changed since."""
    user = User.objects.get(pk=max_.user_id)
    assert user.has_perm("companies.view_project", tower)
    tower.is_active = False
    assert not user.has_perm("companies.view_project", tower)
    Membership.objects.change_template(template(acme, COORDINATOR), None)
    user = User.objects.get(pk=max_.user_id)
    grant = ProjectMembership(
        company=acme, project=Project.objects.get(), membership=max_
    )
    for name, may in ((SUBCONTRACTOR, True), (PROJECT_MANAGER, False)):
        grant.template = template(acme, name)
        assert user.has_perm("companies.add_projectmembership", grant) == may


def test_a_user_who_was_asked_about_can_be_pickled(max_, tower):
    """T35: what was found out doesn't come along."""
    user = User.objects.get(pk=max_.user_id)
    assert user.has_perm("companies.view_project", tower) and user.is_proven
    max_.project_memberships.all().delete()
    copy = pickle.loads(pickle.dumps(user))  # noqa: S301 (our own)
    assert copy == user
    assert not copy.has_perm("companies.view_project", tower)


def test_one_project_after_the_other_takes_no_query(
    max_, ada, acme, tower, django_assert_num_queries
):
    projects = Project.objects.bulk_create(
        Project(company=acme, name=f"Lot {n}", number=f"L{n}") for n in range(20)
    )
    held = max_.project_memberships.get().template
    ProjectMembership.objects.grant([(max_, each, held) for each in projects[:9]], None)
    for entry, count in ((max_, 9), (ada, 20)):
        user = User.objects.get(pk=entry.user_id)
        user.has_perm("companies.standard_rfis", tower)
        with django_assert_num_queries(0):
            answers = [user.has_perm("companies.standard_rfis", p) for p in projects]
        assert answers == [True] * count + [False] * (20 - count)
