"""Two windows, one session: a form belongs to the company that it was shown for (T37).

'You switched to Globex in another window': nothing is written, nothing is lost, and one
button switches back and saves.
"""

from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from companies.models import Membership, PermissionTemplate, Project, Vendor
from companies.tools import COMPANY_ADMINISTRATOR
from desk.models import Import
from invitations.models import Delivery, Invitation
from tests.cast import (
    DeskClient,
    add_entry,
    add_member,
    invite,
    let_an_hour_pass,
    put_on,
)
from tests.desk.lists import applied, planned, xlsx_file
from tests.test_scope import MISSING, model_of, path_of, patterns, rows, stored

SELECT = reverse("companies:select")
DIRECTORY = reverse("admin:companies_membership_changelist")
BACKEND = "invitations.backends.AuthenticationBackend"
OWN_WAY = {reverse("account_logout"), reverse("admin:all")}

__all__ = ["rows"]


class Forms(HTMLParser):
    """The forms of a page that post: where to, and their hidden fields and buttons."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            method = given.get("method", "").lower()
            self.found.append((method, given.get("action") or "", []))
        if tag in ("input", "button") and self.found and given.get("name"):
            self.found[-1][2].append((given["name"], given.get("value", "")))

    @property
    def posting(self):
        return [each[1:] for each in self.found if each[0] == "post"]


def desk_forms(answer):
    return [
        dict(fields)
        for action, fields in Forms(answer.text).posting
        if action not in OWN_WAY
    ]


def test_each_form_of_the_desk_names_its_company(as_, rows, ada):
    client, seen = as_(ada), 0
    for name, route in patterns():
        model = model_of(name)
        answer = client.get(path_of(name, route, rows[model].pk if model else MISSING))
        if answer.status_code != 200 or "html" not in answer["Content-Type"]:
            continue
        for form in desk_forms(answer):
            assert form.get("desk") == ada.company.slug, name
            seen += 1
    assert seen >= 20


def test_so_does_each_page_that_an_action_asks_on(as_, rows, ada):
    client, seen = as_(ada), 0
    for model, model_admin in admin.site._registry.items():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for action in [*(model_admin.actions or []), "delete_selected"]:
            chosen = {"action": action, "_selected_action": rows[model].pk}
            answer = client.post(path, chosen)
            if answer.status_code == 200 and "html" in answer["Content-Type"]:
                for form in desk_forms(answer):
                    assert form.get("desk") == ada.company.slug, (path, action)
                    seen += 1
    assert seen >= 5


@pytest.fixture
def two_desks(as_, ada, globex):
    """Ada administers both; the form was shown for Acme, then she chose Globex."""
    add_member(globex, "ada@acme.example", template=COMPANY_ADMINISTRATOR)
    client = as_(ada)
    client.post(SELECT, {"company": globex.slug})
    return client


def add_person(company, tower):
    template = company.permissiontemplates.get(name="Member")
    inline = {
        "project_memberships-TOTAL_FORMS": 1,
        "project_memberships-INITIAL_FORMS": 0,
        "project_memberships-0-project": tower.pk,
        "project_memberships-0-template": company.permissiontemplates.get(
            name="Subcontractor – External"
        ).pk,
    }
    path = reverse("admin:companies_membership_add")
    form = {"email": "new@acme.example", "last_name": "Neu", "template": template.pk}
    done = Membership.objects.filter(
        company=company, last_name="Neu", project_memberships__project=tower
    )
    return path, form | inline, done


def change_project(company, tower):
    path = reverse("admin:companies_project_change", args=[tower.pk])
    form = {"name": "Harbour Tower II", "number": "24-017", "is_active": "on"}
    return path, form, Project.objects.filter(name="Harbour Tower II", company=company)


def delete_vendor(company, tower):
    vendor = Vendor.objects.create(company=company, name="Bolt")
    path = reverse("admin:companies_vendor_delete", args=[vendor.pk])
    gone = Project.objects.exclude(company__vendors__name="Bolt")
    return path, {"post": "yes"}, gone.filter(pk=tower.pk)


def invite_two(company, tower):
    keys = [add_entry(company, f"p{n}@acme.example").pk for n in range(2)]
    form = {"action": "invite", "_selected_action": keys}
    done = Invitation.objects.filter(membership__in=keys[1:])
    return DIRECTORY, form, done


def answer_an_action(company, tower):
    entry = add_entry(company, "p@acme.example")
    form = {
        "action": "add_to_project",
        "_selected_action": entry.pk,
        "project": tower.pk,
        "template": company.permissiontemplates.get(name="Subcontractor – External").pk,
        "apply": "1",
    }
    done = tower.project_memberships.filter(membership=entry)
    return DIRECTORY, form, done


def bring_a_crew(company, tower):
    other = Project.objects.create(company=company, name="Annex", number="A-1")
    put_on(add_entry(company, "p@acme.example"), tower)
    path = reverse("admin:companies_project_mobilise", args=[other.pk])
    return path, {"source": tower.pk, "apply": "1"}, other.project_memberships.all()


def add_people_to_a_project(company, tower):
    people = [add_entry(company, f"p{n}@acme.example").pk for n in range(2)]
    given = company.permissiontemplates.get(name="Subcontractor – External").pk
    path = reverse("admin:companies_project_add_people", args=[tower.pk])
    done = tower.project_memberships.filter(membership__in=people[1:])
    return path, {"people": people, "template": given}, done


PEOPLE = b"E-mail\nrosa@subco.example\n"


def apply_an_import(company, tower):
    source = planned(company, PEOPLE)
    path = reverse("admin:desk_import_change", args=[source.pk])
    done = Import.objects.filter(pk=source.pk, state=Import.State.APPLYING)
    return path, {"verb": "apply"}, done


def undo_an_import(company, tower):
    source = applied(company, PEOPLE)
    path = reverse("admin:desk_import_change", args=[source.pk])
    done = Import.objects.filter(pk=source.pk, state=Import.State.UNDOING)
    return path, {"verb": "undo"}, done


def choose_a_sheet(company, tower):
    content = xlsx_file(["Read me"], Staff=[["E-mail"], ["rosa@subco.example"]])
    source = planned(company, content)
    path = reverse("admin:desk_import_change", args=[source.pk])
    done = Import.objects.filter(pk=source.pk, sheet="Staff")
    return path, {"verb": "start", "sheet": "Staff"}, done


def cancel_an_import(company, tower):
    source = planned(company, PEOPLE)
    path = reverse("admin:desk_import_change", args=[source.pk])
    done = Import.objects.filter(pk=source.pk, state=Import.State.CANCELLED)
    return path, {"verb": "cancel"}, done


def end_everybody(company, tower):
    put_on(add_entry(company, "p@acme.example"), tower)
    path = reverse("admin:companies_project_demobilise", args=[tower.pk])
    done = tower.project_memberships.filter(ends_on="2031-05-04")
    return path, {"last_day": "2031-05-04"}, done


def repair_an_address(company, tower):
    entry = add_entry(company, "kim@gmial.com")
    invite(entry)
    [mail] = Delivery.objects.claim(10)
    mail.settle(Delivery.State.REFUSED, "550 5.1.1 User unknown")
    let_an_hour_pass(entry)
    group = {"domain": "gmial.com", "cause": "mailbox"}
    path = reverse("admin:invitations_invitation_repair", query=group)
    row = {f"chosen_{entry.pk}": "on", f"address_{entry.pk}": entry.email}
    done = Membership.objects.filter(pk=entry.pk, email="kim@gmail.com")
    return path, row | {"domain": "gmail.com"}, done


def take_the_next_step(company, tower):
    """The button of the story, as its page has it."""
    entry = add_entry(company, "kim@acme.example")
    client = DeskClient()
    client.force_login(company.memberships.get(email="ada@acme.example").user, BACKEND)
    select = {"company": company.slug}
    client.post(SELECT, select)
    page = client.get(reverse("admin:companies_membership_story", args=[entry.pk]))
    [form] = [dict(x) for to, x in Forms(page.text).posting if to == DIRECTORY]
    del form["csrfmiddlewaretoken"]
    return DIRECTORY, form, Invitation.objects.filter(membership=entry)


CASES = [
    *(add_person, change_project, delete_vendor),
    *(invite_two, answer_an_action, bring_a_crew, add_people_to_a_project),
    *(end_everybody, apply_an_import, undo_an_import, choose_a_sheet, cancel_an_import),
    *(repair_an_address, take_the_next_step),
]


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_written_and_one_button_saves_it_there(two_desks, acme, tower, case):
    path, form, done = case(acme, tower)
    before = stored()
    page = two_desks.post(path, form | {"desk": acme.slug})
    assert page.status_code == 409
    assert (
        "You switched to Globex Builders in another window. This form belongs to Acme "
        "Construction. Nothing is saved." in page.text
    )
    assert stored() == before
    assert not done.exists()
    [kept] = [dict_of_lists(fields) for _, fields in Forms(page.text).posting[-1:]]
    kept.pop("csrfmiddlewaretoken")
    two_desks.post(path, kept)
    assert done.exists()
    assert two_desks.get("/admin/").context["desk_company"] == acme


def dict_of_lists(fields):
    kept: dict[str, list[str]] = {}
    for name, value in fields:
        kept.setdefault(name, []).append(value)
    return kept


def test_a_form_of_the_selected_company_is_taken(two_desks, globex):
    path = reverse("admin:companies_vendor_add")
    two_desks.post(path, {"name": "Bolt", "desk": globex.slug})
    assert Vendor.objects.get(name="Bolt").company == globex


def test_a_company_that_one_has_lost_is_not_named(two_desks, acme, ada, globex):
    """T35: the way back is offered only to who still works there."""
    add_member(acme, "eve@acme.example", template=COMPANY_ADMINISTRATOR)
    Membership.objects.filter(pk=ada.pk).update(is_active=False)
    path = reverse("admin:companies_vendor_add")
    form = {"name": "Bolt", "desk": acme.slug}
    for given in (form, form | {"switch_back": "1"}):
        page = two_desks.post(path, given)
        assert page.status_code == 409
        assert "a company that you don’t work for any more" in page.text
        assert "Acme Construction" not in page.text
        assert "Switch back" not in page.text
    assert not Vendor.objects.exists()


def test_an_operator_who_looked_at_all_companies_goes_back_there(as_, olga, acme):
    client = as_(olga)
    template = PermissionTemplate.objects.filter(company=acme).first()
    path = reverse("admin:companies_permissiontemplate_changelist")
    client.post(reverse("admin:companies_company_work_for", args=[acme.pk]))
    assert client.get("/admin/").context["desk_company"] == acme
    form = {"action": "duplicate", "_selected_action": template.pk, "desk": ""}
    page = client.post(path, form)
    assert "This form belongs to all companies." in page.text
    assert client.post(path, form | {"switch_back": "1"}).status_code == 302
    assert client.get("/admin/").context["desk_company"] is None


def test_a_form_of_no_company_writes_nothing(as_, olga, acme):
    client = as_(olga)
    for shown in ("nobodys-company", "acme-construction\0"):
        answer = client.post(
            "/admin/companies/vendor/add/", {"desk": shown, "name": "Steel Co"}
        )
        assert answer.status_code == 409
        assert "a company that you don’t work for" in answer.text


def test_a_form_that_names_no_company_writes_nothing(as_, rows, ada, olga):
    """T37, T46: no page of the desk shows one, to operators neither."""
    for client in map(as_, (ada, olga)):
        before = stored()
        for name, route in patterns():
            model = model_of(name)
            path = path_of(name, route, rows[model].pk if model else MISSING)
            form = {"name": "Bolt", "verb": "apply", "post": "yes"}
            answer = Client.post(client, path, form)
            if name not in ("all", "login"):
                assert answer.status_code == 409, name
                assert "Open the page again and repeat it." in answer.text
        assert stored() == before


def test_a_file_is_asked_for_again(two_desks, acme):
    from django.core.files.uploadedfile import SimpleUploadedFile

    upload = SimpleUploadedFile("people.csv", PEOPLE)
    form = {"desk": acme.slug, "invites": "on", "file": upload}
    page = two_desks.post(reverse("admin:desk_import_add"), form)
    assert "Files can’t be kept: you are asked to choose yours again." in page.text
    assert '<input type="hidden" name="invites" value="on">' in page.text
    assert not Import.objects.exists()
