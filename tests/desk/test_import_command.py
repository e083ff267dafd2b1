"""`./manage.py import_people`: a dry run, the deed, a sentence for each wrong use."""

import pytest
from django.core.management.base import CommandError
from django_tasks_db.models import DBTaskResult

from companies.models import Membership, Project
from desk.models import Import
from invitations.models import Invitation
from tests.cast import FOREMAN, let_an_hour_pass, work
from tests.desk.lists import csv_file, entry, xlsx_file
from tests.invitations.test_commands import run, stored

HEADER = ["Mail", "Name", "Project"]
ROSA = ["rosa@subco.example", "Rosa Diaz", "24-017"]
BAD = ["nobody", "", ""]


@pytest.fixture
def file(tmp_path):
    def write(*rows, make=csv_file, name="people.csv", **sheets):
        path = tmp_path / name
        path.write_bytes(make(*rows, **sheets))
        return str(path)

    return write


def import_people(path, *options, company="acme-construction"):
    return run("import_people", path, "--company", company, *options)


def test_a_dry_run_says_what_it_would_do_and_leaves_nothing(acme, tower, file):
    before = stored()
    said = import_people(file(HEADER, ROSA, BAD), "--project-template", FOREMAN)
    assert said.splitlines() == [
        "The header is row 1.",
        "Row 2, New: rosa@subco.example · First name: Rosa · Last name: Diaz · "
        f"Company template: Member · 24-017 Harbour Tower: {FOREMAN}",
        "Row 3, Refused: nobody · E-mail: Enter an e-mail address such as "
        "name@company.com.",
        "Dry run, nothing is changed. New: 1, Refused: 1.",
    ]
    assert stored() == before
    assert not Import.objects.exists() and not DBTaskResult.objects.exists()


def test_applying_needs_no_worker(acme, tower, file, mailoutbox):
    said = import_people(
        file(HEADER, ROSA), "--apply", "--invite", "--project-template", FOREMAN
    )
    assert said.splitlines()[-1] == "Done. New: 1, Invited: 1."
    assert entry("rosa@subco.example").project_memberships.get().project == tower
    assert Import.objects.get().state == Import.State.APPLIED
    work()
    assert mailoutbox[0].to == ["rosa@subco.example"]


def test_a_refused_row_is_no_success(acme, tower, file):
    """The exit code is 0 only when all was done; the others are done all the same."""
    path = file(HEADER, ROSA[:2] + [""], BAD)
    with pytest.raises(CommandError, match="Refused: 1. The other rows are done."):
        import_people(path, "--apply")
    assert entry("rosa@subco.example")


def test_all_or_nothing(acme, tower, file):
    path = file(HEADER, ROSA[:2] + [""], BAD)
    with pytest.raises(CommandError, match="Some rows are refused"):
        import_people(path, "--apply", "--all-or-nothing")
    assert not Membership.objects.exists()


def test_the_report_as_json(acme, tower, file):
    said = import_people(file(["Mail", "Firm"], ["r@b.example", "Steel Co"]), "--json")
    assert said == {
        "is_applied": False,
        "counts": {"new": 1},
        "notes": ["The header is row 1."],
        "new_firms": ["Steel Co"],
        "invited": 0,
        "rows": [
            {
                "row": 2,
                "email": "r@b.example",
                "kind": "new",
                "difference": ["Firm: Steel Co", "Company template: Member"],
                "reason": "",
            }
        ],
    }


def test_a_refused_address_is_named_as_it_was_typed(acme, tower, file):
    [row] = import_people(file(HEADER, BAD), "--json")["rows"]
    assert (row["email"], row["kind"]) == ("nobody", "refused")


def test_who_is_or_would_be_invited_is_counted(acme, tower, max_, ivo, file):
    """Neither who has joined, nor who is invited already; each once."""
    people = [
        *([max_.email, "M M", ""], [ivo.sent_to, "I I", ""]),
        *([ROSA[0], ROSA[1], ""], ["r@b.example", "R B", "24-017"]),
        ["r@b.example", "R B", "B-9"],
    ]
    Project.objects.create(company=acme, name="Annex", number="B-9")
    options = ("--invite", "--project-template", FOREMAN)
    path = file(HEADER, *people)
    assert import_people(path, *options, "--json")["invited"] == 2
    assert import_people(path, *options).endswith("To be invited: 2.")
    assert import_people(path, *options, "--apply").endswith("Invited: 2.")
    assert Invitation.objects.count() == 3
    assert import_people(path, *options, "--apply").endswith("Invited: 0.")


def test_whose_invitation_has_expired_would_be_invited_again(ivo, tower, file):
    """The dry run and the import know the same invitations as open."""
    let_an_hour_pass(ivo.membership)
    Invitation.objects.update(
        sent_at="2020-01-01T08:00Z", expires_at="2020-01-08T08:00Z"
    )
    path = file(HEADER, [ivo.sent_to, "I I", "24-017"])
    options = ("--invite", "--project-template", FOREMAN)
    assert import_people(path, *options).endswith("To be invited: 1.")
    assert import_people(path, *options, "--apply").endswith("Invited: 1.")


def test_one_of_several_sheets(acme, tower, file):
    path = file(
        HEADER, make=xlsx_file, name="x.xlsx", Staff=[["Mail"], ["r@b.example"]]
    )
    with pytest.raises(CommandError, match="with --sheet: People, Staff"):
        import_people(path)
    assert "New: 1" in import_people(path, "--sheet", "Staff")
    with pytest.raises(CommandError, match="Choose one of the sheets"):
        import_people(path, "--sheet", "Other")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--project-template", "x"], "There is no project template ‘x’"),
        (["--sheet", "x"], "Choose one of the sheets"),
    ],
)
def test_wrong_options(acme, file, options, words):
    with pytest.raises(CommandError, match=words):
        import_people(file(HEADER, ROSA), *options)


def test_wrong_files_and_companies(acme, file, tmp_path):
    with pytest.raises(CommandError, match="There is no company ‘none’"):
        import_people(file(HEADER, ROSA), company="none")
    with pytest.raises(CommandError, match="can't be read: No such file"):
        import_people(str(tmp_path / "missing.csv"))
    with pytest.raises(CommandError, match="There is no header"):
        import_people(file(["a"], ["b"]))


def test_a_worker_may_be_at_it_as_well(acme, tower, file):
    """What the command has queued does no harm when it comes to its turn."""
    import_people(file(["Mail"], ["r@b.example"]), "--apply")
    before = stored()
    work()
    assert stored() == before
