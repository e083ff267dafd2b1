"""Each foreign key begins one index: none is missing, none is kept twice."""

import pytest
from django.apps import apps
from django.db import models

OURS = ["accounts", "audit", "companies", "desk", "invitations"]
# Nobody looks for these by their company, but by the row that they hang on.
BY_THEIR_PARENT = {"companies.HandOut.company", "desk.ImportRow.company"}

KEYS = [
    field
    for label in OURS
    for model in apps.get_app_config(label).get_models()
    for field in model._meta.local_fields
    if isinstance(field, models.ForeignKey)
]


def wider_indexes(field):
    """The indexes and constraints of several columns that begin with this one."""
    options = field.model._meta
    for each in [*options.indexes, *options.constraints]:
        columns = getattr(each, "fields", ())
        if columns and columns[0] == field.name and not each.condition:
            yield each.name


@pytest.mark.parametrize("field", KEYS, ids=str)
def test_a_foreign_key_begins_one_index(field):
    begun = list(wider_indexes(field))
    own = field.db_index or field.unique
    assert bool(own) != bool(begun) or str(field) in BY_THEIR_PARENT, begun
