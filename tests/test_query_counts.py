"""How many queries the common ways cost (issue 2).

Not counted: transaction control, and the cache, which may be a table.
"""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEvent
from companies.admin import CompanyScopedAdmin
from companies.models import (
    Membership,
    PermissionTemplate,
    Project,
    ProjectMembership,
    Vendor,
)
from companies.tools import COMPANY_ADMINISTRATOR
from desk.models import Import, ImportRow
from invitations.models import Delivery, Invitation
from tests.cast import FOREMAN, PASSWORD, add_member, put_on, work
from tests.desk.lists import applied
from tests.steps import LOG_IN, agree, follow, is_logged_in, log_in, set_password

NOT_COUNTED = re.compile(
    r"^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA)|[\" ]cache[\" ]"
)


@pytest.fixture
def queries():
    """Count the queries of a `with` block, and show them where they are too many."""

    class Counted(CaptureQueriesContext):
        @property
        def statements(self):
            return [
                query["sql"]
                for query in self.captured_queries
                if not NOT_COUNTED.search(query["sql"])
            ]

        def __str__(self):
            return "\n".join(sql[:200] for sql in self.statements)

        def __len__(self):
            return len(self.statements)

    return Counted(connection)


def test_the_log_in_page_asks_nothing(client, terms, queries):
    """Issue 2: 0."""
    with queries:
        client.get(LOG_IN)
    assert len(queries) == 0, str(queries)


def test_logging_in(client, max_, queries):
    """Issue 2: from the POST of the credentials to the company page, at most 24."""
    client.get(LOG_IN)
    with queries:
        answer = log_in(client, "max@acme.example")
        answer = client.get(answer.url, follow=True)
    assert answer.request["PATH_INFO"] == max_.company.get_absolute_url()
    assert len(queries) <= 24, str(queries)


def test_logging_in_once_more(client, max_, queries):
    """Issue 2: also where the browser still brings a session along."""
    log_in(client, "max@acme.example")
    session = client.session
    session.flush()
    session["invitations"] = {}
    session.save()
    client.cookies["sid"] = session.session_key
    with queries:
        answer = client.get(log_in(client, "max@acme.example").url, follow=True)
    assert answer.request["PATH_INFO"] == max_.company.get_absolute_url()
    assert len(queries) <= 24, str(queries)


def test_logging_in_as_an_administrator(client, ada, tower, queries):
    """Issue 2: the page shows the way to the admin, too."""
    client.get(LOG_IN)
    with queries:
        answer = client.get(log_in(client, "ada@acme.example").url, follow=True)
    assert answer.request["PATH_INFO"] == ada.company.get_absolute_url()
    assert len(queries) <= 24, str(queries)


def test_joining(client, ivo, queries):
    """Issue 2: from the link to the company page, terms included, at most 60."""
    with queries:
        follow(client, ivo)
        answer = client.get(set_password(client, ivo).url, follow=True)
        answer = client.get(agree(client, next=answer.context["next"]).url)
    assert answer.status_code == 200
    assert answer.request["PATH_INFO"] == ivo.company.get_absolute_url()
    assert is_logged_in(client)
    assert len(queries) <= 60, str(queries)


@pytest.mark.parametrize("projects", [1, 40])
@pytest.mark.parametrize("template", ["Member", COMPANY_ADMINISTRATOR])
def test_the_company_page(as_, acme, queries, template, projects):
    """Issue 2: session, user, terms, then at most 4, whatever there is to see."""
    from companies.models import Project

    entry = add_member(acme, "max@acme.example", template=template)
    for number in range(projects):
        project = Project.objects.create(company=acme, name="A", number=f"P-{number}")
        put_on(entry, project)
    client = as_(entry)
    with queries:
        answer = client.get(acme.get_absolute_url())
    assert answer.status_code == 200
    assert len(queries) <= 3 + 4, str(queries)


@pytest.mark.parametrize("projects", [1, 120])
def test_the_pages_of_a_project_and_of_the_own_access(as_, acme, queries, projects):
    """Session, user, terms; then as much for very many rows as for one."""
    entry = add_member(acme, "max@acme.example")
    rows = Project.objects.bulk_create(
        Project(company=acme, name=f"A {n}", number=f"P-{n}") for n in range(projects)
    )
    given = acme.permissiontemplates.get(name=FOREMAN)
    others = [add_member(acme, f"p{n}@acme.example") for n in range(projects // 10)]
    pairs = [(entry, each, given) for each in rows]
    pairs += [(each, rows[0], given) for each in others]
    ProjectMembership.objects.grant(pairs, None)
    client = as_(entry)
    for path, at_most in (
        (rows[0].get_absolute_url(), 9),
        (reverse("companies:access", args=[acme.slug]), 9),
    ):
        with queries:
            assert client.get(path).status_code == 200
        assert len(queries) <= 3 + at_most, str(queries)


def test_a_refused_log_in(client, max_, queries):
    """T20, T30: a guess costs little."""
    with queries:
        log_in(client, "max@acme.example", PASSWORD + "x")
    assert len(queries) <= 2, str(queries)


def test_asking_for_a_mail(client, max_, queries):
    """T21: the page only writes who has asked, an event and a task."""
    with queries:
        client.post(reverse("account_reset_password"), {"email": "max@acme.example"})
    assert len(queries) <= 3, str(queries)


# Lists and pages of one row at the desk -----------------------------------------------

GATE = 3  # session, user and terms


@pytest.fixture
def desk_rows(acme, ada, max_, tower):
    """A function that fills Acme up to so many rows of each kind."""
    content = b"E-mail\na@acme.example\n"
    source = applied(acme, content, ada.user, has_invitations=True)

    def fill(size):
        there = Vendor.objects.count()
        vendors = Vendor.objects.bulk_create(
            Vendor(company=acme, name=f"Firm {n}") for n in range(there, size)
        )
        Project.objects.bulk_create(
            Project(company=acme, name=f"House {n}", number=f"H-{n}")
            for n in range(there, size)
        )
        PermissionTemplate.objects.bulk_create(
            PermissionTemplate(company=acme, name=f"Template {n}", scope="project")
            for n in range(there, size)
        )
        entries = Membership.objects.bulk_create(
            Membership(
                company=acme,
                email=f"p{n}@acme.example",
                template=ada.template,
                vendor=vendor,
            )
            for n, vendor in enumerate(vendors, there)
        )
        foreman = acme.permissiontemplates.get(name=FOREMAN)
        pairs = [(entry, tower, foreman) for entry in entries]
        ProjectMembership.objects.grant(pairs, None)
        Invitation.objects.send(entries, ada.user)
        work()
        refused = {"state": "refused", "reason": "550 5.1.1 Unknown"}
        Delivery.objects.filter(recipient__contains="5@").update(**refused)
        new = {"company": acme, "source": source, "kind": "new", "outcome": "new"}
        ImportRow.objects.bulk_create(
            ImportRow(number=10 + n, membership=entry, **new)
            for n, entry in enumerate(entries, there)
        )
        for n in range(there // 10, size // 10):
            file = f"E-mail\ni{n}@acme.example\n".encode()
            Import.objects.bring(acme, f"list-{n}.csv", file, ada.user)

    return fill


def desk_pages():
    """The lists, the page and the history of their first row; and the desk's own."""
    for model, model_admin in admin.site._registry.items():
        if isinstance(model_admin, CompanyScopedAdmin):
            name = model._meta.label_lower.replace(".", "_")
            yield reverse(f"admin:{name}_changelist")
            row = model._default_manager.first()
            if model is not AuditEvent and row:
                yield reverse(f"admin:{name}_change", args=[row.pk])
                yield reverse(f"admin:{name}_history", args=[row.pk])
    entry = Membership.objects.get(email="p0@acme.example")
    yield reverse("admin:companies_membership_access", args=[entry.pk])
    for email in ("p0@acme.example", "max@acme.example"):  # invited, joined
        person = Membership.objects.get(email=email)
        yield reverse("admin:companies_membership_story", args=[person.pk])
    yield reverse("admin:index")
    applied = Import.objects.get(state=Import.State.APPLIED)
    yield reverse("admin:desk_import_change", args=[applied.pk])
    batch = Delivery.objects.filter(batch__isnull=False).first().batch
    yield reverse("admin:invitations_invitation_progress", args=[batch])
    repair = reverse("admin:invitations_invitation_repair")
    yield repair
    yield f"{repair}?domain=acme.example&cause=mailbox"
    yield f"{reverse('admin:companies_membership_changelist')}?q=p&status=invited"


def test_a_page_of_the_desk_asks_as_much_with_10_rows_as_with_1000(
    as_, ada, desk_rows, queries
):
    """At most 12 of its own."""
    client, asked = as_(ada), {}
    for size in (10, 1_000):
        desk_rows(size)
        for path in desk_pages():
            with queries:
                assert client.get(path).status_code == 200, path
            asked.setdefault(path, []).append(len(queries) - GATE)
    assert {path: n for path, n in asked.items() if max(n) > 12} == {}
    assert {path: n for path, n in asked.items() if n[-1] > n[0]} == {}
