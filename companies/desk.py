"""Which company the desk works for: a choice of the session, never of an address.

Opening a page changes nothing here; the pages take their company from their address.
"""

from django.http import HttpRequest

from companies.models import Company

KEY = "desk_company"


def select_company(request: HttpRequest, company: Company | None) -> None:
    """Remember the company to work for; None lets an operator work for all again."""
    request.session[KEY] = company.pk if company else None


def desk_company(request: HttpRequest) -> Company | None:
    """The company to work for, asked once a request and checked each time (T35, T37).

    An administrator of one company needs no choice. None is, for an operator, all
    companies; for anybody else none.
    """
    if not hasattr(request, "_desk_company"):
        request._desk_company = find_desk_company(request)  # type: ignore[attr-defined]
    return request._desk_company  # type: ignore[attr-defined, no-any-return]


def find_desk_company(request: HttpRequest) -> Company | None:
    chosen = request.session.get(KEY)
    if request.user.is_superuser:
        return Company.objects.filter(pk=chosen).first() if chosen else None
    companies = desk_companies(request)
    if len(companies) == 1:
        return companies[0]
    return next((each for each in companies if each.pk == chosen), None)


def desk_companies(request: HttpRequest) -> list[Company]:
    """The companies that the reader administers, asked once a request."""
    if not hasattr(request, "_desk_companies"):
        administered = Company.objects.administered_by(request.user)
        request._desk_companies = list(administered)  # type: ignore[attr-defined]
    return request._desk_companies  # type: ignore[attr-defined, no-any-return]
