"""The pages of an import: upload, dry run, outcome, undo; and whose they are."""

import csv
import io
import re

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from companies.models import (
    Company,
    Membership,
    PermissionTemplate,
    Project,
    Vendor,
)
from desk.columns import COLUMNS
from desk.imports import steps
from desk.models import Import
from tests.cast import FOREMAN, PASSWORD, add_entry, put_on, template, work
from tests.desk.lists import (
    applied,
    csv_file,
    kinds,
    planned,
    reasons,
    upload,
    xlsx_file,
)
from tests.steps import text

LIST = "/admin/desk/import/"
DIRECTORY = "/admin/companies/membership/"
PROJECT_MANAGER = "Project Manager – Internal"
SUBCONTRACTOR = "Subcontractor – External"
HEADER = ["Mail", "Name", "Firm", "Project", "Role"]
ROSA = ["rosa@subco.example", "Rosa Diaz", "Steel Co", "24-017", FOREMAN]
BAD = ["nobody", "Doe, John", "", "", ""]


@pytest.fixture
def client_of_ada(as_, ada, tower):
    return as_(ada)


def send(client, content=None, follow=True, **fields):
    content = csv_file(HEADER, ROSA, BAD) if content is None else content
    file = SimpleUploadedFile("people.csv", content)
    return client.post(f"{LIST}add/", {"file": file, **fields}, follow=follow)


def read(answer):
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", text(answer)).split())


def choose(client, company):
    """Let an operator work for a company."""
    session = client.session
    session["desk_company"] = company.pk
    session.save()


def press(client, source, verb, **more):
    page = f"{LIST}{source.pk}/change/"
    return client.post(page, {"verb": verb, **more}, follow=True)


def test_from_the_upload_to_the_undo(client_of_ada):
    answer = send(client_of_ada)
    source = Import.objects.get()
    assert answer.request["PATH_INFO"] == f"{LIST}{source.pk}/change/"
    assert "The list is being compared with the directory" in read(answer)
    work()
    said = read(client_of_ada.get(answer.request["PATH_INFO"]))
    for words in (
        "Nothing is changed yet.",
        "1 firm will be created Steel Co",
        "All New 1 Refused 1",
        "3 nobody Refused Row 3, E-mail: Enter an e-mail address",
        "Apply 1 row",
    ):
        assert words in said
    assert "rosa@subco.example" not in said  # first what is to be mended
    said = read(client_of_ada.get(f"{answer.request['PATH_INFO']}?kind=all"))
    new = "2 rosa@subco.example New First name: Rosa Last name: Diaz Firm: Steel Co"
    assert new in said and "3 nobody Refused" in said
    assert "The list is being applied" in read(press(client_of_ada, source, "apply"))
    work()
    said = read(client_of_ada.get(answer.request["PATH_INFO"]))
    assert re.search(r"The list was applied on [^.]*: 1 new, 1 refused\.", said)
    assert "Nobody was invited. Choose whom to invite" in said
    assert "Rosa Diaz" in said
    assert "What has been mailed, joined or changed by hand since stays." in said
    page = client_of_ada.get(f"{DIRECTORY}?status=not_invited")
    assert "Rosa Diaz" in page.text
    press(client_of_ada, source, "undo")
    work()
    said = read(client_of_ada.get(answer.request["PATH_INFO"]))
    assert "The import was undone on" in said and "Undone 1" in said
    assert not Membership.objects.filter(email=ROSA[0]).exists()


def test_the_list_of_imports(client_of_ada, ada, acme, olga):
    planned(acme, csv_file(HEADER, ROSA), ada.user)
    planned(acme, csv_file(HEADER, ROSA), olga)
    said = read(client_of_ada.get(LIST))
    assert re.search(r"people.csv Compared .* Ada Lindqvist", said)
    assert re.search(r"people.csv Compared .* the operator", said)
    assert "olga" not in said
    assert "Import people" in read(client_of_ada.get("/admin/companies/membership/"))


def test_what_was_chosen_at_the_upload_is_kept(client_of_ada, acme):
    given = template(acme, FOREMAN)
    send(
        client_of_ada,
        date_order="day",
        project_template=given.pk,
        is_all_or_nothing="on",
        has_invitations="on",
    )
    source = Import.objects.get()
    assert source.date_order == "day"
    assert source.project_template == given
    assert source.is_all_or_nothing and source.has_invitations
    work()
    said = text(client_of_ada.get(f"{LIST}{source.pk}/change/"))
    assert "It is to be all or nothing, and some rows are refused" in said
    assert "some rows are refused" in text(press(client_of_ada, source, "apply"))
    assert Import.objects.get().state == Import.State.PLANNED


def test_offered_and_taken_is_only_what_one_may_give(as_, cora, acme):
    """T44: a coordinator brings no project manager in, whoever applies it."""
    client, above = as_(cora), template(acme, PROJECT_MANAGER)
    page = text(client.get(f"{LIST}add/"))
    assert f'<option value="{above.pk}"' not in page
    below = template(acme, SUBCONTRACTOR)
    assert f'<option value="{below.pk}"' in page
    answer = send(client, project_template=above.pk)
    assert "Select a valid choice" in text(answer)
    assert not Import.objects.exists()
    send(client, project_template=below.pk)
    assert Import.objects.get().project_template == below


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7", "This is no CSV or XLSX file."),
        (b" ", "The file is empty."),
        (b"x" * (10 * 2**20 + 1), "The file is larger than 10 MiB."),
    ],
    ids=["PDF", "blank", "too big"],
)
def test_a_bad_file_is_refused_at_once(client_of_ada, content, words):
    answer = send(client_of_ada, content)
    assert words in text(answer)
    assert not Import.objects.exists()


def test_what_is_wrong_with_its_rows_is_told_by_the_page(client_of_ada):
    answer = send(client_of_ada, csv_file(["a"], ["b"]))
    work()
    said = text(client_of_ada.get(answer.request["PATH_INFO"]))
    assert "There is no header" in said and "Upload another file" in said


def test_another_companys_template_is_no_choice(client_of_ada, globex):
    """T39."""
    answer = send(client_of_ada, project_template=template(globex, FOREMAN).pk)
    assert "Select a valid choice" in text(answer)
    assert not Import.objects.exists()


def test_without_terms_nobody_can_be_invited(db, as_):
    company = Company.objects.create(name="Early Bird")
    operator = User.objects.create_superuser("olga@operator.example", PASSWORD)
    client = as_(operator)
    choose(client, company)
    answer = send(client, has_invitations="on")
    assert "before the Terms and Conditions are published" in text(answer)


def test_of_several_sheets_one_is_chosen(client_of_ada, acme):
    content = xlsx_file(["Read me"], Staff=[HEADER, ROSA])
    answer = send(client_of_ada, content)
    assert "Which sheet holds the people?" in text(answer)
    source = Import.objects.get()
    assert "Choose one of the sheets" in text(press(client_of_ada, source, "start"))
    press(client_of_ada, source, "start", sheet="Staff")
    work()
    assert kinds(source) == ["new"]


def test_rows_are_shown_by_kind_and_by_the_hundred(client_of_ada, acme, ada):
    rows = [[f"p{n}@b.example", "", "", "", ""] for n in range(150)]
    source = planned(acme, csv_file(HEADER, *rows, BAD), ada.user)
    page = f"{LIST}{source.pk}/change/"
    said = text(client_of_ada.get(f"{page}?kind=all"))
    assert "p99@" in said and "p100@" not in said and "Page 1 of 2" in said
    assert "p100@" in text(client_of_ada.get(page + "?kind=all&p=2"))
    said = text(client_of_ada.get(page + "?kind=refused"))
    assert "nobody" in said and "p0@" not in said
    assert "Page 1 of 2" in text(client_of_ada.get(page + "?kind=rubbish&p=x"))


def test_the_page_renews_itself_as_long_as_there_is_work(client_of_ada, acme, ada):
    source = upload(acme, csv_file(HEADER, ROSA, BAD), ada.user)
    page = f"{LIST}{source.pk}/change/"
    assert 'data-live="on"' in client_of_ada.get(page).content.decode()
    work()
    settled = client_of_ada.get(page).content.decode()
    assert 'data-live="on"' not in settled and "live.js" not in settled


def test_refused_rows_are_a_file_that_is_imported_again(client_of_ada, acme, ada):
    source = applied(acme, csv_file(HEADER, ROSA, BAD), ada.user)
    file = client_of_ada.get(f"{LIST}{source.pk}/refused/").getvalue()
    [header, row] = csv.reader(io.StringIO(file.decode("utf-8-sig")))
    assert header == [*COLUMNS, "Reason"]
    assert row[:3] == ["nobody", "John", "Doe"]
    assert row[-1].startswith("Row 3, E-mail: Enter")
    mended = file.replace(b'"nobody"', b'"john@b.example"')
    again = applied(acme, mended, ada.user)
    assert kinds(again) == ["new"], reasons(again)


@pytest.mark.parametrize("make", [csv_file, xlsx_file])
def test_refused_rows_are_refused_again_while_nobody_mends_them(
    client_of_ada, acme, ada, make
):
    """What refused them is in the file: nobody gets more access by losing it."""
    Project.objects.create(company=acme, name="Annex", number="24-018")
    header = ["E-mail", "Project no.", "Project name", "Role", "Last day", "Firm"]
    rows = [
        ["a@b.example", "24-017", "", FOREMAN, "=A1+30", "", ""],
        ["b@b.example", "24-017", "", FOREMAN, "soon", "", ""],
        ["c@b.example", "24-018", "Harbour Tower", FOREMAN, "", "", ""],
        ["d@b.example", "24-017", "", FOREMAN, "", "Bolt", "Steel Co"],
        ["e@b.example", "24-017", "", FOREMAN, "#N/A", "", ""],
    ]
    source = planned(acme, make([*header, "Company"], *rows), ada.user)
    assert kinds(source) == ["refused"] * 5
    file = client_of_ada.get(f"{LIST}{source.pk}/refused/").getvalue()
    header = next(csv.reader(io.StringIO(file.decode("utf-8-sig"))))
    assert header == [*COLUMNS, "Firm", "Project name", "Reason"]
    assert b'"\'=A1+30"' in file  # no formula to a spreadsheet program
    again = applied(acme, file, ada.user)
    assert kinds(again) == ["refused"] * 5, reasons(again)
    assert reasons(again)[1:] == reasons(source)[1:]


def test_names_that_contradict_each_other_are_given_back(client_of_ada, acme, ada):
    rows = ["E-mail", "Name", "Full name"], ["a@b.example", "Jo Maier", "Jo Meyer"]
    source = planned(acme, csv_file(*rows), ada.user)
    file = client_of_ada.get(f"{LIST}{source.pk}/refused/").getvalue()
    assert reasons(planned(acme, file, ada.user)) == [
        "Row 2, Last name: ‘Maier’ stands in one column and ‘Meyer’ in another. Leave "
        "one of them."
    ]


def test_its_invitations_are_seen_to_arrive(client_of_ada, acme, ada, monkeypatch):
    """All of one import on one page, whatever batches it was applied in."""
    monkeypatch.setattr(steps, "BATCH", 2)
    rows = [[f"p{n}@b.example", "", "", "", ""] for n in range(5)]
    content = csv_file(HEADER, *rows)
    source = applied(acme, content, ada.user, has_invitations=True)
    address = f"/admin/invitations/invitation/progress/{source.batch}/"
    assert address in text(client_of_ada.get(f"{LIST}{source.pk}/change/"))
    said = text(client_of_ada.get(address))
    assert all(row[0] in said for row in rows)
    source = applied(acme, content, ada.user)
    assert "/progress/" not in text(client_of_ada.get(f"{LIST}{source.pk}/change/"))


def test_an_export_is_imported_again_unchanged(client_of_ada, acme, ada):
    """Whatever the names are: of people, firms, projects and templates."""
    night = PermissionTemplate.objects.create(
        company=acme, name="Site; night", scope="project"
    )
    names = {"A-1": "24-017", "A-2": "A-1", "A-3": "Annex, East; 2"}
    firms = ["Foo Bar", "Foo  Bar", "=Sum"]
    people = [("", "Novak, Dr."), ("", "'-t Hart"), ("-", "=1+1"), ("Total", "Sum")]
    vendors = [Vendor.objects.create(company=acme, name=name) for name in firms]
    projects = [
        Project.objects.create(company=acme, number=number, name=name)
        for number, name in names.items()
    ]
    for n, (first, last) in enumerate(people):
        entry = add_entry(acme, f"p{n}@b.example", first_name=first, last_name=last)
        entry.vendor, entry.phone = vendors[n % len(vendors)], "+49 30 1"
        entry.default_project_template = night
        entry.save()
        put_on(entry, projects[n % len(projects)], night.name)
    data = {"action": "export", "select_across": "1", "_selected_action": [ada.pk]}
    file = client_of_ada.post("/admin/companies/membership/", data).getvalue()
    assert file.count(b"\n") == len(people) + 2
    source = planned(acme, file, ada.user)
    assert kinds(source) == ["unchanged"] * 5, [
        (row.difference, row.reason) for row in source.rows.all()
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_template_file_has_all_columns_and_is_read(client_of_ada, kind):
    answer = client_of_ada.get(f"{LIST}template.{kind}")
    assert f'filename="people.{kind}"' in answer["Content-Disposition"]
    file = answer.getvalue()
    if kind == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(file))
        assert [cell.value for cell in book.active[1]] == COLUMNS
    sent = send(client_of_ada, file)
    work()
    page = client_of_ada.get(sent.request["PATH_INFO"])
    assert "Below the header there are no rows" in text(page)


def test_what_a_file_says_is_shown_as_text(client_of_ada, acme, ada):
    bad = "<script>alert(1)</script>"
    content = csv_file(["Mail", "Firm", bad], ["a@b.example", bad, ""], [bad, "", ""])
    source = planned(acme, content, ada.user)
    source.name = bad
    source.save()
    answer = client_of_ada.get(f"{LIST}{source.pk}/change/")
    assert bad not in answer.content.decode()
    assert "alert(1)" in text(answer)


# Whose it is


def test_another_companys_import_is_not_there(as_, acme, ada, gina, tower):
    """T40, T42."""
    source = planned(acme, csv_file(HEADER, ROSA), ada.user)
    stranger = as_(gina)
    assert stranger.get(f"{LIST}{source.pk}/refused/").status_code == 404
    for verb in ("apply", "cancel", "undo"):
        said = text(press(stranger, source, verb))
        assert "doesn’t exist" in said
    source.refresh_from_db()
    assert source.state == Import.State.PLANNED
    assert "people.csv" not in text(stranger.get(LIST))


def test_pressing_twice_is_told(client_of_ada, acme, ada):
    source = planned(acme, csv_file(HEADER, ROSA), ada.user)
    press(client_of_ada, source, "apply")
    assert "has moved on meanwhile" in text(press(client_of_ada, source, "cancel"))
    assert Import.objects.get().state == Import.State.APPLYING


def test_an_operator_imports_for_the_company_that_was_chosen(as_, olga, acme):
    operator = as_(olga)
    assert operator.get(f"{LIST}add/").url == "/admin/companies/company/"
    choose(operator, acme)
    send(operator, csv_file(["Mail"], ["rosa@b.example"]))
    source = Import.objects.get()
    work()
    press(operator, source, "apply")
    work()
    assert Membership.objects.get(email="rosa@b.example").company == acme


# What it costs


def test_pages_ask_the_same_for_ten_rows_and_for_a_thousand(client_of_ada, acme, ada):
    counts = []
    for count in (10, 1000):
        rows = [[f"p{n}@b.example", "", f"F{n}", "", ""] for n in range(count)]
        source = planned(acme, csv_file(HEADER, *rows, BAD), ada.user)
        page = f"{LIST}{source.pk}/change/"
        for address in (page, LIST):
            with CaptureQueriesContext(connection) as captured:
                client_of_ada.get(address)
            counts.append(len(captured))
    assert counts[:2] == counts[2:]
    # Session, user, terms and company are asked by every page.
    assert counts[0] <= 16 and counts[1] <= 12, counts
