"""The site, and a view that does as little as a view can."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from companies.models import Project
from procore_site.urls import urlpatterns as site


def minimal(request: HttpRequest) -> HttpResponse:
    """One query by a unique index; session, user and terms come from the middleware."""
    return HttpResponse(Project.objects.values_list("name").get(pk=1)[0])


urlpatterns = [path("minimal/", minimal), *site]
