from django.http import HttpRequest

from accounts.models import User


class UserRequest(HttpRequest):
    """A request of somebody logged in, as a view behind `login_required` gets it."""

    user: User
