"""Each foreign key has its own index or begins a wider one, and not both."""

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
def test_a_foreign_key_is_in_an_index_and_has_no_second_one(field):
    begun = list(wider_indexes(field))
    has_own = field.db_index or field.unique
    if str(field) in BY_THEIR_PARENT:
        assert not has_own and not begun
    else:
        assert has_own != bool(begun), begun
