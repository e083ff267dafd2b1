"""The verbs that ask before they act, many rows at once, and who is offered which."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.models import Membership, Project, ProjectMembership, Vendor
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER
from desk.admin.verbs import GROUPS
from invitations.models import Delivery, Invitation
from tests.cast import FOREMAN, add_entry, invite, put_on, template
from tests.desk.test_directory_actions import DIRECTORY, messages, run

ASKED = {
    "remind": {"days": 3},
    "extend": {"days": 20},
    "change_template": {"template": "{template}"},
    "deactivate": {},
    "reactivate": {"projects": "kept"},
    "add_to_project": {"project": "{project}", "template": "{foreman}"},
}


@pytest.fixture
def given(acme, tower):
    """What is filled in where an action asks."""
    keys = {
        "template": template(acme, COMPANY_ADMINISTRATOR).pk,
        "project": tower.pk,
        "foreman": template(acme, FOREMAN).pk,
    }
    return {
        name: {field: str(value).format(**keys) for field, value in fields.items()}
        for name, fields in ASKED.items()
    }


def do(client, action, *entries, **fields):
    """Fill in and confirm."""
    return run(client, action, *entries, apply="Go", **fields)


def let_days_pass(days):
    Invitation.objects.update(sent_at=F("sent_at") - timedelta(days=days))
    Delivery.objects.update(created_at=F("created_at") - timedelta(days=days))


@pytest.mark.parametrize("action", ASKED)
def test_it_asks_first_and_says_whom_it_reaches(as_, ada, max_, ivo, action):
    before = list(Membership.objects.order_by("pk").values())
    answer = run(as_(ada), action, max_, ivo.membership)
    page = answer.content.decode()
    assert "2 chosen" in page
    assert "<li>Max Weber<" in page and "<li>Ivo Novak<" in page
    assert f'name="action" value="{action}"' in page
    assert list(Membership.objects.order_by("pk").values()) == before
    assert not ivo.deliveries.exclude(kind=Delivery.Kind.WELCOME).exists()


def test_reminding_says_who_is_not_reminded_and_why(as_, ada, ivo, acme, max_):
    let_days_pass(4)
    late = invite(add_entry(acme, "kim@subco.example", first_name="Kim"), ada.user)
    answer = do(as_(ada), "remind", ivo.membership, late.membership, max_, days=3)
    assert sorted(messages(answer)) == [
        "Kim: Got a mail within the last minute: wait a minute, and repeat.",
        "Max Weber: Joined already.",
        "The reminder is on its way.",
    ]
    assert ivo.deliveries.filter(kind=Delivery.Kind.REMINDER).count() == 1


@pytest.mark.parametrize(("days", "error"), [(0, True), (31, True), (30, False)])
def test_extending_takes_one_to_thirty_days(as_, ada, ivo, days, error):
    answer = do(as_(ada), "extend", ivo.membership, days=days)
    assert ("errorlist" in answer.content.decode()) == error
    if not error:
        assert messages(answer) == ["The invitation is open for longer now."]


def test_a_template_is_given_to_all_but_the_last_administrator(as_, ada, max_, ivo):
    member = template(ada.company, MEMBER)
    admin = template(ada.company, COMPANY_ADMINISTRATOR)
    rows = (ada, max_, ivo.membership)
    answer = do(as_(ada), "change_template", *rows, template=admin.pk)
    assert messages(answer) == [
        f"2 people are given the template {admin}.",
        "Ada Lindqvist: Has this template already.",
    ]
    answer = do(as_(ada), "change_template", ada, max_, template=member.pk)
    assert messages(answer)[0] == f"Max Weber is given the template {member}."
    assert messages(answer)[1].startswith("Ada Lindqvist: This is the company's only")


def test_only_company_templates_are_offered_and_taken(as_, ada, max_, gina, globex):
    """T39, T44."""
    page = run(as_(ada), "change_template", max_)
    field = page.context["form"].fields["template"]
    assert {(row.company, row.scope) for row in field.queryset} == {
        (ada.company, "company")
    }
    for key in (
        template(globex, COMPANY_ADMINISTRATOR).pk,
        template(ada.company, FOREMAN).pk,
    ):
        answer = do(as_(ada), "change_template", max_, template=key)
        assert "errorlist" in answer.content.decode()
    max_.refresh_from_db()
    assert max_.template.name == MEMBER


def test_deactivating_revokes_what_is_open_for_good(as_, ada, ivo, max_):
    """Switched on again the old link stays dead."""
    client = as_(ada)
    answer = do(client, "deactivate", ada, ivo.membership, max_)
    assert messages(answer)[0] == "2 people are deactivated."
    assert messages(answer)[1].startswith("Ada Lindqvist: This is the company's only")
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.REVOKED
    answer = do(client, "reactivate", ivo.membership, max_, projects="kept")
    assert messages(answer) == ["2 people are active again."]
    ivo.refresh_from_db()
    assert not ivo.is_open(ivo.version)
    assert ivo.membership.project_memberships.in_force().exists()


def test_switching_somebody_off_in_the_form_revokes_too(as_, ada, ivo):
    entry = ivo.membership
    data = {
        **{"email": entry.email, "template": entry.template_id},
        "project_memberships-TOTAL_FORMS": 0,
        "project_memberships-INITIAL_FORMS": 0,
    }
    as_(ada).post(f"{DIRECTORY}{entry.pk}/change/", data)
    ivo.refresh_from_db()
    assert ivo.state == Invitation.State.REVOKED


def test_reactivating_without_projects_ends_them(as_, ada, max_, tower):
    do(as_(ada), "deactivate", max_)
    do(as_(ada), "reactivate", max_, projects="ended")
    assert not Project.objects.visible_to(max_.user)
    yesterday = timezone.localdate() - timedelta(days=1)
    assert max_.project_memberships.get().ends_on == yesterday


# Who may, and how the list of actions reads


def offered(client):
    """The names of the offered actions, under their headings."""
    choices = client.get(DIRECTORY).context["action_form"].fields["action"].choices
    return {
        group: [name for name, _ in some]
        for group, some in choices
        if isinstance(some, list)
    }


def test_actions_stand_under_what_they_are_about(as_, ada, ivo):
    assert offered(as_(ada)) == GROUPS
    page = as_(ada).get(f"{DIRECTORY}{ivo.membership_id}/change/").content.decode()
    assert '<optgroup label="Access">' in page
    assert 'value="export"' not in page


def test_each_level_is_offered_what_it_may_do(as_, cora, rory, acme):
    """T44: and what isn't offered isn't done."""
    assert offered(as_(rory)) == {"List": ["export"]}
    assert offered(as_(cora)) == {
        "Invitation": ["invite", "send_again", "remind", "extend", "first_password"],
        "Access": ["add_to_project"],
        "List": ["export"],
    }


@pytest.mark.parametrize("action", ["revoke", *ASKED])
def test_a_reader_does_none_of_it(as_, rory, ivo, given, action):
    before = list(Membership.objects.order_by("pk").values())
    do(as_(rory), action, ivo.membership, **given.get(action, {}))
    assert list(Membership.objects.order_by("pk").values()) == before
    assert Invitation.objects.get().expires_at == ivo.expires_at
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("action", ["change_template", "deactivate", "reactivate"])
def test_a_coordinator_changes_nobody(as_, cora, ivo, given, action):
    before = list(Membership.objects.order_by("pk").values())
    do(as_(cora), action, ivo.membership, **given[action])
    assert list(Membership.objects.order_by("pk").values()) == before


# Many


def add_people(company, count):
    return Membership.objects.bulk_create(
        Membership(
            company=company,
            email=f"p{count}-{n}@acme.example",
            template=template(company, MEMBER),
            is_active=True,
        )
        for n in range(count)
    )


@pytest.mark.parametrize("action", ["invite", "send_again", "revoke", "export", *ASKED])
def test_300_across_pages_cost_as_many_queries_as_10(as_, ada, tower, given, action):
    """Section 7: whatever is chosen by 'select all'; nobody is left out."""
    client = as_(ada)
    counts = []
    for count in (10, 300):
        people = add_people(ada.company, count)
        rows = Membership.objects.filter(pk__in=[each.pk for each in people])
        if action not in ("invite", "add_to_project"):
            Invitation.objects.send(people, ada.user)
            let_days_pass(4)
        if action == "reactivate":
            rows.update(is_active=False)
        if action == "export":
            foreman = template(ada.company, FOREMAN)
            pairs = [(each, tower, foreman) for each in people]
            ProjectMembership.objects.grant(pairs, None)
        data = {"select_across": "1", "apply": "Go", **given.get(action, {})}
        data |= {"action": action, "_selected_action": people[0].pk}
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(f"{DIRECTORY}?q=p{count}-", data)
            b"".join(answer)
        counts.append(len(queries))
        if action == "export":
            continue
        told = client.get("/admin/").content.decode()
        assert f"{count} " in told or f"Added: {count}." in told, told
    assert abs(counts[1] - counts[0]) <= 1  # a message that is longer
    assert counts[1] < 45


# Taking it away


def exported(client, *entries):
    data = {"action": "export", "_selected_action": [entry.pk for entry in entries]}
    answer = client.post(DIRECTORY, data)
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="directory.csv"'
    )
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_file_has_a_row_for_each_project(as_, ada, max_, ivo, acme, tower):
    depot = Project.objects.create(company=acme, name="Depot", number="24-099")
    put_on(max_, depot, starts_on=date(2026, 1, 5), ends_on=date(2030, 6, 30))
    bolt = Vendor.objects.create(company=acme, name="Bolt Electric")
    default = template(acme, FOREMAN)
    Membership.objects.filter(pk=max_.pk).update(
        vendor=bolt, job_title="Foreman", default_project_template=default
    )
    other, first, second = exported(as_(ada), max_, ada)
    assert first == {
        "E-mail": "max@acme.example",
        "First name": "Max",
        "Last name": "Weber",
        "Job title": "Foreman",
        "Telephone": "",
        "Firm": "Bolt Electric",
        "Company template": MEMBER,
        "Default project template": FOREMAN,
        "Project": "24-017",
        "Project template": FOREMAN,
        "First day": "",
        "Last day": "",
        "Status": "Joined",
    }
    assert second == first | {
        "Project": "24-099",
        "First day": "2026-01-05",
        "Last day": "2030-06-30",
    }
    assert (other["E-mail"], other["Project"]) == ("ada@acme.example", "")


def test_no_cell_of_the_file_is_a_formula(as_, ada, acme):
    """T47"""
    evil = add_entry(acme, "evil@acme.example", first_name="=1+1", phone="+49 30 1")
    [row] = exported(as_(ada), evil)
    assert (row["First name"], row["Telephone"]) == ("'=1+1", "'+49 30 1")


def test_the_file_holds_the_own_company_only(as_, ada, max_, gina):
    """T41"""
    client = as_(gina)
    data = {"action": "export", "_selected_action": [gina.pk], "select_across": "1"}
    text = b"".join(client.post(DIRECTORY, data).streaming_content).decode()
    assert "gina@globex.example" in text
    assert "acme.example" not in text


def test_the_projects_of_a_person_show_days_and_suspension(as_, ada, max_):
    """The form tells what holds today, and why something doesn't."""
    grants = ProjectMembership.objects.filter(membership=max_)
    client = as_(ada)
    path = f"{DIRECTORY}{max_.pk}/change/"
    assert "In force" in client.get(path).content.decode()
    grants.suspend("Safety training is due", ada.user)
    assert "Suspended: Safety training is due" in client.get(path).content.decode()


def test_the_form_tells_how_the_invitation_stands(as_, ada, ivo):
    [mail] = Delivery.objects.claim(1)
    mail.settle(Delivery.State.REFUSED, "550 No such mailbox")
    page = as_(ada).get(f"{DIRECTORY}{ivo.membership_id}/change/").content.decode()
    assert "Not accepted by the mail server: 550 No such mailbox" in page
    told = "Invitation to ivo@subco.example: refused by the mail server (550 No such"
    assert told in page


@pytest.mark.parametrize(
    ("model", "action", "of_one", "of_two"),
    [
        ("membership", "deactivate", "Deactivate this person?", "Deactivate 2 people?"),
        ("projectmembership", "suspend", "Suspend this access?", "Suspend 2 accesses?"),
        (
            "projectmembership",
            "end",
            "Set a last day for this access?",
            "Set a last day for 2 accesses?",
        ),
        ("membership", "reactivate", "Reactivate", "Reactivate"),
    ],
)
def test_what_takes_away_says_so(as_, ada, max_, ivo, model, action, of_one, of_two):
    """By the colour of its button, and by how many it is of."""
    people = [max_, ivo.membership]
    rows = people
    if model == "projectmembership":
        rows = [each.project_memberships.get() for each in people]
    path = reverse(f"admin:companies_{model}_changelist")
    for chosen, title in ((rows[:1], of_one), (rows, of_two)):
        keys = [row.pk for row in chosen]
        page = as_(ada).post(path, {"action": action, "_selected_action": keys})
        assert f"<h1>{title}</h1>" in page.text
        assert ('class="default danger"' in page.text) == ("?" in title)
