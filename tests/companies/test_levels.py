"""The levels of the desk: None stays out, Read Only looks, Standard adds and invites,
Admin does everything; and nobody gives above their own level (T44)."""

import pytest
from django.contrib import admin
from django.urls import reverse

from audit.models import AuditEvent
from companies.models import Membership, PermissionTemplate, ProjectMembership, Vendor
from invitations.models import Invitation
from tests.cast import add_entry, add_member, put_on, template

DIRECTORY = reverse("admin:companies_membership_changelist")
ADD = reverse("admin:companies_membership_add")
ADD_GRANT = reverse("admin:companies_projectmembership_add")
SUBCONTRACTOR = "Subcontractor – External"
EMPTY_INLINE = {
    "project_memberships-TOTAL_FORMS": 0,
    "project_memberships-INITIAL_FORMS": 0,
}


def person(company, email, name="Member", **more):
    return {
        "email": email,
        "template": template(company, name).pk,
        **EMPTY_INLINE,
        **more,
    }


def act(client, action, *entries, **more):
    keys = [entry.pk for entry in entries]
    return client.post(
        DIRECTORY, {"action": action, "_selected_action": keys, **more}, follow=True
    )


def test_without_a_level_the_desk_is_absent(as_, max_):
    client = as_(max_)
    assert client.get("/admin/").status_code == 403
    assert "Administration" not in client.get("/companies/", follow=True).text


@pytest.mark.parametrize("name", ["rory", "cora", "ada"])
def test_who_has_a_level_sees_the_directory(request, as_, max_, name):
    client = as_(request.getfixturevalue(name))
    assert "Administration" in client.get("/companies/", follow=True).text
    assert "Max Weber" in client.get(DIRECTORY).text


def test_a_first_password_alone_opens_no_desk(as_, cora):
    cora.user.emailaddress_set.update(verified=False)
    assert as_(cora).get("/admin/").status_code == 403


def test_read_only_is_offered_no_action_and_no_button(as_, rory, max_, ivo):
    client = as_(rory)
    page = client.get(DIRECTORY)
    assert [name for name, _ in actions_of(page)] in ([], ["export"])
    assert ADD not in page.text
    path = reverse("admin:companies_membership_change", args=[max_.pk])
    person_page = client.get(path).text
    assert 'name="_save"' not in person_page
    assert client.post(path, {"last_name": "X"}).status_code == 403
    assert client.post(ADD, person(rory.company, "x@acme.example")).status_code == 403
    act(client, "invite", max_)
    act(client, "revoke", ivo.membership)
    assert Invitation.objects.get() == ivo
    assert Invitation.objects.pending().exists()


def actions_of(page):
    form = page.context.get("action_form")
    choices = form.fields["action"].choices if form else []
    groups = [some for _, some in choices if isinstance(some, list)]
    single = [(value, label) for value, label in choices if isinstance(label, str)]
    return [(value, label) for value, label in sum(groups, single) if value]


def test_each_page_shows_itself_to_who_may_only_look(as_, rory, max_, ivo, ada):
    """No page breaks where its form has no field that may be changed."""
    rows = {
        "companies/membership": max_,
        "companies/projectmembership": max_.project_memberships.get(),
        "companies/project": max_.project_memberships.get().project,
        "companies/permissiontemplate": max_.template,
        "invitations/invitation": ivo,
        "companies/vendor": Vendor.objects.create(company=max_.company, name="Bolt"),
    }
    client = as_(rory)
    for path, row in rows.items():
        page = client.get(f"/admin/{path}/{row.pk}/change/")
        assert page.status_code == 200, path
        assert 'name="_save"' not in page.text, path
        assert client.post(f"/admin/{path}/{row.pk}/change/", {}).status_code == 403


def test_standard_adds_a_person_and_invites_her(as_, cora):
    client = as_(cora)
    answer = client.post(ADD, person(cora.company, "new@acme.example"))
    assert answer.status_code == 302
    entry = Membership.objects.get(email="new@acme.example")
    act(client, "invite", entry)
    invitation = Invitation.objects.get(membership=entry)
    assert invitation.invited_by == cora.user
    added = AuditEvent.objects.get(kind="entry_added", about_id=entry.pk)
    assert added.actor_id == cora.user.pk


def test_standard_changes_and_revokes_nothing(as_, cora, max_, ivo):
    client = as_(cora)
    path = reverse("admin:companies_membership_change", args=[ivo.membership.pk])
    assert client.get(path).status_code == 200
    form = person(cora.company, "other@acme.example")
    assert client.post(path, form).status_code == 403
    act(client, "revoke", ivo.membership)
    assert Invitation.objects.pending().exists()
    names = {value for value, _ in actions_of(client.get(DIRECTORY))}
    assert "invite" in names
    assert not names & {"revoke", "deactivate", "change_template"}


def test_standard_is_offered_only_what_she_may_give(as_, cora):
    page = as_(cora).get(ADD)
    offered = page.context["adminform"].form.fields["template"].queryset
    assert [each.name for each in offered] == ["Member"]


@pytest.mark.parametrize("name", ["Company Administrator", "Coordinator"])
def test_nobody_adds_a_person_above_the_own_level(as_, cora, name):
    """T44: a template that the page never offered is no valid choice."""
    answer = as_(cora).post(ADD, person(cora.company, "x@acme.example", name))
    assert "Select a valid choice" in answer.text
    assert not Membership.objects.filter(email="x@acme.example").exists()


def test_on_the_list_is_not_enough_when_a_level_is_above(as_, cora):
    """T44: both hold, the list and the level."""
    template(cora.company, "Member").set_levels({"reports": 1}, None)
    answer = as_(cora).post(ADD, person(cora.company, "x@acme.example"))
    assert "Select a valid choice" in answer.text


def grant_form(entry, project, name=SUBCONTRACTOR):
    given = template(entry.company, name)
    return {"membership": entry.pk, "project": project.pk, "template": given.pk}


def test_standard_puts_people_on_her_own_projects_only(as_, cora, tower, acme):
    """T44: on a project, what counts is the template held there."""
    client = as_(cora)
    entry = add_entry(acme, "x@subco.example")
    client.post(ADD_GRANT, grant_form(entry, tower))
    assert ProjectMembership.objects.filter(membership=entry, project=tower).exists()
    other = tower.__class__.objects.create(company=acme, name="Other", number="O-1")
    answer = client.post(ADD_GRANT, grant_form(entry, other))
    assert "You may not hand out Subcontractor – External on O-1 Other." in answer.text
    assert not ProjectMembership.objects.filter(project=other).exists()


def test_the_action_offers_her_own_projects_and_templates_only(
    as_, cora, tower, max_, acme
):
    """T44: and it takes no others."""
    other = tower.__class__.objects.create(company=acme, name="Other", number="O-1")
    client = as_(cora)
    page = act(client, "add_to_project", max_)
    asked = page.context["form"].fields
    assert list(asked["project"].queryset) == [tower]
    assert str(tower) in page.text
    assert [each.name for each in asked["template"].queryset] == [SUBCONTRACTOR]
    given = template(acme, SUBCONTRACTOR).pk
    entry = add_entry(acme, "x@subco.example")
    form = {"template": given, "apply": "1"}
    page = act(client, "add_to_project", entry, project=other.pk, **form)
    assert "Choose another project." in page.text
    act(client, "add_to_project", entry, project=tower.pk, **form)
    assert list(entry.project_memberships.values_list("project", flat=True)) == [
        tower.pk
    ]


def test_nor_above_through_the_rows_of_the_form(as_, cora, tower):
    given = template(cora.company, "Project Manager – Internal")
    inline = {
        "project_memberships-TOTAL_FORMS": 1,
        "project_memberships-INITIAL_FORMS": 0,
        "project_memberships-0-project": tower.pk,
        "project_memberships-0-template": given.pk,
    }
    form = person(cora.company, "x@acme.example", **inline)
    answer = as_(cora).post(ADD, form)
    assert "Select a valid choice" in answer.text
    assert not Membership.objects.filter(email="x@acme.example").exists()
    right = template(cora.company, SUBCONTRACTOR)
    form |= {"project_memberships-0-template": right.pk}
    assert as_(cora).post(ADD, form).status_code == 302


@pytest.mark.parametrize("what", ["template", "grant"])
def test_nobody_invites_whom_they_could_not_have_added(as_, cora, tower, acme, what):
    """T18b, T44: the templates of the entry count, the company's and the projects'."""
    boss = "Company Administrator" if what == "template" else "Member"
    entry = add_entry(acme, "boss@acme.example", template=boss)
    if what == "grant":
        put_on(entry, tower, "Project Manager – Internal")
    page = act(as_(cora), "invite", entry)
    assert "You may not hand out the templates of this entry." in page.text
    assert not Invitation.objects.exists()


def test_what_she_may_invite_is_what_has_perm_says(cora, tower, acme):
    plain = add_entry(acme, "a@acme.example")
    on_site = add_entry(acme, "b@subco.example")
    put_on(on_site, tower, SUBCONTRACTOR)
    lead = add_entry(acme, "c@acme.example")
    put_on(lead, tower, "Project Manager – Internal")
    boss = add_entry(acme, "d@acme.example", template="Company Administrator")
    asked = [
        cora.user.has_perm("companies.invite_membership", entry)
        for entry in (plain, on_site, lead, boss)
    ]
    assert asked == [True, True, False, False]


def test_an_invitation_waits_when_the_inviter_was_lowered(cora, acme):
    """T18b: what she could give then she could not give today."""
    entry = add_entry(acme, "a@acme.example")
    [invitation] = Invitation.objects.send([entry], cora.user).sent
    assert invitation.may_be_confirmed_by(fresh(cora))
    Membership.objects.filter(pk=cora.pk).update(template=template(acme, "Member"))
    assert not invitation.may_be_confirmed_by(fresh(cora))


def fresh(entry):
    return entry.user.__class__.objects.get(pk=entry.user.pk)


def test_asking_costs_the_same_for_one_and_for_many(cora, acme, tower):
    """T44: the hand-out list is read once a request."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for size in (1, 40):
        entries = [add_entry(acme, f"p{size}-{n}@acme.example") for n in range(size)]
        user = fresh(cora)
        with CaptureQueriesContext(connection) as queries:
            sending = Invitation.objects.send(entries, user)
        assert len(sending.sent) == size
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_levels_are_of_the_selected_company(as_, cora, globex, max_):
    """Read Only there, Standard here: each desk has its own level."""
    reader = PermissionTemplate.objects.create(
        company=globex, name="Reader", scope="company"
    )
    reader.set_levels({"directory": 1}, None)
    add_member(globex, "cora@acme.example", template="Reader")
    client = as_(cora)
    select = reverse("companies:select")
    client.post(select, {"company": globex.slug})
    assert client.get(ADD).status_code == 403
    client.post(select, {"company": cora.company.slug})
    assert client.get(ADD).status_code == 200


def test_every_action_says_which_level_it_takes():
    """An action without one would be open to Read Only."""
    from companies.admin import CompanyScopedAdmin

    for model, model_admin in admin.site._registry.items():
        if isinstance(model_admin, CompanyScopedAdmin):
            for name in model_admin.actions or []:
                action = getattr(model_admin, name)
                assert getattr(action, "allowed_permissions", None), (model, name)


def test_coordinator_raises_herself_by_no_door(as_, cora, ada, tower):
    """T44: not by her grant, her entry, her template, nor what is done in bulk."""
    client, company = as_(cora), cora.company
    grant, own = cora.project_memberships.get(), cora.template
    lead, boss = (
        template(company, name)
        for name in ("Project Manager – Internal", "Company Administrator")
    )

    def rows():
        return (
            list(Membership.objects.values()),
            list(ProjectMembership.objects.values()),
            list(PermissionTemplate.objects.values()),
            [each.level_of() for each in PermissionTemplate.objects.all()],
        )

    before = rows()
    matrix = {f"level_{tool}": 3 for tool in own.level_of()}
    templates = reverse("admin:companies_permissiontemplate_changelist")
    grants = reverse("admin:companies_projectmembership_changelist")
    doors = {
        f"{grants}{grant.pk}/change/": {"template": lead.pk},
        f"{DIRECTORY}{cora.pk}/change/": person(
            company, cora.email, boss.name, is_active="on"
        ),
        f"{templates}{own.pk}/change/": {"name": own.name, "confirmed": "", **matrix},
        f"{templates}add/?scope=company": {"name": "Mine", **matrix},
        templates: {"action": "duplicate", "_selected_action": boss.pk},
        DIRECTORY: {
            "action": "change_template",
            "_selected_action": cora.pk,
            "template": boss.pk,
            "apply": "1",
        },
        ADD_GRANT: grant_form(cora, tower, lead.name),
        grants: {
            "action": "end",
            "_selected_action": grant.pk,
            "last_day": "2030-01-01",
            "apply": "1",
        },
        reverse("admin:companies_project_add_people", args=[tower.pk]): {
            "people": [cora.pk],
            "template": lead.pk,
        },
    }
    for path, form in doors.items():
        client.post(path, form)
        assert rows() == before, path
