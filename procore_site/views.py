"""The start, and the pages for what went wrong before a view was reached."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

# The pages on which somebody answers an invitation.
ANSWERS = {"invitations:join", "invitations:decline"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead on: to the companies, or to the log-in page."""
    is_known = request.user.is_authenticated
    return redirect("companies:select" if is_known else "account_login")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Take nothing; but whoever has joined in another window of this browser goes on.

    With the log-in the forms that are open elsewhere become worthless (T46). The page
    of an invitation is shown anew, as it stands for who is logged in now.
    """
    asked = request.resolver_match.view_name if request.resolver_match else ""
    if request.user.is_authenticated and asked in ANSWERS:
        public_id = request.POST.get("invitation", "")
        return redirect(reverse(asked, query={"i": public_id}))
    return render(request, "403_csrf.html", status=403)
