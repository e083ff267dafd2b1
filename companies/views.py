"""Choosing a company, its projects, and one project (S4, S7)."""

from allauth.account.utils import get_next_redirect_url
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from companies.desk import select_company
from companies.forms import SelectCompanyForm
from companies.models import Company, Project, ProjectMembership
from companies.tools import Level, ProjectTool

PROJECTS_PER_PAGE = 50


@login_required
def select(request: HttpRequest) -> HttpResponse:
    """Select a Company, Continue; with one company straight in (S7)."""
    companies = list(Company.objects.visible_to(request.user))
    target = get_next_redirect_url(request)
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
def company(request: HttpRequest, slug: str) -> HttpResponse:
    """The projects of a company that the person may see."""
    visible = Company.objects.visible_to(request.user)
    company = get_object_or_404(visible, slug=slug)
    projects = Project.objects.visible_to(request.user, timezone.localdate())
    projects = projects.filter(company=company)
    q = request.GET.get("q", "").replace("\0", "").strip()[:100]
    for word in q.split():
        projects = projects.filter(
            Q(name__icontains=word)
            | Q(number__icontains=word)
            | Q(city__icontains=word)
        )
    page = Paginator(projects, PROJECTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"company": company, "page": page, "q": q}
    return render(request, "companies/company.html", context)


@require_safe
@login_required
def project(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """A project, and the tools that the person's level on them opens."""
    if "\0" in number:  # no database takes it
        raise Http404
    today = timezone.localdate()
    visible = Company.objects.visible_to(request.user)
    projects = Project.objects.visible_to(request.user, today).filter(
        company__in=visible, company__slug=slug
    )
    project = get_object_or_404(
        projects.select_related("company"), number__iexact=number
    )
    levels = ProjectMembership.objects.levels(request.user, project, today)
    tools = [
        (tool.label, Level(levels[tool]).label)
        for tool in ProjectTool
        if levels.get(tool)
    ]
    context = {"company": project.company, "project": project, "tools": tools}
    return render(request, "companies/project.html", context)
