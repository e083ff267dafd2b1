"""The site as `./dev demo` serves it: with the mailbox."""

from django.urls import include, path

from procore_site import mailbox
from procore_site.urls import urlpatterns as site

urlpatterns = [*site, path("mailbox/", include(mailbox.urlpatterns))]
