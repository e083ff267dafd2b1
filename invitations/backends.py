"""Who is it? The one check of a password at log-in."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend as BaseBackend
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest

from accounts.models import User
from invitations.models import Invitation


class AuthenticationBackend(BaseBackend):
    """Checks a password against the account, or else against a first password (S6).

    There is one hash in every case: an account, a first password, neither; and one
    answer for a wrong password and for a right one on an inactive account (T20).
    """

    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        email: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """Return the account; or, for a first password, an account that isn't saved.

        Args:
            email: in its canonical form.
        """
        if not email or not password:
            return None
        account = User.objects.filter(email=email).first()
        if account is None:
            return self.invitee(email, password)
        is_right = account.check_password(password)
        return account if is_right and self.user_can_authenticate(account) else None

    def invitee(self, email: str, password: str) -> User | None:
        invitation = Invitation.objects.with_first_password(email)
        if invitation is None:
            self._mitigate_timing_attack(password)
            return None
        is_right = check_password(password, invitation.first_password)
        return User(email=email) if is_right else None
