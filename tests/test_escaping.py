"""What people type is shown as it was typed, and runs nowhere (T16, T48, T49)."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse

from companies.models import Company, Membership, Project, Vendor
from invitations.models import Terms
from tests.cast import add_entry, add_member, invite, put_on, work
from tests.steps import TERMS, follow, join_page, text

SCRIPT = "<script>alert(1)</script>"
NAME = f"{SCRIPT}\"'& www.evil.example"


@pytest.fixture
def evil(terms):
    """A company whose names are all scripts."""
    company = Company.objects.create(name=NAME, slug="evil")
    boss = add_member(
        company,
        "boss@evil.example",
        first_name=NAME,
        last_name=NAME,
        template="Company Administrator",
    )
    project = Project.objects.create(company=company, name=NAME, number="1", city=NAME)
    entry = add_entry(company, "ivo@subco.example", first_name=NAME, last_name=NAME)
    put_on(entry, project)
    put_on(boss, project)
    return invite(entry, boss.user)


def test_pages_escape_what_people_typed(client, evil, as_):
    """T48: for a stranger and for the administrator."""
    boss = as_(evil.invited_by)
    Terms.objects.publish("2026-02", NAME, None)
    pages = [boss.get(TERMS)]
    Terms.objects.current().accept(evil.invited_by)
    pages += [
        follow(client, evil),
        client.get(reverse("invitations:decline"), {"i": evil.public_id}),
        boss.get(evil.company.get_absolute_url()),
        boss.get(evil.company.get_absolute_url(), {"q": NAME}),
        boss.get(evil.membership.project_memberships.get().project.get_absolute_url()),
        boss.get(reverse("admin:index")),
        boss.get(reverse("admin:companies_membership_changelist")),
        boss.get(
            reverse("admin:companies_membership_change", args=[evil.membership_id])
        ),
        boss.get(reverse("admin:companies_project_changelist"), {"q": NAME}),
        boss.get(reverse("admin:invitations_invitation_changelist")),
    ]
    for page in pages:
        assert page.status_code == 200
        assert SCRIPT not in text(page)
        assert 'href="www.evil' not in text(page)
        assert 'href="http://www.evil' not in text(page)


def test_messages_escape_too(evil, as_):
    """T48: those of an action, which name the row."""
    boss = as_(evil.invited_by)
    given = {"action": "invite", "_selected_action": [evil.membership_id]}
    page = boss.post(
        reverse("admin:companies_membership_changelist"), given, follow=True
    )
    assert "&lt;script&gt;" in text(page)
    assert SCRIPT not in text(page)


def test_mails_escape_in_html_and_not_in_text(evil, mailoutbox):
    """T48: URL-like names are no links; text is text."""
    work()
    [letter] = mailoutbox
    html = letter.alternatives[0].content
    assert SCRIPT not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r'href="[^"]*evil\.example', html)
    assert "&lt;" not in letter.body
    assert "&amp;" not in letter.body


@pytest.mark.parametrize(
    "bad",
    ["\r\nBcc: x@x.example", "a\nb", "a\rb", "a\0b", "a\u202eb", "a\u2028b", "a\x1bb"],
)
@pytest.mark.parametrize(
    ("model", "field"),
    [
        (Company, "name"),
        (Project, "name"),
        (Project, "city"),
        (Vendor, "name"),
        (Membership, "first_name"),
        (Membership, "last_name"),
        (Membership, "job_title"),
        (Membership, "phone"),
    ],
)
def test_names_hold_no_line_breaks_and_no_invisible_characters(model, field, bad):
    """T16: they are refused where they are typed in."""
    with pytest.raises(ValidationError, match="invisible character"):
        model._meta.get_field(field).run_validators(bad)


def test_a_form_says_so(ada, as_):
    """T16: as an error of the field, with nothing saved."""
    given = {"name": "Tower\u202e", "number": "1", "city": "", "is_active": "on"}
    answer = as_(ada).post(reverse("admin:companies_project_add"), given)
    assert answer.status_code == 200
    assert "invisible character" in text(answer)
    assert not Project.objects.exists()


HOSTILE = ["' OR 1=1 --", '"; DROP TABLE accounts_user; --', "%", "_", "\0", "\ud800"]


@pytest.mark.parametrize("value", HOSTILE)
def test_parameters_are_never_an_error(ivo, ada, as_, value):
    """T17, T49: each page that reads one, with odd values and odd names."""
    client = as_(ada)
    value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    for path in (
        ada.company.get_absolute_url(),
        "/companies/",
        TERMS,
        join_page(ivo),
        "/invitations/waiting/",
        "/accounts/login/",
        "/accounts/sessions/",
    ):
        for name in (
            "q",
            "page",
            "next",
            "i",
            "id__gt",
            "user__password",
            "company_id",
        ):
            assert client.get(path, {name: [value, "2"]}).status_code < 500
    number = reverse("companies:project", args=["acme-construction", "x"])
    for path in (number.replace("/x/", f"/{value}/"), f"/companies/{value}/"):
        assert client.get(path).status_code == 404


def test_no_code_hands_a_request_to_the_orm_or_writes_sql():
    """T49: raw SQL only in the migration operations, which take no input."""
    forbidden = re.compile(
        r"\*\*(self\.)?request\.|\*\*dict\((self\.)?request|\.raw\(|\.extra\(|RawSQL\("
        r"|mark_safe\(|\|safe\b(?!.*help_text)"
    )
    root = Path(settings.BASE_DIR)
    apps = ["accounts", "audit", "companies", "desk", "invitations", "procore_site"]
    files = [file for app in apps for file in (root / app).rglob("*.py")]
    found = [
        f"{file.relative_to(root)}: {line.strip()}"
        for file in files
        for line in file.read_text().splitlines()
        if forbidden.search(line)
    ]
    assert len(files) > 50
    assert not found
