"""Foreign rows in what is posted: fields, inlines, hidden numbers, actions."""

import pytest

from companies.models import Membership, Project, ProjectMembership, Vendor
from invitations.models import Invitation
from tests.cast import FOREMAN, add_entry, put_on, template

DIRECTORY = "/admin/companies/membership/"


def form_of(entry, *rows, initial=0, **fields):
    """What the change form of an entry posts, with rows of the inline."""
    data = {
        "email": entry.email,
        "first_name": entry.first_name,
        "template": entry.template_id,
        "is_active": "on",
        "project_memberships-TOTAL_FORMS": len(rows),
        "project_memberships-INITIAL_FORMS": initial,
        **fields,
    }
    for n, row in enumerate(rows):
        data |= {f"project_memberships-{n}-{name}": row[name] for name in row}
    return data


@pytest.fixture
def hana(globex, gina, bridge):
    """Somebody of Globex who hasn't joined, on its one project."""
    entry = add_entry(globex, "hana@globex.example", first_name="Hana")
    put_on(entry, bridge)
    return entry


def row_of(grant, **fields):
    given = {
        "id": grant.pk,
        "membership": grant.membership_id,
        "project": grant.project_id,
        "template": grant.template_id,
    }
    return given | fields


def grants():
    return list(ProjectMembership.objects.order_by("pk").values())


@pytest.mark.parametrize("path", ["add/", "change/"])
@pytest.mark.parametrize("field", ["vendor", "template"])
def test_a_foreign_row_is_no_valid_choice(as_, gina, hana, acme, path, field):
    """T39: the error doesn't name it, nor does the form that is shown again."""
    foreign = {
        "vendor": Vendor.objects.create(company=acme, name="Zzyzx Electric").pk,
        "template": template(acme, "Member").pk,
    }[field]
    before = list(Membership.objects.order_by("pk").values())
    where = path if path == "add/" else f"{hana.pk}/{path}"
    data = form_of(hana, **{field: foreign, "email": "new@globex.example"})
    answer = as_(gina).post(DIRECTORY + where, data)
    assert "not one of the available" in str(
        answer.context["adminform"].form.errors[field]
    )
    assert "Zzyzx" not in answer.content.decode()
    assert list(Membership.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("field", "kind"),
    [("project", "new row"), ("template", "new row"), ("template", "own row")],
)
def test_an_inline_takes_no_foreign_row(as_, gina, hana, acme, tower, field, kind):
    """T39, T42. The project of a row that is there isn't read at all."""
    foreign = {"project": tower.pk, "template": template(acme, FOREMAN).pk}[field]
    row = row_of(hana.project_memberships.get(), **{field: foreign})
    is_new = kind == "new row"
    if is_new:
        row |= {"id": "", "project": foreign if field == "project" else row["project"]}
    before = grants()
    data = form_of(hana, row, initial=0 if is_new else 1)
    answer = as_(gina).post(f"{DIRECTORY}{hana.pk}/change/", data)
    assert answer.status_code == 200
    assert field in answer.context["inline_admin_formsets"][0].formset.errors[0]
    assert "Harbour Tower" not in answer.content.decode()
    assert grants() == before


@pytest.mark.parametrize("initial", [0, 1, 5])
@pytest.mark.parametrize("whose", ["as it is", "her own"])
def test_the_hidden_number_of_a_foreign_row_changes_nothing_of_it(
    as_, gina, hana, max_, initial, whose
):
    """T41, T42: Max's row in the form of Hana, with his entry's number or with hers."""
    grant = max_.project_memberships.get()
    fields = {"membership": hana.pk} if whose == "her own" else {}
    row = row_of(grant, **fields, ends_on="2020-01-01")
    before = ProjectMembership.objects.filter(pk=grant.pk).values().get()
    answer = as_(gina).post(
        f"{DIRECTORY}{hana.pk}/change/", form_of(hana, row, initial=initial)
    )
    assert answer.status_code == 200
    assert "Max Weber" not in answer.content.decode()
    assert "Harbour Tower" not in answer.content.decode()
    assert ProjectMembership.objects.filter(pk=grant.pk).values().get() == before
    assert hana.project_memberships.count() == 1


def test_the_row_of_a_colleague_is_not_taken_over(as_, gina, globex, hana, bridge):
    """T42: right company, wrong parent."""
    other = add_entry(globex, "omar@globex.example")
    row = row_of(put_on(other, bridge), membership=hana.pk)
    before = grants()
    data = form_of(hana, row, initial=1)
    assert as_(gina).post(f"{DIRECTORY}{hana.pk}/change/", data).status_code == 200
    assert grants() == before


@pytest.mark.parametrize(
    "numbers",
    [
        {"TOTAL_FORMS": "", "INITIAL_FORMS": ""},
        {"TOTAL_FORMS": "x", "INITIAL_FORMS": "-1"},
        {"TOTAL_FORMS": "9" * 30, "INITIAL_FORMS": "0"},
        {"TOTAL_FORMS": "1", "INITIAL_FORMS": "7"},
        {"0-id": "x", "TOTAL_FORMS": "1", "INITIAL_FORMS": "1"},
        {"0-id": "9" * 40, "TOTAL_FORMS": "1", "INITIAL_FORMS": "1"},
        {"0-id": "\0", "TOTAL_FORMS": "1", "INITIAL_FORMS": "1"},
        {"0-project": "\0", "TOTAL_FORMS": "1", "INITIAL_FORMS": "0"},
        {"0-project": "9" * 40, "TOTAL_FORMS": "1", "INITIAL_FORMS": "0"},
        {"0-starts_on": "99999-99-99", "TOTAL_FORMS": "1", "INITIAL_FORMS": "0"},
    ],
)
def test_garbage_in_an_inline_is_a_form_error(as_, gina, hana, numbers):
    before = grants()
    data = form_of(hana)
    data |= {f"project_memberships-{name}": value for name, value in numbers.items()}
    answer = as_(gina).post(f"{DIRECTORY}{hana.pk}/change/", data)
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert grants() == before


@pytest.mark.parametrize("initial", [0, 1])
def test_a_project_is_given_once(as_, gina, hana, initial):
    """A form error, also where one of the two is stored already."""
    grant = hana.project_memberships.get()
    rows = [row_of(grant), row_of(grant, id="")][1 - initial :]
    data = form_of(hana, *rows, initial=initial)
    answer = as_(gina).post(f"{DIRECTORY}{hana.pk}/change/", data)
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert hana.project_memberships.count() == 1


@pytest.mark.parametrize(
    "field", ["company", "company_id", "user", "user_id", "joined_at", "id", "pk"]
)
def test_fields_that_a_form_does_not_have_are_ignored(as_, gina, hana, ada, field):
    """T46."""
    value = ada.joined_at if field == "joined_at" else ada.company_id
    columns = ("id", "company_id", "user_id", "joined_at")
    before = Membership.objects.filter(pk=hana.pk).values(*columns).get()
    data = form_of(hana, **{field: value})
    assert as_(gina).post(f"{DIRECTORY}{hana.pk}/change/", data).status_code == 302
    assert Membership.objects.filter(pk=hana.pk).values(*columns).get() == before


def test_save_as_new_makes_a_row_of_the_own_company(as_, gina, max_, globex):
    """The number in the address is of no account there."""
    data = form_of(max_, email="new@globex.example", _saveasnew="1")
    data["template"] = template(globex, "Member").pk
    as_(gina).post(f"{DIRECTORY}{max_.pk}/change/", data)
    assert Membership.objects.get(email="new@globex.example").company == globex
    max_.refresh_from_db()
    assert max_.email == "max@acme.example"


@pytest.mark.parametrize("across", ["0", "1"])
@pytest.mark.parametrize("stray", ["foreign", "x", "9" * 40, "-1", "", "\0", "1.0"])
def test_a_mixed_list_of_an_action_does_nothing_at_all(
    as_, gina, hana, max_, stray, across
):
    """T41."""
    chosen = [hana.pk, max_.pk if stray == "foreign" else stray]
    data = {
        "action": "invite",
        "_selected_action": chosen,
        "select_across": across,
        "index": "0",
    }
    answer = as_(gina).post(DIRECTORY, data, follow=True)
    assert "Nothing was done: choose again." in answer.content.decode()
    assert "Max" not in answer.content.decode()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("action", ["delete_selected", "none_such", "send", "", "\0"])
def test_an_action_that_is_not_offered_is_not_done(as_, gina, hana, action):
    data = {"action": action, "_selected_action": [hana.pk], "post": "yes"}
    answer = as_(gina).post(DIRECTORY, data, follow=True)
    assert "No action selected." in answer.content.decode()
    assert Membership.objects.filter(pk=hana.pk).exists()


def test_all_across_pages_are_all_of_the_own_company(as_, gina, hana, max_, ivo):
    """T41: the whole list is still one company's."""
    data = {"action": "invite", "_selected_action": [hana.pk], "select_across": "1"}
    as_(gina).post(DIRECTORY, data)
    invited = Invitation.objects.exclude(pk=ivo.pk)
    assert [invitation.membership for invitation in invited] == [hana]


def test_a_vendor_with_people_stays(as_, gina, hana, globex):
    """T41: a deletion shows own rows, and takes none that others hang on."""
    used, free = (Vendor.objects.create(company=globex, name=n) for n in ("A1", "B2"))
    Membership.objects.filter(pk=hana.pk).update(vendor=used)
    client = as_(gina)
    for vendor in (used, free):
        client.post(f"/admin/companies/vendor/{vendor.pk}/delete/", {"post": "yes"})
    assert list(Vendor.objects.all()) == [used]
    data = {"action": "delete_selected", "_selected_action": [used.pk], "post": "yes"}
    answer = client.post("/admin/companies/vendor/", data)
    assert "Hana" in answer.content.decode()
    assert Vendor.objects.filter(pk=used.pk).exists()


@pytest.mark.parametrize("text", ["a\nb", "a\r\nX: y", "a\u202eb", "a\0b", "\u2066a"])
@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("membership", "first_name"),
        ("membership", "job_title"),
        ("membership", "phone"),
        ("membership", "email"),
        ("project", "name"),
        ("project", "number"),
        ("vendor", "name"),
    ],
)
def test_an_invisible_character_is_a_form_error(as_, gina, model, field, text):
    """T16."""
    path = f"/admin/companies/{model}/add/"
    data = {"template": template(gina.company, "Member").pk, "email": "n@g.example"}
    answer = as_(gina).post(path, data | {"name": "N", "number": "1", field: text})
    assert field in answer.context["adminform"].form.errors


@pytest.mark.parametrize("length", [151, 5_000, 100_000])
def test_a_very_long_value_is_a_form_error(as_, gina, length):
    data = {"name": "x" * length, "number": "x" * length, "city": "x" * length}
    answer = as_(gina).post("/admin/companies/project/add/", data)
    assert {"name", "number", "city"} <= set(answer.context["adminform"].form.errors)
    assert not Project.objects.exists()


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{ 7 }}<b onx=1>"])
def test_a_name_is_text_on_every_page(as_, ada, acme, tower, name):
    """T48: in list, form, filter, message, history and deletion."""
    vendors = [Vendor.objects.create(company=acme, name=f"{name} {n}") for n in (1, 2)]
    project = Project.objects.create(company=acme, name=name, number="S-1")
    entry = add_entry(acme, "s@acme.example", first_name=name, vendor=vendors[0])
    put_on(entry, project)
    client = as_(ada)
    client.post(f"{DIRECTORY}{entry.pk}/change/", form_of(entry, job_title=name))
    data = {"action": "send_again", "_selected_action": [entry.pk]}
    client.post(DIRECTORY, data)
    for path in (
        DIRECTORY,
        f"{DIRECTORY}{entry.pk}/change/",
        f"{DIRECTORY}{entry.pk}/history/",
        f"/admin/companies/vendor/{vendors[0].pk}/delete/",
        f"/admin/companies/project/{project.pk}/change/",
    ):
        page = client.get(path).content.decode()
        assert name not in page, path
        assert "&lt;" in page, path


def test_a_firm_with_people_says_what_to_do_first(as_, ada, acme, max_):
    firm = Vendor.objects.create(company=acme, name="Bolt & Sons")
    Membership.objects.filter(pk=max_.pk).update(vendor=firm)
    client = as_(ada)
    page = client.get(f"/admin/companies/vendor/{firm.pk}/delete/").text
    assert "1 person works for this firm: give that person another one first." in page
    assert "protected" not in page
    listed = f"/admin/companies/membership/?vendor__id__exact={firm.pk}"
    assert f'href="{listed}"' in page
    assert [*client.get(listed).context["cl"].result_list] == [max_]
    assert f'href="/admin/companies/vendor/{firm.pk}/change/"' in page


def test_an_action_on_nobody_says_what_to_do_first(as_, ada, max_):
    data = {"action": "deactivate", "index": "0"}
    page = as_(ada).post("/admin/companies/membership/", data, follow=True)
    sentence = "Nothing was done: tick rows of the list first, then run it."
    assert [str(each) for each in page.context["messages"]] == [sentence]


def test_a_form_beside_djangos_own_says_that_something_is_wrong(as_, ada, tower):
    """As Django's forms do: in a line above, and by the colour of the field."""
    address = f"/admin/companies/project/{tower.pk}/people/"
    client = as_(ada)
    assert "errornote" not in client.get(address).text
    page = client.post(address, {"starts_on": "2030-01-01"}).text
    assert "Please correct the errors below." in page
    assert page.count('class="form-row asked errors"') == 2


def test_days_are_chosen_in_the_calendar_of_the_browser(as_, ada):
    form = as_(ada).get("/admin/companies/projectmembership/add/").text
    assert form.count('<input type="date"') == 2
    assert "vDateField" not in form
