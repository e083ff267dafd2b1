"""Which company the desk works for: a choice of the session, never of an address.

Opening a page changes nothing here; the pages take their company from their address.
"""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from companies.access import DIRECTORY, Access
from companies.models import Company
from companies.tools import Level

KEY = "desk_company"


def select_company(request: HttpRequest, company: Company | None) -> None:
    """Remember the company to work for; None lets an operator work for all again."""
    request.session[KEY] = company.pk if company else None
    request.__dict__.pop("_desk_company", None)


def desk_company(request: HttpRequest) -> Company | None:
    """The company to work for, asked once a request and checked each time (T35, T37).

    Who may work at one desk only needs no choice. None is, for an operator, all
    companies; for anybody else none.
    """
    if not hasattr(request, "_desk_company"):
        request._desk_company = find_desk_company(request)  # type: ignore[attr-defined]
    return request._desk_company  # type: ignore[attr-defined, no-any-return]


def choose_first(request: HttpRequest) -> HttpResponse:
    """Lead an operator who works for all companies to where one is chosen."""
    sentence = "Choose a company first: press ‘Work for this company’ beside its name."
    messages.info(request, sentence)
    return redirect("admin:companies_company_changelist")


def desk_level(request: HttpRequest) -> int:
    """What the reader may do at the desk: their level on the company's Directory.

    An operator may do everything, in one company and in all.
    """
    company = desk_company(request)
    if company is None:
        return Level.ADMIN if request.user.is_superuser else Level.NONE
    return Access.of(cast(User, request.user), company.pk).on_company(DIRECTORY)


def find_desk_company(request: HttpRequest) -> Company | None:
    chosen = request.session.get(KEY)
    if request.user.is_superuser:
        return Company.objects.filter(pk=chosen).first() if chosen else None
    companies = desk_companies(request)
    if len(companies) == 1:
        return companies[0]
    return next((each for each in companies if each.pk == chosen), None)


def named_company(request: HttpRequest, slug: str) -> Company | None:
    """The company of this name in addresses, if the reader may work for it."""
    if "\0" in slug:  # which PostgreSQL doesn't look up
        return None
    if request.user.is_superuser:
        return Company.objects.filter(slug=slug).first()
    return next((each for each in desk_companies(request) if each.slug == slug), None)


def desk_companies(request: HttpRequest) -> list[Company]:
    """The companies whose desk the reader may enter, asked once a request."""
    if not hasattr(request, "_desk_companies"):
        entered = Company.objects.with_directory(request.user)
        request._desk_companies = list(entered)  # type: ignore[attr-defined]
    return request._desk_companies  # type: ignore[attr-defined, no-any-return]
