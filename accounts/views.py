"""The newsletter: a switch on the person's own pages, and a link to leave it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.forms import NewsletterForm
from accounts.models import User
from accounts.requests import UserRequest


@login_required
def newsletter(request: UserRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = NewsletterForm(data, user=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, "Your choice has been saved.")
        return redirect("accounts:newsletter")
    return render(request, "accounts/newsletter.html", {"form": form})


def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """The link at the foot of each newsletter: it asks, and a POST unsubscribes.

    It names the account by a signature and needs no log-in. Opening it changes nothing,
    since mail scanners open every link (T1).
    """
    try:
        user = User.objects.by_newsletter_token(token)
    except (BadSignature, User.DoesNotExist):
        raise Http404 from None
    if request.method == "POST":
        user.unsubscribe()
    context = {"is_done": request.method == "POST"}
    return render(request, "accounts/unsubscribe.html", context)
