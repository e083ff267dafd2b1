"""The dry run: of each row what it would do, beside what is stored, and why not."""

import pytest

from audit.models import AuditEvent
from companies.models import (
    HandOut,
    Membership,
    PermissionLevel,
    PermissionTemplate,
    Project,
    Vendor,
)
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER, Level
from tests.cast import FOREMAN, add_entry, add_member, put_on, template
from tests.desk.lists import csv_file, kinds, planned, reasons, row

SUBCONTRACTOR = "Subcontractor – External"


@pytest.fixture
def plan(acme, ada, tower):
    """Compare rows with Acme's directory, on Ada's behalf."""

    def compare(*rows, by=ada.user, **fields):
        return planned(acme, csv_file(*rows), by, **fields)

    return compare


@pytest.fixture
def annex(acme):
    return Project.objects.create(company=acme, name="Annex, East", number="24-018")


def test_a_new_person_is_shown_with_all_that_is_said(plan):
    source = plan(
        ["Mail", "Name", "Firm", "Project", "Role", "Start", "End", "Tel"],
        [
            *("Rosa@subco.example", "Diaz, Rosa", "Steel Co", "24-017", FOREMAN),
            *("2027-04-03", "5 May 2027", "'+49 30 1"),
        ],
    )
    assert kinds(source) == ["new"], reasons(source)
    assert row(source, 2).difference == [
        "First name: Rosa",
        "Last name: Diaz",
        "Telephone: +49 30 1",
        "Firm: Steel Co",
        "Company template: Member",
        f"24-017 Harbour Tower: {FOREMAN}, from 3 April 2027, until 5 May 2027",
    ]
    assert row(source, 2).new_firm == "Steel Co"


def test_a_dry_run_writes_nothing(plan, max_):
    before = AuditEvent.objects.count()
    plan(
        ["Mail", "Name", "Firm"],
        ["rosa@subco.example", "Rosa Diaz", "Steel Co"],
        [max_.email, "Maxim Weber", ""],
    )
    assert Vendor.objects.count() == 0
    assert set(Membership.objects.values_list("first_name", flat=True)) == {
        "Ada",
        "Max",
    }
    assert AuditEvent.objects.count() == before


def test_only_the_address_is_required(plan):
    source = plan(["E-mail"], ["rosa@subco.example"])
    assert row(source, 2).difference == ["Company template: Member"]


def test_a_person_of_the_directory_gets_a_further_project(plan, max_, annex):
    source = plan(
        ["Mail", "Project", "Role"],
        [max_.email, "24-018", "foreman/superintendent internal"],
    )
    assert kinds(source) == ["link"]
    assert row(source, 2).difference == [f"24-018 Annex, East: {FOREMAN}"]


def test_what_is_said_otherwise_is_a_change(plan, max_):
    source = plan(
        ["Mail", "First name", "Last name", "Project", "Role", "Last day"],
        [max_.email, "Maxim", "Weber", "24-017", SUBCONTRACTOR, "2027-01-01"],
    )
    assert kinds(source) == ["change"]
    assert row(source, 2).difference == [
        "First name: Max → Maxim",
        f"24-017 Harbour Tower, Project template: {FOREMAN} → {SUBCONTRACTOR}",
        "24-017 Harbour Tower, Last day: 1 January 2027",
    ]


def test_an_empty_cell_says_nothing(plan, max_):
    source = plan(["Mail", "First name", "Firm", "Project"], [max_.email, "", "", ""])
    assert kinds(source) == ["unchanged"]


def test_nor_where_a_name_is_all_dashes(plan, acme, max_):
    Project.objects.create(company=acme, name="–", number="24-020")
    assert kinds(plan(["Mail", "Project"], [max_.email, ""])) == ["unchanged"]


def test_the_log_in_of_somebody_who_has_joined_is_their_address(plan, max_):
    """Whatever the entry says: nobody is there twice."""
    type(max_.user).objects.filter(pk=max_.user_id).update(email="max@home.example")
    source = plan(["Mail"], ["max@home.example"], ["max@acme.example"])
    assert kinds(source) == ["unchanged", "unchanged"]


# The same person in several rows


def test_the_same_address_again_is_a_further_project(plan, annex):
    source = plan(
        ["Mail", "Name", "Project", "Role"],
        ["rosa@subco.example", "Rosa Diaz", "24-017", FOREMAN],
        ["ROSA@subco.example", "Rosa Diaz", "24-018", FOREMAN],
        ["rosa@subco.example", "Rosa Diaz", "24-018", FOREMAN],
    )
    assert kinds(source) == ["new", "link", "unchanged"]


def test_a_contradiction_is_refused(plan):
    source = plan(
        ["Mail", "Last name", "Project", "Role"],
        ["rosa@subco.example", "Diaz", "24-017", FOREMAN],
        ["rosa@subco.example", "Dias", "", ""],
        ["rosa@subco.example", "", "24-017", SUBCONTRACTOR],
    )
    assert kinds(source) == ["new", "refused", "refused"]
    assert reasons(source) == [
        "Row 3, Last name: ‘Dias’ contradicts row 2, which says ‘Diaz’.",
        f"Row 4, Project template: ‘{SUBCONTRACTOR}’ contradicts row 2, which says "
        f"‘{FOREMAN}’.",
    ]


def test_a_contradiction_to_a_refused_row_is_none(plan):
    source = plan(
        ["Mail", "Last name", "Project"],
        ["rosa@subco.example", "Diaz", "nowhere"],
        ["rosa@subco.example", "Dias", ""],
    )
    assert kinds(source) == ["refused", "new"]


# Several projects


@pytest.mark.parametrize(
    "cell",
    [
        *("24-017; 24-018", "24-017, 24-018", "24017|24 018", "24-018\n24-017\n24-017"),
        *("harbour tower; ANNEX, EAST", "24-017 Harbour Tower; 24-018 Annex, East"),
    ],
)
def test_projects_of_one_cell_by_number_or_name(plan, annex, cell):
    source = plan(["Mail", "Project", "Role"], ["r@subco.example", cell, FOREMAN])
    assert len(row(source, 2).difference) == 3, reasons(source)


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        *(("1, 2", "1 2"), ("1; 2", "1 2"), ("1; 1", "1"), ("1 2", "12")),
        *(("1/2", "1 2"), ("1 & 2", "1 2"), ("10, 1", "10 1"), ("12", "12")),
        *(("10-1", "10-1"), ("10.1; 1", "10-1 1"), ("24,017", "24-017")),
        *(("24/017", "24-017"), ("10, 9", None), ("10; 9", None), ("9, 8", None)),
    ],
)
def test_numbers_beside_each_other_are_never_a_third_one(plan, acme, cell, numbers):
    for number in ("1", "2", "10", "11", "12", "10-1", "10-9"):
        Project.objects.create(company=acme, number=number, name=f"House {number}")
    source = plan(["Mail", "Project", "Role"], ["r@subco.example", cell, FOREMAN])
    granted = [line.split()[0] for line in row(source, 2).difference[1:]]
    assert granted == (numbers.split() if numbers else []), reasons(source)
    assert bool(reasons(source)) == (numbers is None)


def test_names_of_templates_beside_each_other_are_never_a_third_one(plan, acme, annex):
    for name in ("A", "B", "AB"):
        PermissionTemplate.objects.create(company=acme, name=name, scope="project")
    source = plan(["Mail", "Project", "Role"], ["r@b.example", "24-017; 24-018", "A;B"])
    given = [line.rpartition(": ")[2] for line in row(source, 2).difference[1:]]
    assert given == ["A", "B"]


def test_a_number_and_the_name_of_another_project_are_refused(plan, annex):
    source = plan(
        ["Mail", "Project name", "Project number", "Role"],
        ["a@subco.example", "Harbour Tower", "24-017", FOREMAN],
        ["b@subco.example", "As we call it", "24-017", FOREMAN],
        ["c@subco.example", "Annex, East", "", FOREMAN],
        ["d@subco.example", "Annex, East", "24-017", FOREMAN],
    )
    assert kinds(source) == ["new", "new", "new", "refused"]
    assert reasons(source) == [
        "Row 5, Project name: ‘Annex, East’ is another project than ‘24-017’. Correct "
        "one of the two."
    ]


def test_templates_go_to_all_projects_or_to_each_its_own(plan, annex):
    source = plan(
        ["Mail", "Project", "Role"],
        ["a@subco.example", "24-017; 24-018", f"{FOREMAN}; {SUBCONTRACTOR}"],
        ["b@subco.example", "24-017", f"{FOREMAN}; {SUBCONTRACTOR}"],
    )
    assert row(source, 2).difference[1:] == [
        f"24-017 Harbour Tower: {FOREMAN}",
        f"24-018 Annex, East: {SUBCONTRACTOR}",
    ]
    assert reasons(source) == [
        "Row 3, Project template: Name one template, or one for each project."
    ]


def test_without_a_template_it_is_the_persons_or_the_uploads(plan, acme, annex):
    add_entry(acme, "a@subco.example", default_project_template=template(acme, FOREMAN))
    rows = [
        ["Mail", "Project", "Default project template"],
        ["a@subco.example", "24-017", ""],
        ["b@subco.example", "24-017", FOREMAN],
        ["c@subco.example", "24-017", ""],
    ]
    source = plan(*rows)
    assert reasons(source) == [
        "Row 4, Project template: Name the template for 24-017 Harbour Tower, or "
        "choose one for all at the upload."
    ]
    source = plan(*rows, project_template=template(acme, SUBCONTRACTOR))
    assert [each.difference[-1].rpartition(": ")[2] for each in source.rows.all()] == [
        FOREMAN,
        FOREMAN,
        SUBCONTRACTOR,
    ]


# Refusals, each with its cell


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("Project", "Nowhere", "There is no project ‘Nowhere’."),
        ("Project", "B-9", "There is no project ‘B-9’."),  # Globex's (T39)
        ("Company template", "Boss", "There is no company template ‘Boss’."),
        ("Company template", FOREMAN, f"There is no company template ‘{FOREMAN}’."),
        ("Default project template", "x", "There is no project template ‘x’."),
        ("Project template", FOREMAN, "There is no project beside it. Name one."),
        ("First day", "2027-01-01", "There is no project beside it. Name one."),
        ("First name", "a\u202eb", "This contains an invisible character."),
        ("Firm", "x" * 151, "Ensure this value has at most 150 characters"),
    ],
)
def test_a_refusal_names_row_and_cell(plan, bridge, column, text, reason):
    source = plan(
        ["E-mail", column, "Project "[:0] or "Projekte"][:2], ["r@subco.example", text]
    )
    if column == "Project template":
        source = plan(["E-mail", column, "Project"], ["r@subco.example", text, ""])
    [said] = reasons(source)
    assert said.startswith(f"Row 2, {column}: {reason}")


def test_all_that_is_wrong_with_a_row_is_said(plan):
    source = plan(
        ["E-mail", "Project", "Role", "First day", "Last day"],
        ["r@subco.example", "24-017", FOREMAN, "1/2/2027", "soon"],
        ["s@subco.example", "24-017", FOREMAN, "2027-02-02", "2027-02-01"],
    )
    assert reasons(source) == [
        "Row 2, First day: ‘1/2/2027’ can be read in two ways. Say at the upload "
        "which comes first, the day or the month. Row 2, Last day: ‘soon’ is no day. "
        "Write it as 2027-04-03 or 3 April 2027.",
        "Row 3, Last day: The last day can't be before the first.",
    ]


def test_only_so_much_is_said(plan):
    """A cell of 64 kB must not become megabytes of sentences."""
    source = plan(
        ["Mail", "Project", "Start"],
        ["a@b.example", "x;" * 30_000, ""],
        ["b@b.example", "24-017", "y" * 60_000],
    )
    first, second = reasons(source)
    assert len(first) < 2_000
    assert len(second) < 500


def test_two_projects_of_one_name_are_told_apart_by_number(plan, acme, annex):
    Project.objects.create(company=acme, name="Harbour Tower", number="24-019")
    source = plan(
        ["Mail", "Project", "Role"],
        ["a@subco.example", "Harbour Tower", FOREMAN],
        ["b@subco.example", "24-019", FOREMAN],
    )
    assert kinds(source) == ["refused", "new"]
    assert (
        "more than one project ‘Harbour Tower’. Use the number." in reasons(source)[0]
    )


def test_a_template_of_another_project_is_refused(plan, acme, annex):
    PermissionTemplate.objects.create(
        company=acme, name="Annex only", scope="project", project=annex
    )
    rows = [["Mail", "Project", "Role"], ["a@subco.example", "24-017", "Annex only"]]
    [reason] = reasons(plan(*rows))
    assert reason == "Row 2, Project template: This template is for another project."


def test_somebody_deactivated_stays_as_they_are(plan, acme):
    add_entry(acme, "a@subco.example", first_name="A", is_active=False)
    source = plan(["Mail", "First name"], ["a@subco.example", "A"])
    assert kinds(source) == ["unchanged"]
    source = plan(["Mail", "First name"], ["a@subco.example", "B"])
    assert "deactivated. Reactivate them first" in reasons(source)[0]


def test_the_last_administrator_stays(plan, acme, ada):
    rows = [["Mail", "Company template"], [ada.email, MEMBER]]
    [reason] = reasons(plan(*rows))
    assert reason.startswith(
        "Row 2, Company template: This is the company's only admin"
    )
    other = add_member(acme, "eve@acme.example", template=COMPANY_ADMINISTRATOR)
    assert kinds(plan(*rows, [other.email, MEMBER])) == ["change", "refused"]


# Levels (T44)


@pytest.fixture
def sten(acme, max_, tower):
    """Somebody with Standard on the Directory, who hands out Member and Foreman."""
    clerk = PermissionTemplate.objects.create(
        company=acme, name="Clerk", scope="company"
    )
    levels = {"directory": 2, "portfolio": 1}
    PermissionLevel.objects.bulk_create(
        PermissionLevel(template=clerk, tool=tool, level=level)
        for tool, level in levels.items()
    )
    HandOut.objects.create(company=acme, giver=clerk, given=template(acme, MEMBER))
    entry = add_member(acme, "sten@acme.example")
    Membership.objects.filter(pk=entry.pk).update(template=clerk)
    put_on(entry, tower, FOREMAN)
    return Membership.objects.get(pk=entry.pk)


def test_standard_adds_people_and_projects_within_their_own_level(plan, sten, annex):
    source = plan(
        ["Mail", "Company template", "Project", "Role"],
        ["a@subco.example", "", "24-017", SUBCONTRACTOR],
        ["b@subco.example", COMPANY_ADMINISTRATOR, "", ""],
        ["c@subco.example", "", "24-017", FOREMAN],
        ["d@subco.example", "", "24-018", SUBCONTRACTOR],
        by=sten.user,
    )
    assert kinds(source) == ["new", "refused", "refused", "refused"]
    assert reasons(source) == [
        f"Row 3, Company template: You may not bring in people with "
        f"{COMPANY_ADMINISTRATOR}.",
        f"Row 4, Project template: You may not hand out {FOREMAN} on 24-017 Harbour "
        "Tower.",
        f"Row 5, Project template: You may not hand out {SUBCONTRACTOR} on 24-018 "
        "Annex, East.",
    ]


def test_standard_changes_nobody_and_nobodys_grant(plan, acme, sten, max_):
    other = add_entry(acme, "o@subco.example")
    source = plan(
        ["Mail", "First name", "Project", "Role"],
        [max_.email, "Maxim", "", ""],
        [max_.email, "", "24-017", SUBCONTRACTOR],
        [sten.email, "Sten", "", ""],
        [other.email, "", "24-017", SUBCONTRACTOR],
        by=sten.user,
    )
    assert kinds(source) == ["refused", "refused", "refused", "link"]
    assert "Only an administrator may change what is there" in reasons(source)[0]


def test_who_has_lost_the_level_meanwhile_imports_nobody(plan, max_):
    source = plan(["Mail"], ["a@subco.example"], by=max_.user)
    assert "You may not bring in people with Member" in reasons(source)[0]


def test_the_difference_is_made_of_what_is_of_this_company(plan, globex, gina, bridge):
    """Globex's entry of the same person, its firms and projects are no news to Acme."""
    Vendor.objects.create(company=globex, name="Steel Co")
    source = plan(["Mail", "Firm"], [gina.email, "Steel Co"])
    assert kinds(source) == ["new"]
    assert row(source, 2).new_firm == "Steel Co"


def test_dates_are_read_in_the_chosen_order(plan, max_):
    rows = [["Mail", "Project", "Last day"], [max_.email, "24-017", "3/4/2027"]]
    for order, day in [("day", "3 April 2027"), ("month", "4 March 2027")]:
        assert row(plan(*rows, date_order=order), 2).difference[0].endswith(day)


def test_a_company_without_member_has_to_be_told_the_template(plan, acme):
    PermissionTemplate.objects.filter(company=acme, name=MEMBER).update(name="Crew")
    source = plan(
        ["Mail", "Company template"], ["a@b.example", ""], ["b@b.example", "crew"]
    )
    assert kinds(source) == ["refused", "new"]
    assert reasons(source)[0].startswith("Row 2, Company template: Name one")


def test_who_has_lost_the_desk_meanwhile_puts_nobody_on_a_project(
    plan, acme, sten, tower
):
    """T34: what they may hand out on a project is no right to import."""
    other = add_entry(acme, "o@subco.example")
    rows = ["Mail", "Project", "Role"], [other.email, "24-017", SUBCONTRACTOR]
    assert kinds(plan(*rows, by=sten.user)) == ["link"]
    sten.template.set_levels({"directory": Level.READ_ONLY}, None)
    source = plan(*rows, by=sten.user.__class__.objects.get(pk=sten.user_id))
    assert kinds(source) == ["refused"]


def test_nor_a_default_above_the_own_level(plan, sten):
    """T44: an administrator would give it to them, later and unseen."""
    source = plan(
        ["Mail", "Default project template"],
        ["a@subco.example", FOREMAN],
        ["b@subco.example", SUBCONTRACTOR],
        by=sten.user,
    )
    assert kinds(source) == ["refused", "new"]
    assert reasons(source) == [
        f"Row 2, Default project template: You may not hand out {FOREMAN}."
    ]
