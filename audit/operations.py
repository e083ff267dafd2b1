"""Migration operations for what only PostgreSQL can hold.

On other engines they do nothing: there the models hold the rule, and
`check_invariants` looks for rows that broke it.
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import RunSQL

FORBID = """
CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{table} rows are never changed'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_{name}();
"""
ALLOW = """
DROP TRIGGER {name} ON {table};
DROP FUNCTION {table}_{name}();
"""


class PostgreSQLOnly(RunSQL):
    """SQL that is run on PostgreSQL, both ways, and left out elsewhere."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def append_only(table: str) -> PostgreSQLOnly:
    """Let no row of this table be changed or deleted."""
    names = {"table": table, "name": "append_only"}
    return PostgreSQLOnly(FORBID.format(**names), ALLOW.format(**names))


def same_company(table: str, column: str, target: str) -> PostgreSQLOnly:
    """Let a row refer only to rows of its own company, by a composite foreign key.

    Args:
        column: the reference; where it is empty the rule says nothing.
        target: the table referred to, which has UNIQUE (company_id, id).
    """
    name = f"{table}_{column}_same_company"
    return PostgreSQLOnly(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} "
        f"FOREIGN KEY (company_id, {column}) REFERENCES {target} (company_id, id) "
        "DEFERRABLE INITIALLY DEFERRED",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def search_index(table: str, column: str) -> PostgreSQLOnly:
    """Find parts of words in a text column of one company's rows by an index.

    Both extensions come with PostgreSQL and are trusted: whoever owns the database may
    create them. A row is in the index at once: what waits in its list of pending ones
    is read by each search, and makes the planner pass over the index after an import.
    """
    name = f"{table}_{column}"
    return PostgreSQLOnly(
        f"CREATE EXTENSION IF NOT EXISTS pg_trgm; "
        f"CREATE EXTENSION IF NOT EXISTS btree_gin; "
        f"CREATE INDEX {name} ON {table} "
        f"USING gin (company_id, {column} gin_trgm_ops) WITH (fastupdate = off)",
        f"DROP INDEX {name}",
    )
