from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBase
from django.shortcuts import render

from accounts.requests import UserRequest

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
