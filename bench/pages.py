"""Pages of somebody logged in, through the whole site but without a network."""

from collections.abc import Iterable
from itertools import cycle, islice

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.test import Client, RequestFactory

from accounts.models import User
from bench.figures import rate
from bench.plans import Query, watched

MINIMAL = "/minimal/"
SPREAD_PAGES = [f"/companies/company-{number}/" for number in (2, 3, 4)]
BIG_PAGES = ["/companies/company-1/"]
REQUESTS = 150


def prepare(folder: str) -> None:
    """Serve as in production: stylesheets and scripts are gathered under new names."""
    settings.STATIC_ROOT = folder
    settings.ROOT_URLCONF = "bench.urls"
    call_command("collectstatic", verbosity=0, interactive=False)


class Browser:
    """Somebody's browser, logged in to the database that Django works on."""

    def __init__(self, user: int) -> None:
        client = Client()
        client.force_login(
            User.objects.get(pk=user), settings.AUTHENTICATION_BACKENDS[0]
        )
        name = settings.SESSION_COOKIE_NAME
        self.cookie = f"{name}={client.cookies[name].value}"
        self.site = WSGIHandler()

    def get(self, path: str) -> None:
        """Read a page to its end.

        Raises:
            RuntimeError: when it isn't there.
        """
        environ = RequestFactory().get(path, headers={"cookie": self.cookie}).environ
        answer = self.site(environ, lambda *head: lambda body: None)
        b"".join(answer)
        answer.close()
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}.")

    def get_all(self, paths: Iterable[str], times: int) -> None:
        for path in islice(cycle(paths), times):
            self.get(path)

    def rate(self, paths: list[str]) -> float:
        """Requests a second, after a few that warm up."""
        self.get_all(paths, 10)
        return rate(REQUESTS, lambda: self.get_all(paths, REQUESTS))

    def queries(self, path: str) -> list[Query]:
        self.get(path)
        with watched() as sent:
            self.get(path)
        return sent
