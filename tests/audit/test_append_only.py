"""What happened stays as it was written (T56), and so do the terms (S14)."""

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import AuditEvent
from audit.operations import append_only
from invitations.models import Terms, TermsAcceptance

MODELS = [AuditEvent, Terms, TermsAcceptance]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.fixture(autouse=True)
def rows(ada):
    """At least one of each: Ada has agreed to the terms that were published."""


@each_model
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rows: rows.first().save(), id="save"),
        pytest.param(lambda rows: rows.first().delete(), id="delete"),
        pytest.param(lambda rows: rows.update(pk=0), id="update of many"),
        pytest.param(lambda rows: rows.all().delete(), id="delete of many"),
        pytest.param(
            lambda rows: rows.bulk_update(list(rows.all()), [first_column(rows.model)]),
            id="bulk_update",
        ),
    ],
)
def test_models_refuse_changes(model, change):
    """On both engines."""
    before = list(model.objects.values())
    sentence = r"^Rows of .+ are never (changed|deleted)\.$"
    with pytest.raises(TypeError, match=sentence), transaction.atomic():
        change(model.objects)
    assert list(model.objects.values()) == before


def first_column(model):
    return model._meta.concrete_fields[1].name


def execute(sql):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def statements(model):
    table = model._meta.db_table
    return [f"UPDATE {table} SET id = id + 100", f"DELETE FROM {table}"]  # noqa: S608


@pytest.mark.postgresql
@each_model
def test_postgresql_refuses_changes(model):
    """Whatever sends the SQL; inserting goes on."""
    for sql in statements(model):
        with pytest.raises(IntegrityError, match="rows are never changed"):
            execute(sql)


@pytest.mark.postgresql
def test_the_rule_can_be_lifted_and_laid_again():
    """The migration is reversible."""
    rule = append_only("audit_auditevent")
    with connection.schema_editor() as editor:
        rule.database_backwards("audit", editor, None, None)
    execute(statements(AuditEvent)[0])
    with connection.schema_editor() as editor:
        rule.database_forwards("audit", editor, None, None)
    with pytest.raises(IntegrityError):
        execute(statements(AuditEvent)[0])
