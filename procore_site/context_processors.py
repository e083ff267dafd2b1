from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from procore_site.mailbox import is_shown


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page says or asks: the site's name, and the ways that lead on."""
    return {
        "site_name": settings.SITE_NAME,
        "is_mailbox_shown": is_shown(),
        "may_enter_admin": SimpleLazyObject(lambda: admin.site.has_permission(request)),
    }
