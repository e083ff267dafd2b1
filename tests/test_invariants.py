"""`check_invariants` finds each row that something has broken past the models."""

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from companies.models import (
    Company,
    HandOut,
    Membership,
    PermissionLevel,
    Project,
    Vendor,
)
from companies.tools import COMPANY_ADMINISTRATOR, MEMBER, CompanyTool
from desk.models import Import, ImportRow
from invitations.models import Delivery, Invitation
from procore_site.management.commands.check_invariants import invariants
from tests.cast import FOREMAN, add_entry, template


def update(row, **fields):
    """Write past the model, as a script might."""
    type(row)._base_manager.filter(pk=row.pk).update(**fields)


def broken():
    return [each.sentence for each in invariants() if each.broken.exists()]


@pytest.fixture
def grant(max_):
    return max_.project_memberships.get()


@pytest.fixture
def foreman(acme):
    return template(acme, FOREMAN)


@pytest.fixture
def hand_out(acme):
    return HandOut.objects.filter(company=acme).first()


@pytest.fixture
def imported(acme):
    return Import.objects.create(company=acme, name="people.csv")


@pytest.fixture
def row(imported):
    return ImportRow.objects.create(company=imported.company, source=imported, number=2)


def swap_templates(request):
    acme = request.getfixturevalue("acme")
    update(request.getfixturevalue("max_"), template=template(acme, FOREMAN))


def swap_project_templates(request):
    acme = request.getfixturevalue("acme")
    update(request.getfixturevalue("grant"), template=template(acme, MEMBER))


def bind_the_template(request):
    acme = request.getfixturevalue("acme")
    other = Project.objects.create(company=acme, name="Annex", number="24-018")
    update(template(acme, FOREMAN), project=other)


def name_a_foreign_tool(request):
    level = PermissionLevel.objects.filter(tool=CompanyTool.REPORTS).first()
    update(level, tool="drawings")


def name_another_foreign_tool(request):
    level = PermissionLevel.objects.filter(tool="drawings").first()
    update(level, tool=CompanyTool.REPORTS)


def lose_the_address(request):
    request.getfixturevalue("max_").user.emailaddress_set.all().delete()


def make_staff(request):
    update(request.getfixturevalue("max_").user, is_staff=True)


def shout(request):
    # Raw: the field would write it in lower case.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE companies_membership SET email = UPPER(email)")


def shout_at_the_invitee(request):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE invitations_invitation SET sent_to = UPPER(sent_to)")


def accept_without_joining(request):
    ivo = request.getfixturevalue("ivo")
    update(ivo, state=Invitation.State.ACCEPTED, settled_at=ivo.sent_at)


def join_without_accepting(request):
    ivo, olga = request.getfixturevalue("ivo"), request.getfixturevalue("olga")
    update(ivo.membership, user=olga, joined_at=ivo.sent_at)


def mail_a_later_version(request):
    Delivery.objects.update(version=7)


def lose_the_administrator(request):
    Membership.objects.update(is_active=False)


BREAKS = {
    swap_templates: "An entry has a template for the tools of a company.",
    swap_project_templates: "A grant has a template for the tools of a project.",
    bind_the_template: (
        "A template that is for one project is given on that project only."
    ),
    name_a_foreign_tool: "A company template speaks of company tools only.",
    name_another_foreign_tool: "A project template speaks of project tools only.",
    lose_the_address: "An account has its own address among its addresses.",
    make_staff: "Only operators are staff.",
    shout: "The address of an entry is in lower case.",
    shout_at_the_invitee: "The address of an invitation is in lower case.",
    accept_without_joining: "Whoever has accepted an invitation has joined.",
    join_without_accepting: "Nobody who has joined has a pending invitation.",
    mail_a_later_version: "A mail is of a version that its invitation has had.",
    lose_the_administrator: "An active company has an administrator.",
}


# What PostgreSQL refuses: there is nothing to be found there.


def alter_the_terms(request):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE invitations_terms SET text = 'Be careless.'")


def keep_a_first_password(request):
    ivo = request.getfixturevalue("ivo")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        ivo.keep_first_password("hash", None)
        update(ivo, state=Invitation.State.REVOKED, settled_at=ivo.sent_at)
        cursor.execute("PRAGMA ignore_check_constraints = OFF")


def refer_to_another_company(fixture, field):
    def refer(request):
        globex = request.getfixturevalue("globex")
        foreign = {
            "project": Project.objects.create(company=globex, name="X", number="1"),
            "membership": add_entry(globex, "x@globex.example"),
            "template": template(globex, COMPANY_ADMINISTRATOR),
            "vendor": Vendor.objects.create(company=globex, name="X"),
        }
        foreign["default_project_template"] = foreign["template"]
        foreign["giver"] = foreign["given"] = foreign["template"]
        foreign["project_template"] = foreign["template"]
        foreign["source"] = Import.objects.create(company=globex, name="x.csv")
        update(request.getfixturevalue(fixture), **{field: foreign[field]})

    refer.__name__ = f"{fixture}_{field}"
    return refer


if connection.vendor == "sqlite":
    BREAKS |= {
        alter_the_terms: "The text of published terms is the one that was agreed to.",
        keep_a_first_password: "A first password lies with a pending invitation only.",
    } | {
        refer_to_another_company(fixture, field): (
            f"{model}: the {field} is of the same company."
        )
        for fixture, model, field in [
            ("max_", "Membership", "vendor"),
            ("max_", "Membership", "template"),
            ("max_", "Membership", "default_project_template"),
            ("foreman", "PermissionTemplate", "project"),
            ("hand_out", "HandOut", "giver"),
            ("hand_out", "HandOut", "given"),
            ("grant", "ProjectMembership", "project"),
            ("grant", "ProjectMembership", "membership"),
            ("grant", "ProjectMembership", "template"),
            ("ivo", "Invitation", "membership"),
            ("imported", "Import", "project_template"),
            ("row", "ImportRow", "source"),
            ("row", "ImportRow", "membership"),
        ]
    }


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [pytest.param(*each, id=each[0].__name__) for each in BREAKS.items()],
)
def test_each_broken_row_is_found(request, ada, max_, ivo, break_it, sentence):
    assert broken() == []
    break_it(request)
    assert sentence in broken()


def test_no_invariant_is_left_out_here(db):
    sentences = {each.sentence for each in invariants()}
    assert set(BREAKS.values()) <= sentences
    if connection.vendor == "sqlite":
        assert set(BREAKS.values()) == sentences


def test_sound_rows_are_reported_as_such(ada, max_, gina, ivo, olga, capsys):
    call_command("check_invariants")
    assert (
        capsys.readouterr().out == f"All {len(list(invariants()))} invariants hold.\n"
    )


def test_broken_rows_end_with_an_error(ada, max_, capsys):
    update(max_.user, is_staff=True)
    with pytest.raises(CommandError, match=r"Broken: 1 of \d+ invariants\.") as raised:
        call_command("check_invariants", "--json")
    assert raised.value.returncode == 1
    [found] = json.loads(capsys.readouterr().out)["found"]
    assert found == {
        "invariant": "Only operators are staff.",
        "is_warning": False,
        "model": "accounts.User",
        "count": 1,
        "keys": [max_.user_id],
    }


def test_a_company_without_administrator_is_only_warned_of(terms, capsys):
    """It is new: its administrator hasn't joined yet."""
    Company.objects.create(name="Acme Construction")
    call_command("check_invariants")
    assert capsys.readouterr().out.splitlines() == [
        "1 active company has no administrator yet: Acme Construction.",
        "No errors, 1 warning.",
    ]
    Company.objects.create(name="Globex Builders")
    call_command("check_invariants")
    assert capsys.readouterr().out.splitlines() == [
        "2 active companies have no administrator yet: Acme Construction, "
        "Globex Builders.",
        "No errors, 1 warning.",
    ]
