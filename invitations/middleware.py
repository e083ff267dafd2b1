"""The terms gate: nobody gets past it without having agreed (S15, T51)."""

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from invitations.models import Terms

# The link of a mail only moves its token into the session; the others let one leave.
EXEMPT = {
    "invitations:terms",
    "invitations:link",
    "invitations:sign-out",
    "account_logout",
}
# Their addresses hold a secret, which no redirect may put into another address (T2).
SECRET = {
    "account_confirm_email",
    "account_reset_password_from_key",
    "accounts:unsubscribe",
}
JSON = re.compile(r"application/([^/]+\+)?json", re.IGNORECASE)


class TermsMiddleware:
    """Lead whoever is logged in without the current terms to the page of the terms.

    Where none are published only operators pass, who have to publish them. Static files
    and health checks are answered before this middleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if (match and match.view_name in EXEMPT) or not request.user.is_authenticated:
            return None
        are_accepted = Terms.objects.are_accepted_by(request.user)
        if are_accepted or (are_accepted is None and request.user.is_superuser):
            return None
        if is_json_caller(request):
            sentence = (
                "Log in with a browser and agree to the Terms and Conditions first."
            )
            return JsonResponse({"detail": sentence}, status=403)
        return redirect(self.terms_url(request))

    def terms_url(self, request: HttpRequest) -> str:
        """The page of the terms, which knows where a reader was going."""
        match = request.resolver_match
        if request.method != "GET" or (match and match.view_name in SECRET):
            return reverse("invitations:terms")
        return reverse("invitations:terms", query={"next": request.get_full_path()})


def is_json_caller(request: HttpRequest) -> bool:
    """Whether a program asks, which can't do anything with a page of terms.

    JSON has many names, such as application/problem+json.
    """
    accepted = [f"{each.main_type}/{each.sub_type}" for each in request.accepted_types]
    named = [each for each in accepted if JSON.fullmatch(each)]
    wanted = request.get_preferred_type(["text/html", "application/json", *named])
    return (
        request.headers.get("X-Requested-With") == "XMLHttpRequest"
        or JSON.fullmatch(wanted or "") is not None
        or JSON.fullmatch(request.content_type or "") is not None
    )
