from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBase
from django.shortcuts import render

from accounts.requests import UserRequest, renew_session

type View = Callable[..., HttpResponseBase]


def proven_required(view: View) -> View:
    """Keep a page from accounts whose person has shown no mailbox yet (S6).

    Put before allauth's own view of the same address.
    """

    @wraps(view)
    @login_required
    def guarded(request: UserRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_proven:
            return view(request, *args, **kwargs)
        return render(request, "account/verified_email_required.html", status=403)

    return guarded


def renews_session(view: View) -> View:
    """Give the session a new id once its person has shown again who they are (T31)."""

    @wraps(view)
    @login_required
    def renewing(request: UserRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        before = len(get_authentication_records(request, request.user))
        response = view(request, *args, **kwargs)
        if len(get_authentication_records(request, request.user)) > before:
            renew_session(request)
        return response

    return renewing
