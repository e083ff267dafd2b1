"""What the database refuses on both engines, however wrong the code is.

Each constraint is violated past the models, as a script or a race might.
"""

from collections import namedtuple
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone

from accounts.models import PasswordHistory
from companies.models import (
    Bookmark,
    HandOut,
    Membership,
    OwnedByCompany,
    PermissionLevel,
    PermissionTemplate,
    Project,
    Vendor,
)
from companies.tools import MEMBER, Scope
from desk.models import Import, ImportRow
from invitations.models import Delivery, Terms, TermsAcceptance
from tests.cast import FOREMAN, add_entry, template

OURS = ("accounts", "audit", "companies", "invitations", "desk")


@pytest.fixture
def rows(acme, globex, ada, max_, gina, ivo, tower, bridge):
    """The cast, by name."""
    return SimpleNamespace(
        acme=acme,
        globex=globex,
        ada=ada,
        max=max_,
        tower=tower,
        bridge=bridge,
        ivo=ivo,
        grant=max_.project_memberships.get(),
        foreign=add_entry(globex, "x@globex.example"),
        imported=(imported := Import.objects.create(company=acme, name="people.csv")),
        row=ImportRow.objects.create(company=acme, source=imported, number=2),
    )


def update(row, **fields):
    type(row)._base_manager.filter(pk=row.pk).update(**fields)


def copy(row, **fields):
    """Insert a row again, with these columns otherwise."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.fields}
    del values["id"]
    type(row)._base_manager.bulk_create([type(row)(**values | fields)])


def execute(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def upper(row, column):
    execute(f"UPDATE {row._meta.db_table} SET {column} = UPPER({column})")  # noqa: S608


def level(r):
    return PermissionLevel.objects.filter(template__company=r.acme).first()


def hand_out(r):
    return HandOut.objects.filter(company=r.acme).first()


def delivery(r):
    return r.ivo.deliveries.get()


Case = namedtuple("Case", ["constraint", "violate"])
CASES = [
    # One account per canonical address; operators are staff.
    Case("accounts_user.email", lambda r: copy(r.max.user)),
    Case("accounts_user_email_lower", lambda r: upper(r.max.user, "email")),
    Case(
        "accounts_user_superuser_is_staff",
        lambda r: update(r.max.user, is_superuser=True),
    ),
    Case(
        "accounts_passwordhistory_one_each",
        lambda r: copy(PasswordHistory.objects.filter(user=r.max.user).get()),
    ),
    # One entry per company and address, and per company and person.
    Case("companies_company.slug", lambda r: update(r.acme, slug=r.globex.slug)),
    Case(
        "companies_membership_one_per_email",
        lambda r: update(r.max, email=r.ada.email),
    ),
    Case("companies_membership_one_per_user", lambda r: update(r.max, user=r.ada.user)),
    Case(
        "companies_membership_joined_with_user", lambda r: update(r.max, joined_at=None)
    ),
    Case(
        "companies_membership_joined_with_user",
        lambda r: update(r.ivo.membership, joined_at=timezone.now()),
    ),
    # Names and numbers are unique in a company, in whatever case they are typed.
    Case(
        "companies_vendor_name",
        lambda r: Vendor.objects.bulk_create(
            Vendor(company=r.acme, name=name) for name in ("Paint Co", "PAINT CO")
        ),
    ),
    Case(
        "companies_permissiontemplate_name",
        lambda r: PermissionTemplate.objects.bulk_create(
            [
                PermissionTemplate(
                    company=r.acme, name=MEMBER.upper(), scope=Scope.PROJECT
                )
            ]
        ),
    ),
    Case("companies_project_number", lambda r: copy(r.tower, name="Other")),
    Case(
        "companies_project_number",
        lambda r: Project.objects.bulk_create(
            Project(company=r.acme, name="X", number=number)
            for number in ("a-1", "A-1")
        ),
    ),
    # A template of one project is a project template; lists and bookmarks say a thing
    # once.
    Case(
        "companies_permissiontemplate_of_project",
        lambda r: update(template(r.acme, MEMBER), project=r.tower),
    ),
    Case("companies_handout_once", lambda r: copy(hand_out(r))),
    Case(
        "companies_bookmark_once",
        lambda r: Bookmark.objects.bulk_create(
            Bookmark(user=r.max.user, project=r.tower) for _ in range(2)
        ),
    ),
    # One level per template and tool, 0..3.
    Case("companies_permissionlevel_one_per_tool", lambda r: copy(level(r))),
    Case("companies_permissionlevel_known", lambda r: update(level(r), level=4)),
    # One person once per project; days in order; a suspension has its reason.
    Case("companies_projectmembership_once", lambda r: copy(r.grant)),
    Case(
        "companies_projectmembership_days_in_order",
        lambda r: update(r.grant, starts_on="2026-11-25", ends_on="2026-11-24"),
    ),
    Case(
        "companies_projectmembership_suspended_with_reason",
        lambda r: update(r.grant, suspended_at=timezone.now()),
    ),
    Case(
        "companies_projectmembership_suspended_with_reason",
        lambda r: update(r.grant, suspension_reason="No helmet"),
    ),
    # One pending invitation per entry; its state agrees with its timestamps.
    Case(
        "invitations_invitation_public_id",
        lambda r: copy(r.ivo, state="revoked", settled_at=timezone.now()),
    ),
    Case("invitations_invitation_one_pending", lambda r: copy(r.ivo, public_id="x")),
    Case("invitations_invitation_settled", lambda r: update(r.ivo, state="accepted")),
    Case(
        "invitations_invitation_settled",
        lambda r: update(r.ivo, settled_at=timezone.now()),
    ),
    Case(
        "invitations_invitation_state_known",
        lambda r: update(r.ivo, state="expired", settled_at=timezone.now()),
    ),
    Case("invitations_invitation_expires_later", lambda r: update(r.ivo, version=0)),
    Case(
        "invitations_invitation_expires_later",
        lambda r: update(r.ivo, expires_at=F("sent_at")),
    ),
    # A first password lies with a pending invitation, and with the time of its making.
    Case(
        "invitations_invitation_first_password",
        lambda r: update(r.ivo, first_password="hash"),
    ),
    Case(
        "invitations_invitation_first_password",
        lambda r: update(r.ivo, first_password_made_at=timezone.now()),
    ),
    Case(
        "invitations_invitation_first_password",
        lambda r: update(
            r.ivo,
            first_password="hash",
            first_password_made_at=timezone.now(),
            state="revoked",
            settled_at=timezone.now(),
        ),
    ),
    # One mail per version, kind and sequence, about one thing, in one state.
    Case("invitations_delivery_once", lambda r: copy(delivery(r))),
    Case("invitations_delivery_of_one", lambda r: update(delivery(r), invitation=None)),
    Case("invitations_delivery_of_one", lambda r: update(delivery(r), user=r.ada.user)),
    Case(
        "invitations_delivery_state_agrees",
        lambda r: update(delivery(r), state=Delivery.State.ACCEPTED),
    ),
    Case(
        "invitations_delivery_state_agrees",
        lambda r: update(delivery(r), state=Delivery.State.SENDING),
    ),
    Case(
        "invitations_delivery_state_agrees",
        lambda r: update(delivery(r), leased_until=timezone.now()),
    ),
    Case(
        "invitations_delivery_state_agrees", lambda r: update(delivery(r), state="lost")
    ),
    # An import is in a known state, held only while it is worked on, and says why it
    # failed; each of its rows is there once, and a refused one has its reason.
    Case("desk_import_state_known", lambda r: update(r.imported, state="lost")),
    Case(
        "desk_import_held_while_working",
        lambda r: update(r.imported, leased_until=timezone.now()),
    ),
    Case(
        "desk_import_failed_with_reason", lambda r: update(r.imported, state="failed")
    ),
    Case("desk_importrow_once", lambda r: copy(r.row)),
    Case("desk_importrow_refused_with_reason", lambda r: update(r.row, kind="refused")),
    # Terms: one text per version; accepted once per user and version.
    Case("invitations_terms.version", lambda r: copy(Terms.objects.get())),
    Case(
        "invitations_termsacceptance_once",
        lambda r: copy(TermsAcceptance.objects.get(user=r.max.user)),
    ),
]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{n} {case[0]}") for n, case in enumerate(CASES)]
)
def test_database_refuses(rows, case):
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        case.violate(rows)
    is_named = connection.vendor == "postgresql" or "CHECK" in str(raised.value)
    table, _, column = case.constraint.partition(".")
    assert not is_named or table in str(raised.value)
    assert column in str(raised.value)


def test_no_constraint_is_left_out_here():
    stated = {
        constraint.name
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for constraint in model._meta.constraints
        # It holds by itself; the composite foreign keys refer to it.
        if not constraint.name.endswith("_of_company")
    }
    assert stated == {c.constraint for c in CASES if "." not in c.constraint}


# References stay in their company

REFERENCES = {
    "membership_vendor": lambda r: (
        r.max,
        "vendor",
        Vendor.objects.create(company=r.globex, name="Paint Co"),
    ),
    "membership_template": lambda r: (r.max, "template", template(r.globex, MEMBER)),
    "membership_default_project_template": lambda r: (
        r.max,
        "default_project_template",
        template(r.globex, FOREMAN),
    ),
    "permissiontemplate_project": lambda r: (
        template(r.acme, FOREMAN),
        "project",
        r.bridge,
    ),
    "handout_giver": lambda r: (hand_out(r), "giver", template(r.globex, FOREMAN)),
    "handout_given": lambda r: (hand_out(r), "given", template(r.globex, FOREMAN)),
    "projectmembership_project": lambda r: (r.grant, "project", r.bridge),
    "projectmembership_membership": lambda r: (r.grant, "membership", r.foreign),
    "projectmembership_template": lambda r: (
        r.grant,
        "template",
        template(r.globex, FOREMAN),
    ),
    "invitation_membership": lambda r: (r.ivo, "membership", r.foreign),
    "import_project_template": lambda r: (
        r.imported,
        "project_template",
        template(r.globex, FOREMAN),
    ),
    "importrow_source": lambda r: (
        r.row,
        "source",
        Import.objects.create(company=r.globex, name="people.csv"),
    ),
    "importrow_membership": lambda r: (r.row, "membership", r.foreign),
}
each_reference = pytest.mark.parametrize(
    "reference", [pytest.param(of, id=name) for name, of in REFERENCES.items()]
)


@each_reference
def test_model_refuses_another_companys_row(rows, reference):
    """T39: also where no form stands before it."""
    row, field, foreign = reference(rows)
    setattr(row, field, foreign)
    with pytest.raises(ValidationError, match="refer to its own company only"):
        row.save()


@pytest.mark.postgresql
@each_reference
def test_postgresql_refuses_another_companys_row(rows, reference):
    """T39: by a composite foreign key, checked at the end of the transaction."""
    row, field, foreign = reference(rows)
    name = f"{row._meta.db_table}_{field}_id_same_company"
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        update(row, **{field: foreign})
        execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_no_reference_is_left_out_here():
    """A new one has to be laid in a migration, too."""
    found = {
        f"{model._meta.model_name}_{field.name}"
        for model in apps.get_models()
        if issubclass(model, OwnedByCompany)
        for field in model._meta.concrete_fields
        if field.is_relation and issubclass(field.related_model, OwnedByCompany)
    }
    assert found == set(REFERENCES)


@pytest.mark.parametrize("name", ["max", "grant", "ivo", "tower"])
def test_model_refuses_to_leave_its_company(rows, name):
    row = type(getattr(rows, name)).objects.get(pk=getattr(rows, name).pk)
    row.company = rows.globex
    with pytest.raises(ValidationError, match="moved to another company"):
        row.save()


# What several rows say together


def test_last_administrator_stays(rows):
    """A company keeps one, whether they are deactivated or given less."""
    for field, value in [
        ("is_active", False),
        ("template", template(rows.acme, MEMBER)),
    ]:
        entry = Membership.objects.get(pk=rows.ada.pk)
        setattr(entry, field, value)
        with pytest.raises(ValidationError, match="only administrator"):
            entry.save()


def test_rows_with_a_history_are_not_deleted(rows):
    """No id is used again: a link or an event would speak of somebody else."""
    for row in (rows.acme, rows.max.user, rows.ivo.membership):
        with pytest.raises(ProtectedError):
            row.delete()
