"""Choosing a company, its projects, one project, and the own access (S4, S7)."""

from typing import Any

from allauth.account.utils import get_next_redirect_url
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import UserRequest
from companies.access import Access
from companies.desk import select_company
from companies.explanations import explain_page
from companies.forms import SelectCompanyForm
from companies.models import Bookmark, Company, Membership, Project
from companies.permissions import VIEW, project_permission_required
from companies.tools import TOOLS, Level, ProjectTool, Scope

PROJECTS_PER_PAGE = 50
# What a list can be ordered by; favourites come first in each.
ORDERS: dict[str, tuple[str, list[Any]]] = {
    "name": ("Name", ["name"]),
    "number": ("Number", ["number"]),
    "visited": ("Last visited", [F("visited_at").desc(nulls_last=True), "name"]),
}


@login_required
def select(request: HttpRequest) -> HttpResponse:
    """Select a Company, Continue; with one company straight in (S7).

    An operator who is no company's member has work at the desk only.
    """
    companies = list(Company.objects.visible_to(request.user))
    target = get_next_redirect_url(request)
    if not companies and request.user.is_superuser:
        return redirect("admin:index")
    if not companies:
        return render(request, "companies/no_company.html")
    if request.method == "POST":
        form = SelectCompanyForm(request.POST, user=request.user)
        if form.is_valid():
            company = form.cleaned_data["company"]
            select_company(request, company)
            return redirect(target or company)
        if form.has_error("company", "invalid_choice"):
            raise Http404  # as if it weren't there (T37)
    elif len(companies) == 1:
        return redirect(target or companies[0])
    else:
        form = SelectCompanyForm(user=request.user)
    context = {"companies": companies, "form": form, "next": target}
    return render(request, "companies/select.html", context)


@require_safe
@login_required
def company(request: UserRequest, slug: str) -> HttpResponse:
    """The projects of a company that the person may see."""
    visible = Company.objects.visible_to(request.user)
    company = get_object_or_404(visible, slug=slug)
    q = words_of(request)
    order = request.GET.get("order")
    order = order if order in ORDERS else "name"
    projects = Project.objects.visible_to(request.user).filter(company=company)
    found = projects.matching(q).in_order_of(request.user, ORDERS[order][1])
    page = Paginator(found, PROJECTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "company": company,
        "page": page,
        "q": q,
        "order": order,
        "orders": {key: label for key, (label, _) in ORDERS.items()},
    }
    return render(request, "companies/company.html", context)


def words_of(request: HttpRequest) -> str:
    """What is searched for, without the character that no database takes."""
    return request.GET.get("q", "").replace("\0", "").strip()[:100]


@require_safe
@project_permission_required(VIEW)
def project(request: UserRequest, project: Project) -> HttpResponse:
    """A project: the tools by the person's level, and the people by firm."""
    Bookmark.objects.visit(request.user, project)
    access = Access.of(request.user, project.company_id)
    levels = {key: access.on_project(project, key) for key in TOOLS[Scope.PROJECT]}
    context = {
        "company": project.company,
        "project": project,
        "tools": tools_by_level(levels),
        "firms": people_by_firm(project) if levels[ProjectTool.DIRECTORY] else None,
        "is_favourite": Bookmark.objects.filter(
            user=request.user, project=project, is_favourite=True
        ).exists(),
    }
    return render(request, "companies/project.html", context)


def tools_by_level(levels: dict[str, int]) -> dict[str, list[str]]:
    """What the person may use on a project: the highest level first."""
    tools: dict[str, list[str]] = {}
    for key, level in sorted(levels.items(), key=lambda each: -each[1]):
        if level:
            label = TOOLS[Scope.PROJECT][key].label
            tools.setdefault(Level(level).label, []).append(label)
    return tools


def people_by_firm(project: Project) -> list[tuple[str, list[Membership]]]:
    """The people under the name of their firm; the own ones under the company's."""
    by_firm: dict[str, list[Membership]] = {}
    for entry in project.people_today():
        by_firm.setdefault(str(entry.vendor or project.company), []).append(entry)
    return list(by_firm.items())


@require_POST
@project_permission_required(VIEW)
def favourite(request: UserRequest, project: Project) -> HttpResponse:
    """Put a project at the top of the own list, or take it from there."""
    is_favourite = request.POST.get("is_favourite") == "1"
    Bookmark.objects.mark(request.user, project, is_favourite=is_favourite)
    return redirect(get_next_redirect_url(request) or project)


@require_safe
@login_required
def access(request: UserRequest, slug: str) -> HttpResponse:
    """'My access': what I may do in this company, and why."""
    visible = Company.objects.visible_to(request.user)
    company = get_object_or_404(visible, slug=slug)
    entry = company.memberships.get(user=request.user)
    q = words_of(request)
    explained = explain_page(entry, request.GET.get("page"), q)
    context = {"company": company, "q": q, **explained}
    return render(request, "companies/access.html", context)
