"""Actions of the desk that ask first, and the list of who is on which project."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.admin.filters import LISTED
from companies.models import Membership, Project, ProjectMembership
from companies.tools import MEMBER
from tests.cast import FOREMAN, add_entry, put_on, template

LIST = "admin:companies_projectmembership_changelist"
TOWER_CREW = 1_100  # more than a form may have fields


@pytest.fixture
def crew(acme, tower):
    entries = Membership.objects.bulk_create(
        Membership(
            company=acme,
            email=f"p{number}@crew.example",
            template=template(acme, MEMBER),
        )
        for number in range(TOWER_CREW)
    )
    return ProjectMembership.objects.bulk_create(
        ProjectMembership(
            company=acme,
            project=tower,
            membership=entry,
            template=template(acme, FOREMAN),
        )
        for entry in entries
    )


def hidden(page, name):
    return re.findall(rf'name="{name}" value="([^"]*)"', page.content.decode())


def send_asked(client, page, **answers):
    """Send the form of a page that asks, as a browser does."""
    [target] = re.findall(
        r'id="content-main" method="post" action="([^"]*)"', page.content.decode()
    )
    names = ("action", "select_across", "_selected_action")
    form = {name: hidden(page, name) for name in names}
    return client.post(target.replace("&amp;", "&"), form | {"apply": "1"} | answers)


@pytest.mark.parametrize(
    ("model", "action", "written"),
    [
        ("projectmembership", "suspend", {("Harbour Tower", "insurance ended")}),
        ("membership", "add_to_project", {("Harbour Tower", ""), ("Annex", "")}),
    ],
)
def test_action_begun_at_a_form_is_done(as_, ada, acme, max_, model, action, written):
    """It asks on a page of its own, which the form must not take for itself."""
    grant = max_.project_memberships.get()
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    row = {"projectmembership": grant, "membership": max_}[model]
    client = as_(ada)
    page = client.post(
        reverse(f"admin:companies_{model}_change", args=[row.pk]),
        {"CHANGE_FORM-action": action, "_selected_action": [row.pk]},
    )
    given = {"project": annex.pk, "template": grant.template_id}
    send_asked(client, page, reason="insurance ended", **given)
    grants = max_.project_memberships.values_list("project__name", "suspension_reason")
    assert set(grants) == written


def test_all_of_a_long_list_are_suspended_at_once(as_, ada, max_, crew, tower):
    """A form may have 1,000 fields; the filter of the list goes on to hold."""
    other = put_on(max_, Project.objects.create(company=max_.company, name="Annex"))
    client = as_(ada)
    page = client.post(
        reverse(LIST, query={"project__id__exact": tower.pk}),
        {
            "action": "suspend",
            "_selected_action": [crew[0].pk],
            "select_across": "1",
        },
    )
    assert len(hidden(page, "_selected_action")) == 1
    send_asked(client, page, reason="strike")
    assert not tower.project_memberships.filter(suspended_at=None).exists()
    other.refresh_from_db()
    assert other.suspended_at is None


@pytest.mark.parametrize("text", ["late\nagain", "insurance\u202e ended", "\u200e"])
def test_reason_has_no_invisible_character(as_, ada, max_, text):
    """T16: the person reads it, and so does the audit."""
    grant = max_.project_memberships.get()
    form = {"action": "suspend", "_selected_action": [grant.pk], "apply": "1"}
    page = as_(ada).post(reverse(LIST), form | {"reason": text})
    assert "invisible character" in page.content.decode()
    assert max_.project_memberships.get().suspended_at is None


def test_who_is_on_a_project_is_not_everybody_for_an_operator(
    as_, olga, max_, gina, bridge
):
    """Who works for all companies has no list to choose from, and keeps the filter."""
    put_on(gina, bridge)
    address = reverse(LIST, query={"project__id__exact": bridge.pk})
    rows = as_(olga).get(address).context["cl"].result_list
    assert [row.membership for row in rows] == [gina]


@pytest.mark.parametrize("verb", ["suspend", "lift", "end", "mobilise"])
def test_changing_many_grants_takes_no_more_queries_than_few(
    acme, ada, tower, crew, verb
):
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    rows = ProjectMembership.objects.filter(pk__in=[grant.pk for grant in crew[:200]])
    if verb == "lift":
        rows.suspend("strike", ada.user)
    with CaptureQueriesContext(connection) as queries:
        match verb:
            case "suspend":
                assert rows.suspend("strike", ada.user) == 200
            case "lift":
                assert rows.lift(ada.user) == 200
            case "end":
                assert rows.end(timezone.localdate(), ada.user) == 200
            case "mobilise":
                assert len(annex.mobilise(tower, ada.user).made) == TOWER_CREW
    # SQLite inserts a thousand rows in several statements.
    assert len(queries) < 40


def test_of_many_projects_the_list_names_the_chosen_one_only(
    as_, ada, max_, acme, tower
):
    rows = Project.objects.bulk_create(
        Project(company=acme, name=f"Site {n}", number=f"N-{n}") for n in range(LISTED)
    )
    put_on(max_, rows[7])
    client = as_(ada)
    assert "project__id__exact" not in client.get(reverse(LIST)).text
    page = client.get(reverse(LIST, query={"project__id__exact": rows[7].pk}))
    named = re.findall(r"project__id__exact=(\d+)", page.text)
    assert set(named) == {str(rows[7].pk)}
    assert [row.project for row in page.context["cl"].result_list] == [rows[7]]


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("suspend", "Kim on 24-017 Harbour Tower: Is suspended already."),
        ("lift", "Max Weber on 24-017 Harbour Tower: Is not suspended."),
        ("end", "Kim on 24-017 Harbour Tower: Ends on that day already, or before it."),
    ],
)
def test_an_action_says_whom_it_left_alone_and_why(
    as_, ada, max_, acme, tower, action, told
):
    kim = add_entry(acme, "kim@acme.example", first_name="Kim")
    put_on(kim, tower, ends_on=date(2030, 1, 1))
    kim.project_memberships.suspend("strike", ada.user)
    rows = list(tower.project_memberships.values_list("pk", flat=True))
    form = {"action": action, "_selected_action": rows, "apply": "1"}
    asked = {"reason": "insurance ended", "last_day": "2030-01-01"}
    page = as_(ada).post(reverse(LIST), form | asked, follow=True)
    said = [str(message) for message in page.context["messages"]]
    assert len(said) == 2 and said[0].endswith(": 1.")
    assert said[1] == told


def test_whoever_is_suspended_is_named_before_everybody_is_ended(as_, ada, max_, tower):
    """They are ended too."""
    max_.project_memberships.suspend("strike", ada.user)
    path = reverse("admin:companies_project_demobilise", args=[tower.pk])
    assert "On the project now or later: 1" in as_(ada).get(path).text
