"""The pages of a company: its projects, one project, the own access."""

import unicodedata
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from companies.models import Bookmark, Project, ProjectMembership, Vendor
from companies.permissions import (
    ProjectPermissionMixin,
    company_permission_required,
    project_permission_required,
)
from tests.cast import add_entry, add_member, put_on


def page(client, company, **query):
    return client.get(company.get_absolute_url(), query)


def names(response):
    return [project.name for project in response.context["page"]]


@pytest.fixture
def annex(acme, max_):
    project = Project.objects.create(
        company=acme, name="Annex", number="24-001", city="Bergen"
    )
    put_on(max_, project)
    return project


def test_favourites_come_first_and_orders_can_be_chosen(as_, max_, acme, tower, annex):
    client = as_(max_)
    assert names(page(client, acme)) == ["Annex", "Harbour Tower"]
    client.post(
        reverse("companies:favourite", args=[acme.slug, "24-017"]),
        {"is_favourite": "1"},
    )
    assert names(page(client, acme)) == ["Harbour Tower", "Annex"]
    client.post(
        reverse("companies:favourite", args=[acme.slug, "24-017"]),
        {"is_favourite": "0"},
    )
    client.get(tower.get_absolute_url())
    assert names(page(client, acme, order="visited"))[0] == "Harbour Tower"
    assert names(page(client, acme, order="nonsense")) == ["Annex", "Harbour Tower"]


def test_last_visited_comes_first_and_never_visited_last(as_, max_, acme, tower, annex):
    """Favourites still come before all; the page says when one was there."""
    never, early = (
        Project.objects.create(company=acme, name=name, number=name)
        for name in ("Never", "Early")
    )
    put_on(max_, never)
    put_on(max_, early)
    now = timezone.now()
    for project, days in ((early, 3), (tower, 1), (annex, 2)):
        Bookmark.objects.create(
            user=max_.user, project=project, visited_at=now - timedelta(days=days)
        )
    client = as_(max_)
    shown = page(client, acme, order="visited")
    assert names(shown) == ["Harbour Tower", "Annex", "Early", "Never"]
    Bookmark.objects.mark(max_.user, annex, is_favourite=True)
    assert names(page(client, acme, order="visited")) == [
        *("Annex", "Harbour Tower", "Early", "Never")
    ]


def test_search_finds_by_name_number_and_city(as_, max_, acme, tower, annex):
    client = as_(max_)
    assert names(page(client, acme, q="bergen")) == ["Annex"]
    assert names(page(client, acme, q="017")) == ["Harbour Tower"]
    assert "No project matches" in page(client, acme, q="zeppelin").content.decode()
    assert page(client, acme, q="\0" * 5, page="999999").status_code == 200


@pytest.mark.parametrize(
    "q", ["ärzte", "ÄRZTE", "haus 24-0", "i.4", "münch", "(ost", "[a-z]"]
)
def test_search_knows_capitals_and_takes_nothing_for_a_pattern(as_, max_, acme, q):
    """On both engines, whatever they know of capitals themselves."""
    found = Project.objects.create(
        company=acme, name="Ärztehaus (Ost)", number="24-0-I.4", city="MÜNCHEN"
    )
    put_on(max_, found)
    expected = [] if q == "[a-z]" else ["Ärztehaus (Ost)"]
    assert names(page(as_(max_), acme, q=q)) == expected


def test_search_finds_what_was_typed_in_parts(as_, max_, acme):
    """A letter and its accent, as macOS gives names of files."""
    put_on(max_, Project.objects.create(company=acme, name="Ärztehaus", number="A1"))
    typed = unicodedata.normalize("NFD", "ärzte")
    assert names(page(as_(max_), acme, q=typed)) == ["Ärztehaus"]


def test_completion_at_the_desk_finds_the_same(as_, ada, acme):
    Project.objects.create(company=acme, name="Ärztehaus", number="24-0")
    field = {"model_name": "projectmembership", "field_name": "project"}
    query = {"app_label": "companies", "term": "ärzte"} | field
    found = as_(ada).get(reverse("admin:autocomplete"), query).json()["results"]
    assert [each["text"] for each in found] == ["24-0 Ärztehaus"]


def test_visit_and_favourite_leave_each_other_alone(as_, max_, tower):
    client = as_(max_)
    address = reverse("companies:favourite", args=[tower.company.slug, tower.number])
    client.post(address, {"is_favourite": "1"})
    client.get(tower.get_absolute_url())
    bookmark = Bookmark.objects.get(user=max_.user)
    assert bookmark.is_favourite
    assert bookmark.visited_at


def test_favourites_and_visits_of_others_are_theirs(as_, max_, ada, acme, annex, tower):
    """They neither order nor double the own list."""
    for entry in (ada, add_member(acme, "other@acme.example")):
        Bookmark.objects.mark(entry.user, tower, is_favourite=True)
        Bookmark.objects.visit(entry.user, tower)
    shown = page(as_(max_), acme, order="visited").context["page"]
    assert [(each, each.is_favourite, each.visited_at) for each in shown] == [
        (annex, False, None),
        (tower, False, None),
    ]


def test_list_takes_the_same_queries_with_many_projects(
    as_, max_, acme, tower, django_assert_max_num_queries
):
    """Session, user, terms, then at most four."""
    projects = Project.objects.bulk_create(
        Project(company=acme, name=f"P{number}", number=f"N-{number}")
        for number in range(120)
    )
    given = max_.project_memberships.get().template
    ProjectMembership.objects.grant([(max_, each, given) for each in projects], None)
    client = as_(max_)
    with django_assert_max_num_queries(7):
        response = page(client, acme, page=2)
    assert len(names(response)) == 50


def test_people_are_listed_by_firm_as_far_as_one_may_see_them(as_, max_, acme, tower):
    firm = Vendor.objects.create(company=acme, name="Bright Electric")
    put_on(add_member(acme, "eli@bright.example", first_name="Eli", vendor=firm), tower)
    client = as_(max_)
    text = client.get(tower.get_absolute_url()).content.decode()
    assert text.index("Max Weber") < text.index("Bright Electric") < text.index("Eli")
    max_.project_memberships.get().template.set_levels({"directory": 0}, None)
    assert "Eli" not in client.get(tower.get_absolute_url()).content.decode()


def test_a_firm_named_like_the_company_has_no_second_heading(as_, max_, acme, tower):
    firm = Vendor.objects.create(company=acme, name=acme.name)
    eli = add_member(acme, "eli@acme.example", vendor=firm)
    put_on(eli, tower)
    shown = as_(max_).get(tower.get_absolute_url())
    assert shown.context["firms"] == [(acme.name, [max_, eli])]


def test_people_of_a_project_are_those_who_may_use_it_today(max_, acme, tower):
    today, day = timezone.localdate(), timedelta(days=1)
    invited = add_entry(acme, "invited@acme.example")
    gone, over, later = (
        add_member(acme, f"{name}@acme.example", is_active=name != "gone")
        for name in ("gone", "over", "later")
    )
    put_on(invited, tower)
    put_on(gone, tower)
    put_on(over, tower, ends_on=today - day)
    put_on(later, tower, starts_on=today + day)
    assert list(tower.people_today()) == [max_]


def test_tool_without_a_level_is_not_there(as_, max_, tower):
    tools = as_(max_).get(tower.get_absolute_url()).context["tools"]
    assert list(tools) == ["Standard", "Read Only"]
    assert "RFIs" in tools["Standard"]
    assert "Budget" not in sum(tools.values(), [])


def test_own_access_is_explained(as_, max_, ada, tower):
    address = reverse("companies:access", args=[tower.company.slug])
    assert (
        "Foreman/Superintendent – Internal." in as_(max_).get(address).content.decode()
    )
    ProjectMembership.objects.all().suspend("insurance ended", ada.user)
    text = as_(max_).get(address).content.decode()
    assert "insurance ended" in text
    assert as_(max_).get(tower.get_absolute_url()).status_code == 404


def test_own_access_of_an_administrator_is_a_sentence(as_, ada, acme, tower):
    page = as_(ada).get(reverse("companies:access", args=[acme.slug]))
    assert (
        "Admin on all tools of all active projects (1): company administrator by "
        "template Company Administrator." in page.text
    )
    assert f'<a href="{acme.get_absolute_url()}">Show the projects</a>' in page.text
    assert "You are on no project yet." not in page.text


def test_own_access_tells_the_levels_on_the_tools_of_the_company(as_, acme):
    page = as_(add_member(acme, "new@acme.example")).get(
        reverse("companies:access", args=[acme.slug])
    )
    assert "<dt>Portfolio</dt><dd>Read Only</dd>" in page.text
    assert "<dt>Reports</dt><dd>None</dd>" in page.text
    assert "You are on no project yet." in page.text


def test_what_one_may_not_see_is_not_there(as_, gina, max_, tower):
    """Never 403; a method that a page doesn't have tells nothing either (405)."""
    client, place = as_(gina), [tower.company.slug, tower.number]
    project, favourite = (
        reverse(f"companies:{name}", args=place) for name in ("project", "favourite")
    )
    answers = {
        "the page": client.get(project).status_code,
        "a form sent to it": client.post(project).status_code,
        "the star": client.post(favourite, {"is_favourite": "1"}).status_code,
        "the star's address": client.get(favourite).status_code,
    }
    assert answers == {
        "the page": 404,
        "a form sent to it": 405,
        "the star": 404,
        "the star's address": 405,
    }
    missing = [place[0], "no-such-project"]
    assert client.post(reverse("companies:project", args=missing)).status_code == 405
    assert client.get(reverse("companies:favourite", args=missing)).status_code == 405
    assert not Bookmark.objects.exists()
    for name in ("company", "access"):
        address = reverse(f"companies:{name}", args=[tower.company.slug])
        assert as_(gina).get(address).status_code == 404


def test_an_operator_reaches_no_project_by_its_page_without_being_a_member(
    as_, olga, acme, tower
):
    """Everything is allowed to them, at the desk."""
    client = as_(olga)
    assert client.get(tower.get_absolute_url()).status_code == 404
    add_entry(acme, olga.email, user=olga, joined_at=timezone.now())
    assert client.get(tower.get_absolute_url()).status_code == 200


@project_permission_required("companies.standard_rfis")
def answer_rfis(request, project):
    return HttpResponse(project.name)


class AnswerBudget(ProjectPermissionMixin):
    permission_required = "companies.standard_budget"

    def get(self, request, **kwargs):
        return HttpResponse(self.project.name)


def test_views_of_other_apps_ask_the_same(client, max_, ada, tower):
    kwargs = {"slug": tower.company.slug, "number": tower.number}
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=max_.user_id)
    assert answer_rfis(request, **kwargs).content == b"Harbour Tower"
    with pytest.raises(Http404):
        AnswerBudget.as_view()(request, **kwargs)
    request.user = ada.user
    assert AnswerBudget.as_view()(request, **kwargs).status_code == 200
    request.user = AnonymousUser()
    assert answer_rfis(request, **kwargs).status_code == 302
    assert AnswerBudget.as_view()(request, **kwargs).status_code == 302


@company_permission_required("companies.read_only_portfolio")
def portfolio(request, company, page):
    return HttpResponse(f"{company.name} {page}")


@company_permission_required("companies.admin_reports")
def reports(request, company):
    return HttpResponse(company.name)


def test_view_of_a_tool_of_the_company_is_there_for_its_level_only(
    max_, ada, gina, acme
):
    """What one may not see is 404, and a stranger is asked to log in."""
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=max_.user_id)
    answer = portfolio(request, slug=acme.slug, page=2)
    assert answer.content == b"Acme Construction 2"
    with pytest.raises(Http404):
        reports(request, slug=acme.slug)
    request.user = gina.user
    with pytest.raises(Http404):
        portfolio(request, slug=acme.slug, page=2)
    request.user = ada.user
    assert reports(request, slug=acme.slug).status_code == 200
    acme.is_active = False
    acme.save()
    with pytest.raises(Http404):
        reports(request, slug=acme.slug)
    request.user = AnonymousUser()
    assert reports(request, slug=acme.slug).status_code == 302


def test_template_tag_asks_the_same(max_, tower):
    page = Template(
        "{% load permissions %}{% may user 'companies.standard_rfis' project as yes %}"
        "{% may user 'companies.standard_budget' project as no %}{{ yes }} {{ no }}"
    )
    context = Context({"user": User.objects.get(pk=max_.user_id), "project": tower})
    assert page.render(context) == "True False"
