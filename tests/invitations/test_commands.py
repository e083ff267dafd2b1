"""The operator's commands: right use, and a sentence for each wrong one."""

import json
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.models import AuditEvent
from companies.models import Company, Membership, ProjectMembership
from companies.tools import COMPANY_ADMINISTRATOR
from invitations.models import Delivery, Invitation, Terms
from tests.cast import FOREMAN, add_entry, let_an_hour_pass, put_on, template, work

Kind = AuditEvent.Kind


def run(*arguments):
    """Its report; as JSON where that was asked for."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    text = out.getvalue().strip()
    return json.loads(text) if "--json" in arguments else text


def stored():
    models = (Company, Membership, ProjectMembership, Invitation, Delivery, Terms)
    return [model.objects.count() for model in models] + [AuditEvent.objects.count()]


# create_company


def test_create_company_invites_its_first_administrator(terms, mailoutbox):
    """S1: every account begins here."""
    said = run("create_company", "Acme & Co", "--administrator", "Ada@Acme.example")
    assert said == "Acme & Co (acme-co) is made, and ada@acme.example is invited."
    entry = Membership.objects.get()
    assert entry.template == template(entry.company, COMPANY_ADMINISTRATOR)
    work()
    assert mailoutbox[0].to == ["ada@acme.example"]
    kinds = AuditEvent.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == [
        Kind.TERMS_PUBLISHED,
        Kind.COMPANY_CREATED,
        Kind.ENTRY_ADDED,
        Kind.INVITATION_SENT,
    ]


def test_create_company_reports_as_json(terms):
    said = run("create_company", "Acme", "--administrator", "a@acme.example", "--json")
    assert said == {"company": "acme", "administrator": "a@acme.example"}


def test_a_wrong_address_is_said_once(terms):
    with pytest.raises(CommandError) as raised:
        run("create_company", "Acme", "--administrator", "ada@")
    assert str(raised.value) == "Enter an e-mail address such as name@company.com."


@pytest.mark.parametrize("name", ["Acme Construction", "ACME construction "])
def test_a_company_is_made_once(acme, name):
    """Its slug is named: a second one could never be deleted."""
    with pytest.raises(CommandError, match=r"\(acme-construction\) already: invite to"):
        run("create_company", name, "--administrator", "ada@acme.example")
    assert Company.objects.get() == acme


# invite


def test_invite_makes_the_entry_with_its_projects(acme, tower, mailoutbox):
    said = run(
        "invite", "Ivo@SubCo.example", "--company", acme.slug, "--project", "24-017"
    )
    assert said.startswith("ivo@subco.example is invited to Acme Construction until ")
    grant = ProjectMembership.objects.get()
    assert grant.template.name == "Subcontractor – External"
    work()
    assert "24-017 Harbour Tower" in mailoutbox[0].body


def test_invite_takes_templates_and_several_projects(acme, tower, max_):
    run(
        *("invite", "ivo@subco.example", "--company", acme.slug),
        *(
            "--template",
            COMPANY_ADMINISTRATOR.upper(),
            "--project",
            f"24-017:{FOREMAN}",
        ),
    )
    entry = Membership.objects.get(email="ivo@subco.example")
    assert entry.template.name == COMPANY_ADMINISTRATOR
    assert entry.project_memberships.get().template.name == FOREMAN


def test_invite_again_keeps_what_is_there(acme, tower):
    """A new version; the grant, and whatever stands in the entry, stay."""
    entry = add_entry(acme, "ivo@subco.example", first_name="Ivo")
    grant = put_on(entry, tower)
    arguments = ("invite", entry.email, "--company", acme.slug, "--project", "24-017")
    assert run(*arguments, "--json")["version"] == 1
    let_an_hour_pass(entry)
    said = run(*arguments, "--json")
    assert said == {
        "email": entry.email,
        "company": acme.slug,
        "version": 2,
        "expires_at": Invitation.objects.get().expires_at.isoformat(),
    }
    assert ProjectMembership.objects.get() == grant


def test_invite_is_audited(acme, tower):
    """T56: the entry, its grant, the invitation; by nobody, in the company."""
    run("invite", "ivo@subco.example", "--company", acme.slug, "--project", "24-017")
    events = AuditEvent.objects.filter(company=acme, actor=None).order_by("id")
    assert [(event.kind, event.about_label) for event in events] == [
        (Kind.ENTRY_ADDED, "ivo@subco.example"),
        (Kind.GRANTED, "ivo@subco.example"),
        (Kind.INVITATION_SENT, "ivo@subco.example"),
    ]


# publish_terms


def test_publish_terms(db, tmp_path):
    file = tmp_path / "terms.txt"
    file.write_text("\ufeffBe careful.\n\nWear a helmet.\n", "utf-8")
    said = run("publish_terms", "2026-11", str(file))
    terms = Terms.objects.current()
    assert terms.text == "Be careful.\n\nWear a helmet."
    assert said == (
        f"Terms and Conditions 2026-11 are published (SHA-256 {terms.sha256})."
    )
    file.write_text("Be more careful.", "utf-8")
    said = run("publish_terms", "2026-12", str(file), "--json")
    assert said == {"version": "2026-12", "sha256": Terms.objects.current().sha256}


# What is wrong with it

TO_ACME = ("--company", "acme-construction")
WRONG = [
    (
        ("create_company", "", "--administrator", "a@acme.example"),
        "The name is missing: give one.",
    ),
    (("create_company", "Acme", "--administrator", "a@localhost"), "at a domain name"),
    (
        ("create_company", "Acme", "--administrator", ""),
        "Enter an e-mail address such as",
    ),
    (("create_company", "Acme"), "required: --administrator"),
    (("create_company",), "required: name"),
    (("invite", "ivo@subco.example"), "required: --company"),
    (("invite", "ivo", *TO_ACME), "Enter an e-mail address such as"),
    (
        ("invite", "ivo@subco.example", "--company", "initech"),
        "There is no company ‘initech’. There are: acme-construction, globex-builders.",
    ),
    (
        ("invite", "ivo@subco.example", *TO_ACME, "--template", "King"),
        "There is no company template ‘King’.",
    ),
    (
        ("invite", "ivo@subco.example", *TO_ACME, "--template", FOREMAN),
        f"There is no company template ‘{FOREMAN}’.",
    ),
    (
        ("invite", "ivo@subco.example", *TO_ACME, "--project", "99"),
        "There is no project ‘99’.",
    ),
    (
        ("invite", "ivo@subco.example", *TO_ACME, "--project", "B-9"),
        "There is no project ‘B-9’.",
    ),
    (
        ("invite", "ivo@subco.example", *TO_ACME, "--project", "24-017:King"),
        "There is no project template ‘King’.",
    ),
    (
        ("invite", "left@acme.example", *TO_ACME, "--template", "Member"),
        "left@acme.example is in the directory already: change the template there.",
    ),
    (("invite", "left@acme.example", *TO_ACME), "The entry is not active: activate it"),
    (("invite", "max@acme.example", *TO_ACME), "Joined already."),
    (("publish_terms", "2026-01", "terms.txt"), "published already: name a new one."),
    (
        ("publish_terms", "2" * 41, "terms.txt"),
        "version: Ensure this value has",
    ),
    (("publish_terms", "", "terms.txt"), "The version is missing: give one."),
    (
        ("publish_terms", "2026-02", "empty.txt"),
        "empty.txt is empty: write the terms into it.",
    ),
    (
        ("publish_terms", "2026-02", "picture.txt"),
        "picture.txt is no text in UTF-8: save it as such",
    ),
    (("publish_terms", "2026-02", "zero.txt"), "contains a NUL character"),
    (
        ("publish_terms", "2026-02", "missing.txt"),
        "missing.txt can't be read: No such file or directory.",
    ),
    (("publish_terms", "2026-02"), "required: file"),
    (("work", "--interval", "soon"), "invalid valid_interval value: 'soon'"),
]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [pytest.param(*case, id=f"{n} {case[0][0]}") for n, case in enumerate(WRONG)],
)
def test_wrong_use_says_why_and_writes_nothing(
    ada, max_, tower, bridge, tmp_path, monkeypatch, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    add_entry(ada.company, "left@acme.example", is_active=False)
    for name, content in [
        ("terms.txt", b"Be careful."),
        ("empty.txt", b" \n"),
        ("picture.txt", b"\xff\xd8\xff"),
        ("zero.txt", b"Be\0careful."),
    ]:
        (tmp_path / name).write_bytes(content)
    before = stored()
    with pytest.raises(CommandError) as raised:
        run(*arguments)
    assert sentence in str(raised.value)
    assert raised.value.returncode != 0
    assert stored() == before


def test_ten_of_what_there_is_are_named(acme):
    Company.objects.bulk_create(Company(name="X", slug=f"x-{n}") for n in range(10, 20))
    with pytest.raises(CommandError) as raised:
        run("invite", "ivo@subco.example", "--company", "acme")
    assert str(raised.value) == (
        "There is no company ‘acme’. There are: acme-construction, x-10, x-11, x-12, "
        "x-13, x-14, x-15, x-16, x-17, x-18, …"
    )


def test_nothing_is_made_before_there_are_terms(db):
    with pytest.raises(CommandError, match="publish_terms VERSION FILE"):
        run("create_company", "Acme", "--administrator", "ada@acme.example")
    assert not Company.objects.exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ([], "CommandError: no-such-file can't be read: No such file or directory.\n"),
        (
            ["--json"],
            '{"error": "no-such-file can\'t be read: No such file or directory."}\n',
        ),
    ],
)
def test_wrong_use_ends_the_process_with_a_sentence(option, said):
    """What a script sees: no traceback, and an exit code that isn't 0."""
    command = [sys.executable, "manage.py", "publish_terms", "1", "no-such-file"]
    # The database that is named need not be there: the tests have one of their own. And
    # Django's check of a generated column asks PostgreSQL for its version.
    environ = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    ended = subprocess.run(
        [*command, *option],
        cwd=settings.BASE_DIR,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == said
