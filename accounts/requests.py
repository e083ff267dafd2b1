from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from accounts.models import User


class UserRequest(HttpRequest):
    """A request of somebody logged in, as a view behind `login_required` gets it."""

    user: User


def renew_session(request: HttpRequest) -> None:
    """Give the session a new id, which nobody else can know (T31).

    It stays in the list of the person's sessions, from which they can end it.
    """
    request.session.cycle_key()
    if request.user.is_authenticated:
        UserSession.objects.create_from_request(request)
