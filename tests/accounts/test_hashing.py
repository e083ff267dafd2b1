"""How passwords are hashed: Argon2id, and older hashes renewed at log-in."""

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

from accounts.hashers import Argon2idHasher
from accounts.models import User
from tests.cast import PASSWORD
from tests.steps import is_logged_in, log_in

pytestmark = pytest.mark.usefixtures("argon2")


class OtherParameters(Argon2idHasher):
    time_cost = 1


def test_a_password_costs_19_mib_and_two_passes(ada):
    """Issue 2, item 3."""
    assert ada.user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    "hasher", [OtherParameters(), Argon2PasswordHasher(), PBKDF2PasswordHasher()]
)
def test_an_older_hash_verifies_and_is_renewed_at_log_in(client, ada, hasher):
    """Issue 2, item 3."""
    older = hasher.encode(PASSWORD, "a-salt-of-some-length")
    User.objects.filter(pk=ada.user.pk).update(password=older)
    log_in(client, "ada@acme.example", "Wrong-Password-1")
    ada.user.refresh_from_db()
    assert ada.user.password == older

    log_in(client, "ada@acme.example")
    assert is_logged_in(client)
    ada.user.refresh_from_db()
    assert ada.user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert ada.user.check_password(PASSWORD)
