"""The first page of the desk: figures that agree with the lists that they lead to."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.models import Membership
from desk.overview import Overview
from desk.status import Status
from invitations.models import Delivery, Invitation
from tests.cast import add_entry, add_member, invite, put_on

INDEX = reverse("admin:index")
WEEK = timedelta(weeks=1)


@pytest.fixture
def people(acme, ada, max_, ivo, tower):
    """Somebody in each status; Ada, Max and Ivo are there already."""
    now = timezone.now()
    add_entry(acme, "new@acme.example")
    expired, asked, held, refused, declined, revoked, corrected = (
        invite(add_entry(acme, f"{name}@acme.example"), ada.user)
        for name in (
            *("expired", "asked", "held", "refused", "declined", "revoked"),
            "corrected",
        )
    )
    rows = Invitation.objects
    yesterday = now - timedelta(days=1)
    rows.filter(pk=expired.pk).update(sent_at=now - WEEK, expires_at=yesterday)
    rows.filter(pk=asked.pk).update(new_link_asked_at=now)
    rows.filter(pk=held.pk).update(held_at=now)
    refused.deliveries.update(
        state=Delivery.State.REFUSED, settled_at=now, reason="550 5.1.1 Unknown"
    )
    declined.decline(declined.version)
    entries = Membership.objects.filter(pk=corrected.membership_id)
    entries.update(email="right@acme.example")
    rows.filter(pk=revoked.pk).revoke(ada.user)
    gone = add_member(acme, "gone@acme.example")
    Membership.objects.filter(pk=gone.pk).update(is_active=False)
    return acme


def overview_of(company):
    return Overview(company, timezone.now())


def test_each_figure_leads_to_the_list_that_it_counts(as_, ada, people):
    client, figures = as_(ada), overview_of(people)
    for figure in [*figures.people, *figures.attention, *figures.projects]:
        listed = client.get(figure.url).context["cl"].result_count
        assert (figure.label, listed) == (figure.label, figure.count)


def test_everybody_is_counted_once(people):
    counts = overview_of(people).counts
    assert set(counts) == {status.value for status in Status}
    assert sum(counts.values()) == people.memberships.count()


def test_what_needs_attention_is_named(people, max_, tower):
    ending = timezone.localdate() + timedelta(days=3)
    max_.project_memberships.update(ends_on=ending)
    named = {figure.label: figure.count for figure in overview_of(people).attention}
    assert named == {
        "Mails that the mail server did not accept": 1,
        "Asked for a new link": 1,
        "Need your confirmation": 1,
        "Corrected addresses without an invitation": 1,
        "Invitations that have expired": 1,
        "Project access that ends within seven days": 1,
    }


def test_an_invitation_that_expires_soon_needs_attention(acme, ivo):
    soon = timezone.now() + timedelta(days=1)
    Invitation.objects.filter(pk=ivo.pk).update(expires_at=soon)
    [figure] = overview_of(acme).attention
    assert (figure.label, figure.count) == (
        "Invitations that expire within two days",
        1,
    )


def test_the_lists_hold_no_more_than_is_counted(as_, ada, people, max_, tower):
    """What expires later, is over, or is of somebody inactive isn't in them either."""
    now, today = timezone.now(), timezone.localdate()
    soon = invite(add_entry(people, "soon@acme.example"), ada.user)
    Invitation.objects.filter(pk=soon.pk).update(expires_at=now + timedelta(days=1))
    left = put_on(add_entry(people, "left@subco.example"), tower)
    over = {"ends_on": today - timedelta(days=1)}
    tower.project_memberships.filter(pk=left.pk).update(**over)
    gone = put_on(people.memberships.get(email="gone@acme.example"), tower)
    ends = {"ends_on": today + timedelta(days=2)}
    tower.project_memberships.filter(pk=gone.pk).update(**ends)
    max_.project_memberships.update(**ends)
    overview, client = overview_of(people), as_(ada)
    figures = [overview.expiring, overview.ending, *overview.projects]
    assert [figure.count for figure in figures] == [1, 1, 1]
    for figure in figures:
        listed = client.get(figure.url).context["cl"].result_count
        assert (figure.label, listed) == (figure.label, figure.count)


def test_nothing_to_do_is_said(as_, ada):
    assert "Nothing. Everybody who was invited" in as_(ada).get(INDEX).text


def test_an_empty_directory_says_how_to_begin(acme):
    assert overview_of(acme).people == []
    assert overview_of(acme).projects == []


def test_projects_are_those_whose_crew_can_not_get_in(acme, ada, ivo, tower, max_):
    [figure] = overview_of(acme).projects
    assert (figure.label, figure.count) == ("24-017 Harbour Tower", 1)
    put_on(add_entry(acme, "x@subco.example"), tower)
    assert overview_of(acme).projects[0].count == 2


def test_weeks_tell_how_many_of_those_invited_have_joined(people, ivo):
    weeks = overview_of(people).weeks
    assert len(weeks) == 12
    assert weeks[-1].begins_on <= timezone.localdate() < weeks[-1].begins_on + WEEK
    assert (weeks[-1].invited, weeks[-1].joined) == (8, 0)
    now = timezone.now()
    Invitation.objects.filter(pk=ivo.pk).update(
        state="accepted", settled_at=now, created_at=now - 2 * WEEK
    )
    weeks = overview_of(people).weeks
    assert (weeks[-1].invited, weeks[-1].joined) == (7, 0)
    assert (weeks[-3].invited, weeks[-3].joined) == (1, 1)


def test_the_picture_and_the_table_say_the_same(as_, ada, people):
    page = as_(ada).get(INDEX).text
    weeks = overview_of(people).weeks
    heights = re.findall(r'column-invited" x="\d+" width="13" height="([\d.]+)"', page)
    most = max(week.invited for week in weeks)
    assert [round(float(height) * most / 100) for height in heights] == [
        week.invited for week in weeks
    ]
    table = page.split("The same as a table")[1]
    cells = re.findall(r"<td>(\d+)</td><td>(\d+)</td>", table)
    assert cells == [(str(week.invited), str(week.joined)) for week in weeks]


def test_the_page_asks_as_much_of_one_as_of_thirty(as_, ada, people):
    client = as_(ada)
    counts = []
    for some in (range(1), range(1, 30)):
        for n in some:
            invite(add_entry(people, f"p{n}@acme.example"), ada.user)
        with CaptureQueriesContext(connection) as captured:
            client.get(INDEX)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 18


def test_an_operator_of_all_companies_sees_no_overview(as_, olga, acme):
    page = as_(olga).get(INDEX)
    assert page.status_code == 200
    assert "Needs attention today" not in page.text


def test_read_only_reads_it(as_, rory, people):
    page = as_(rory).get(INDEX).text
    assert "Needs attention today" in page
    assert reverse("admin:invitations_invitation_repair") not in page
