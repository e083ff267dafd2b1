"""What holds for every answer of the site."""

from collections.abc import Callable

from django.core.cache import cache
from django.db import Error, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.views.defaults import page_not_found
from redis.exceptions import RedisError

type GetResponse = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """Answers health checks before hosts, sessions and the terms are looked at.

    `/healthz`: the process answers. `/readyz`: so do its database and its cache.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        if request.path == "/readyz":
            return self.readiness()
        return self.get_response(request)

    def readiness(self) -> HttpResponse:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM django_migrations")
            cache.get("readyz")
        except (Error, OSError, RedisError) as error:
            words = f"not ready: {type(error).__name__}\n"
            return HttpResponse(words, status=503, content_type="text/plain")
        return HttpResponse("ready\n", content_type="text/plain")


class NotFoundMiddleware:
    """Show our page where a view finds nothing, with DEBUG on as well.

    Whoever tries the demo sees what people will see. An address that leads to no view
    is still explained by Django to whoever develops.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        is_missing = isinstance(exception, Http404)
        return page_not_found(request, exception) if is_missing else None


class NoStoreMiddleware:
    """Let no browser or proxy keep a page: the back button shows nothing (T2, T32)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response
