"""A site whose one page fails."""

from django.urls import include, path


def broken(request):
    raise RuntimeError("secret detail")


urlpatterns = [
    path("broken/", broken),
    path("", include("procore_site.urls")),
]
