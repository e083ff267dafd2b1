"""The page of a person: adding, correcting, and what is not the company's to change."""

import re
from functools import partial

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.messages import get_messages
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.models import Membership, Project, Vendor
from companies.models.grants import DEACTIVATED
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER
from invitations.models import Invitation
from tests.cast import (
    FOREMAN,
    PASSWORD,
    add_entry,
    add_member,
    add_user,
    let_an_hour_pass,
    link_in,
    template,
    work,
)
from tests.meanwhile import just_before
from tests.steps import follow

DIRECTORY = "/admin/companies/membership/"
Kind = AuditEvent.Kind


def save(client, entry, **fields):
    """Post the change form of an entry as it stands, but for these fields."""
    data = {
        "email": entry.email,
        "first_name": entry.first_name,
        "last_name": entry.last_name,
        "template": entry.template_id,
        "is_active": "on",
        "project_memberships-TOTAL_FORMS": 0,
        "project_memberships-INITIAL_FORMS": 0,
        **fields,
    }
    given = {name: value for name, value in data.items() if value is not None}
    return client.post(f"{DIRECTORY}{entry.pk}/change/", given)


def grant_row(grant, **fields):
    """The row of a grant in the form of its person, as it stands but for these."""
    row = {
        "id": grant.pk,
        "membership": grant.membership_id,
        "project": grant.project_id,
        "template": grant.template_id,
        **fields,
    }
    return {
        "project_memberships-TOTAL_FORMS": 1,
        "project_memberships-INITIAL_FORMS": 1,
        **{f"project_memberships-0-{name}": value for name, value in row.items()},
    }


def errors(answer):
    return answer.context["adminform"].form.errors


def test_a_person_is_added_with_a_project(as_, ada, tower):
    """And without an account: that begins with the invitation (S1)."""
    data = {
        "email": " Kim@Acme.example ",
        "first_name": "Kim",
        "template": template(ada.company, MEMBER).pk,
        "project_memberships-TOTAL_FORMS": 1,
        "project_memberships-INITIAL_FORMS": 0,
        "project_memberships-0-project": tower.pk,
        "project_memberships-0-template": template(ada.company, FOREMAN).pk,
        "project_memberships-0-ends_on": "2030-06-30",
    }
    answer = as_(ada).post(f"{DIRECTORY}add/", data)
    assert answer.status_code == 302
    kim = Membership.objects.get(email="kim@acme.example")
    assert (kim.company, kim.user) == (ada.company, None)
    assert [str(grant) for grant in kim.project_memberships.all()] == [
        "Kim on 24-017 Harbour Tower"
    ]
    assert not User.objects.filter(email=kim.email).exists()


@pytest.mark.parametrize("button", ["_save", "_invite"])
def test_a_person_is_added_and_invited_in_one_go(as_, ada, mailoutbox, button):
    """The mail knows the projects, and is sent only where it is asked for."""
    data = {
        "email": "kim@acme.example",
        "template": template(ada.company, MEMBER).pk,
        "project_memberships-TOTAL_FORMS": 0,
        "project_memberships-INITIAL_FORMS": 0,
        button: "1",
    }
    client = as_(ada)
    assert 'name="_invite"' in client.get(f"{DIRECTORY}add/").content.decode()
    answer = client.post(f"{DIRECTORY}add/", data, follow=True)
    said = " ".join(map(str, answer.context["messages"]))
    assert "was added successfully" in said
    work()
    is_invited = button == "_invite"
    assert ("The invitation is on its way." in said) == is_invited
    assert [letter.to for letter in mailoutbox] == [["kim@acme.example"]] * is_invited


def step(client, entry):
    """The button in the section of the invitation: what it does, and its words."""
    page = client.get(f"{DIRECTORY}{entry.pk}/change/").content.decode()
    name = "(?:_continue|CHANGE_FORM-action)"
    return re.findall(rf' name="{name}" value="(?!run)(\w+)">(.*?)<', page)


def test_the_page_of_a_person_offers_the_next_step(
    as_, ada, acme, ivo, max_, cora, rory
):
    kim = add_entry(acme, "kim@acme.example")
    client = as_(ada)
    assert step(client, kim) == [("invite", "Save and invite")]
    assert step(as_(cora), kim) == [("invite", "Invite")]  # she may save nothing
    assert step(as_(rory), kim) == []
    form = client.get(f"{DIRECTORY}{kim.pk}/change/").text
    assert 'name="_continue" value="run">Save and run<' in form
    assert step(client, max_) == []
    answer = save(client, kim, _continue="invite")
    assert answer.url == f"{DIRECTORY}{kim.pk}/change/"
    assert kim.invitations.pending().exists()
    assert step(client, kim) == []
    Invitation.objects.update(
        sent_at="2020-01-01T08:00Z", expires_at="2020-01-08T08:00Z"
    )
    assert step(client, kim) == [("send_again", "Save and send the invitation again")]


@pytest.mark.parametrize(
    "button",
    [
        {"_continue": "send_again"},
        {"_continue": "run", "CHANGE_FORM-action": "remind"},
        {"_continue": "run"},
    ],
    ids=str,
)
def test_what_was_typed_is_saved_before_anything_is_done(
    as_, ada, ivo, mailoutbox, button
):
    """And one mail goes out, to the new address."""
    work()
    let_an_hour_pass(ivo.membership)
    button |= {"email": "ivo.novak@subco.example", "job_title": "Welder"}
    answer = save(as_(ada), ivo.membership, **button)
    assert answer.status_code == (200 if "CHANGE_FORM-action" in button else 302)
    work()
    ivo.membership.refresh_from_db()
    assert ivo.membership.job_title == "Welder"
    assert [letter.to for letter in mailoutbox[1:]] == [["ivo.novak@subco.example"]]


def test_nothing_is_done_when_what_was_typed_is_wrong(as_, ada, ivo, max_):
    """The form comes back with it, and with what is wrong."""
    client, fields = as_(ada), {"email": max_.email, "job_title": "Welder"}
    answer = save(client, ivo.membership, _continue="send_again", **fields)
    assert 'value="Welder"' in answer.text
    assert "in your directory already" in str(errors(answer)["email"])
    assert ivo.deliveries.count() == 1


def test_a_new_person_is_a_plain_member_unless_it_is_said_otherwise(as_, ada):
    form = as_(ada).get(f"{DIRECTORY}add/").context["adminform"].form
    assert form.initial["template"] == template(ada.company, MEMBER)


@pytest.mark.parametrize("email", ["max@acme.example", "MAX@acme.example"])
def test_an_address_stands_in_a_directory_once(as_, ada, max_, ivo, email):
    answer = save(as_(ada), ivo.membership, email=email, first_name="Kept")
    assert "in your directory already" in str(errors(answer)["email"])
    assert 'value="Kept"' in answer.content.decode()  # nothing entered is lost


def test_the_log_in_of_a_joined_person_is_taken_too(as_, ada, max_, ivo):
    """Whatever address their entry was invited under."""
    max_.user.email = "weber@home.example"
    max_.user.save()
    answer = save(as_(ada), ivo.membership, email="weber@home.example")
    assert "in your directory already" in str(errors(answer)["email"])


def test_an_address_of_another_company_is_free_here(as_, ada, gina, ivo):
    """T22: nothing tells that Globex knows it."""
    assert save(as_(ada), ivo.membership, email=gina.email).status_code == 302


def test_a_corrected_address_gets_a_fresh_invitation(as_, ada, client, ivo, mailoutbox):
    """T4: the old link dies, the new one goes to the new address only."""
    work()
    answer = save(as_(ada), ivo.membership, email="ivo.novak@subco.example")
    assert answer.status_code == 302
    work()
    old, new = mailoutbox
    assert new.to == ["ivo.novak@subco.example"]
    page = client.get(link_in(old), follow=True).content.decode()
    assert "newer invitation" in page
    page = client.get(link_in(new), follow=True).content.decode()
    assert "Create a Password" in page
    assert ivo.membership.project_memberships.count() == 1


def test_an_address_put_back_at_once_is_told_to_have_no_link(as_, ada, client, ivo):
    """T4, T27: the mail would come too soon; what was sent before works no more."""
    administrator = as_(ada)
    entry = ivo.membership
    for email in ("typo@subco.example", "ivo@subco.example"):
        save(administrator, entry, email=email)
    page = administrator.get(f"{DIRECTORY}{entry.pk}/change/").content.decode()
    assert "nothing has been sent to the corrected address yet" in page
    assert "the invitation is still to be sent there" in page
    assert "Invited on" not in page
    # Inviting isn't put off by what works no more.
    let_an_hour_pass(entry)
    given = {"action": "invite", "_selected_action": [entry.pk]}
    administrator.post(DIRECTORY, given)
    ivo.refresh_from_db()
    assert (ivo.sent_to, ivo.version) == ("ivo@subco.example", 3)
    assert "Create a Password" in follow(client, ivo).content.decode()


@pytest.mark.parametrize("invited", [True, False])
def test_no_mail_goes_out_where_nothing_was_corrected(as_, ada, ivo, acme, invited):
    entry = ivo.membership if invited else add_entry(acme, "kim@acme.example")
    fields = {} if invited else {"email": "kim2@acme.example"}
    save(as_(ada), entry, job_title="Foreman", **fields)
    ivo.refresh_from_db()
    assert ivo.version == 1
    assert ivo.deliveries.count() == 1


def test_the_address_of_a_joined_person_is_read_only(as_, ada, max_):
    """T36, T45: and a posted one is ignored."""
    form = as_(ada).get(f"{DIRECTORY}{max_.pk}/change/").context["adminform"].form
    assert "email" not in form.fields
    answer = save(as_(ada), max_, email="eve@evil.example", first_name="Maximilian")
    assert answer.status_code == 302
    max_.refresh_from_db()
    assert (max_.first_name, max_.email) == ("Maximilian", "max@acme.example")
    assert max_.user.email == "max@acme.example"


def test_a_joined_person_can_be_edited_whatever_address_others_took(as_, ada, max_):
    """Max has left his address, and Kim has taken it: no error names a field that
    the form doesn't have."""
    max_.user.email = "weber@home.example"
    max_.user.save()
    kim = add_member(ada.company, "kim@acme.example")
    kim.user.email = "max@acme.example"
    kim.user.save()
    assert save(as_(ada), max_, job_title="Foreman").status_code == 302


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("is_superuser", "on"),
        ("is_staff", "on"),
        ("user__is_superuser", "on"),
        ("password", "Eve-Password-1"),
        ("user", "{other}"),
        ("user_id", "{other}"),
        ("groups", "1"),
        ("newsletter_since", "2026-01-01"),
    ],
)
def test_nothing_of_the_log_in_is_set_here(as_, ada, max_, gina, name, value):
    """T45, T46, T58."""
    before = User.objects.filter(pk=max_.user_id).values().get()
    answer = save(as_(ada), max_, **{name: value.format(other=gina.user_id)})
    assert answer.status_code == 302
    assert User.objects.filter(pk=max_.user_id).values().get() == before
    assert check_password(PASSWORD, before["password"])
    max_.refresh_from_db()
    assert max_.user_id == before["id"]


@pytest.mark.parametrize("change", ["template", "is_active"])
def test_the_last_administrator_stays(as_, ada, max_, change):
    """T44: a friendly form error, and nothing else."""
    value = template(ada.company, MEMBER).pk if change == "template" else None
    answer = save(as_(ada), ada, **{change: value})
    assert answer.status_code == 200
    assert "only administrator" in str(errors(answer))
    ada.refresh_from_db()
    assert (ada.is_active, ada.template.name) == (True, COMPANY_ADMINISTRATOR)


@pytest.mark.parametrize("change", ["template", "is_active"])
def test_an_administrator_can_go_when_another_one_stays(as_, ada, acme, change):
    """T35: and is out at the next request."""
    add_member(acme, "lena@acme.example", template=COMPANY_ADMINISTRATOR)
    client = as_(ada)
    value = template(acme, MEMBER).pk if change == "template" else None
    assert save(client, ada, **{change: value}).status_code == 302
    assert client.get(DIRECTORY).status_code == 403


def test_an_invited_administrator_does_not_count_yet(as_, ada, acme):
    """T44: somebody who has not joined can't take over."""
    add_entry(acme, "lena@acme.example", template=COMPANY_ADMINISTRATOR)
    answer = save(as_(ada), ada, is_active=None)
    assert "only administrator" in str(errors(answer))


def test_a_template_for_projects_is_no_company_template(as_, ada, ivo):
    """T44: neither offered nor taken."""
    foreman = template(ada.company, FOREMAN)
    answer = save(as_(ada), ivo.membership, template=foreman.pk)
    assert "template" in errors(answer)


def test_days_in_the_wrong_order_are_a_form_error(as_, ada, ivo):
    grant = ivo.membership.project_memberships.get()
    answer = save(
        as_(ada),
        ivo.membership,
        **{
            "project_memberships-TOTAL_FORMS": 1,
            "project_memberships-INITIAL_FORMS": 1,
            "project_memberships-0-id": grant.pk,
            "project_memberships-0-membership": ivo.membership_id,
            "project_memberships-0-project": grant.project_id,
            "project_memberships-0-template": grant.template_id,
            "project_memberships-0-starts_on": "2030-02-01",
            "project_memberships-0-ends_on": "2030-01-01",
        },
    )
    [found] = answer.context["inline_admin_formsets"][0].formset.errors
    assert found == {"ends_on": ["The last day can't be before the first."]}


def test_who_changed_what_is_in_the_history(as_, ada, max_):
    """T56."""
    client = as_(ada)
    save(client, max_, job_title="Foreman")
    page = client.get(f"{DIRECTORY}{max_.pk}/history/").content.decode()
    assert "ada@acme.example" in page
    assert "Job title" in page


def test_who_is_deactivated_is_put_on_no_project_unless_they_come_back(
    as_, ada, acme, tower
):
    """What the person has there already can be changed meanwhile."""
    gone = add_entry(acme, "gone@acme.example", is_active=False)
    row = {
        "project_memberships-TOTAL_FORMS": 1,
        "project_memberships-0-project": tower.pk,
        "project_memberships-0-template": template(acme, FOREMAN).pk,
    }
    client = as_(ada)
    page = save(client, gone, is_active=None, **row)
    assert DEACTIVATED in page.text
    assert f">{tower}</option>" in page.text
    assert save(client, gone, **row).status_code == 302
    grant = gone.project_memberships.get()
    day = grant_row(grant, ends_on="2030-06-30")
    assert save(client, gone, is_active=None, **day).status_code == 302
    grant.refresh_from_db()
    assert (str(grant.ends_on), grant.membership.is_active) == ("2030-06-30", False)


def test_a_grant_stays_on_its_project_whatever_is_posted(as_, ada, acme, max_, tower):
    """Another project is another grant: this one's history is of the first."""
    grant = max_.project_memberships.get()
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    row = grant_row(grant, project=annex.pk, ends_on="2030-06-30")
    client = as_(ada)
    page = client.get(f"{DIRECTORY}{max_.pk}/change/")
    [form] = page.context["inline_admin_formsets"][0].formset.initial_forms
    assert "disabled" in str(form["project"])
    assert save(client, max_, **row).status_code == 302
    grant.refresh_from_db()
    assert (grant.project, str(grant.ends_on)) == (tower, "2030-06-30")
    assert not annex.project_memberships.exists()


def test_who_joins_while_their_form_is_saved_stays_in(as_, ada, ivo):
    """Only what was changed in the form is written, whatever it was read with."""
    user = add_user(ivo.membership.email)
    client = as_(ada)
    happens = partial(ivo.membership.join, user, timezone.now())
    with just_before('UPDATE "companies_membership" SET', happens):
        save(client, ivo.membership, phone="+49 30 1234")
    entry = Membership.objects.get(pk=ivo.membership_id)
    assert (entry.user, entry.phone) == (user, "+49 30 1234")


def test_who_is_suspended_while_their_form_is_saved_stays_so(as_, ada, max_):
    grant = max_.project_memberships.get()
    client = as_(ada)
    row = grant_row(grant, ends_on="2030-06-30")
    happens = partial(max_.project_memberships.suspend, "insurance ended", None)
    with just_before('UPDATE "companies_projectmembership" SET', happens):
        assert save(client, max_, **row).status_code == 302
    grant.refresh_from_db()
    assert grant.suspension_reason == "insurance ended"
    assert str(grant.ends_on) == "2030-06-30"


def test_who_is_deleted_while_their_form_is_saved_is_not_made_anew(as_, ada, acme):
    """What is told instead is a sentence, not an error page."""
    firm = Vendor.objects.create(company=acme, name="Bolt")
    path = f"/admin/companies/vendor/{firm.pk}/change/"
    client = as_(ada)
    with just_before('UPDATE "companies_vendor" SET', firm.delete):
        answer = client.post(path, {"name": "Bolt & Sons"})
    assert answer.status_code == 302
    assert not Vendor.objects.filter(name="Bolt & Sons").exists()
    told = [str(each) for each in get_messages(answer.wsgi_request)]
    assert told == ["Somebody else has just changed this. Check it and try again."]


def test_what_the_form_changes_is_read_in_the_history(as_, ada, max_):
    """T56: from what to what, and of the kind that the actions write for the same."""
    grant = max_.project_memberships.get()
    administrator = template(ada.company, COMPANY_ADMINISTRATOR)
    given = {
        "phone": "030 1234",
        "template": administrator.pk,
        "is_active": None,
        **grant_row(grant, ends_on="2030-06-30"),
    }
    assert save(as_(ada), max_, **given).status_code == 302
    events = AuditEvent.objects.about(max_).filter(actor=ada.user)
    # PostgreSQL keeps facts in an order of its own.
    assert {event.kind: set(event.details) for event in events} == {
        Kind.TEMPLATE_CHANGED: {"before: Member", "after: Company Administrator"},
        Kind.ENTRY_DEACTIVATED: set(),
        Kind.ENTRY_CHANGED: {"telephone: — → 030 1234"},
        Kind.GRANT_CHANGED: {
            "project: 24-017 Harbour Tower",
            f"template: {FOREMAN}",
            "last day: 2030-06-30",
        },
    }


def test_who_is_put_on_a_project_in_the_form_is_told_of_so(as_, ada, max_, acme):
    """The same event as from every other door, about the person."""
    annex = Project.objects.create(company=acme, name="Annex", number="24-018")
    row = {
        "project_memberships-TOTAL_FORMS": 1,
        "project_memberships-INITIAL_FORMS": 0,
        "project_memberships-0-project": annex.pk,
        "project_memberships-0-template": template(acme, FOREMAN).pk,
    }
    assert save(as_(ada), max_, **row).status_code == 302
    other = Project.objects.create(company=acme, name="Quay", number="24-019")
    added = {
        "membership": max_.pk,
        "project": other.pk,
        "template": template(acme, FOREMAN).pk,
    }
    as_(ada).post("/admin/companies/projectmembership/add/", added)
    events = AuditEvent.objects.about(max_).filter(kind=Kind.GRANTED)
    assert [event.facts["project"] for event in events] == [str(other), str(annex)]
