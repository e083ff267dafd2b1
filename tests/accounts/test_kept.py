"""What is kept with a person while a request is answered (T35)."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User


def test_user_loaded_again_forgets_the_answers(max_, tower):
    user = User.objects.get(pk=max_.user_id)
    assert user.has_perm("companies.view_project", tower)
    max_.is_active = False
    max_.save()
    user.refresh_from_db()
    assert not user.has_perm("companies.view_project", tower)


def test_grants_are_loaded_once_a_request(as_, max_, tower):
    """`request.user` is a wrapper around the User, and both are asked."""
    client = as_(max_)
    with CaptureQueriesContext(connection) as queries:
        client.get(tower.get_absolute_url())
    asked = [q for q in queries if q["sql"].startswith('SELECT "companies_permissionl')]
    assert len(asked) == 1
