"""Fill a database with companies, people, projects and grants, the same each time.

The rows are made in the database itself. Indexes and foreign keys are laid again, and
so checked, once the rows are there: that takes minutes instead of an hour.

| users | who |
|---|---|
| 1 | has 150 projects, 50 in each of the companies 2, 3 and 4 |
| 2 | has 3,000 projects of company 1 |
| 3 | administers company 1, and so reaches all of its 3,000 projects |
| the next | one of each further company, its administrator |
| all others | ordinary: a member of one company, about 5 grants |
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Self

import psycopg
from django.core.management import call_command
from psycopg import sql

from bench.server import connect, make, use
from companies.models import Company
from companies.tools import SHIPPED
from invitations.models import Terms

SPREAD, BIG, ADMINISTRATOR, FIRST = 1, 2, 3, 4  # users, as in the table above


@dataclass(frozen=True)
class Size:
    users: int
    projects: int
    companies: int
    grants: int

    def by(self, part: int) -> Self:
        """A world of a part of this size, which still has the special people."""
        companies = max(self.companies // part, 10)
        return type(self)(
            users=max(self.users // part, 1_000),
            projects=max(self.projects // part, 3_150 + 12 * companies),
            companies=companies,
            grants=max(self.grants // part, 3_150 + 1_000),
        )

    @property
    def ordinary(self) -> range:
        """All ordinary users."""
        return range(FIRST + self.companies - 1, self.users + 1)

    def __str__(self) -> str:
        return ", ".join(f"{number:,} {name}" for name, number in asdict(self).items())


# Template s of company c has the number 8 * (c - 1) + s: 1 administers the company, 2
# coordinates, 3 is a member's, 4 to 8 are for projects. From user 4 on, user u is in
# company 2 + mod(u - 4, companies - 1); that company's k-th further project has the
# number 3151 + (c - 2) + k * (companies - 1).
ROWS = [
    """INSERT INTO companies_company (id, name, slug, kind, is_active, created_at)
    SELECT c, 'Company ' || c, 'company-' || c, kind, true, created_at
    FROM generate_series(2, %(companies)s) c, companies_company WHERE id = 1""",
    """INSERT INTO companies_permissiontemplate
        (id, company_id, name, scope, is_shipped)
    SELECT id + %(templates)s * (c - 1), c, name, scope, is_shipped
    FROM generate_series(2, %(companies)s) c, companies_permissiontemplate
    WHERE company_id = 1""",
    """INSERT INTO companies_permissionlevel (template_id, tool, level)
    SELECT template_id + %(templates)s * (c - 1), tool, level
    FROM generate_series(2, %(companies)s) c, companies_permissionlevel""",
    """INSERT INTO companies_handout (company_id, giver_id, given_id)
    SELECT c, giver_id + %(templates)s * (c - 1), given_id + %(templates)s * (c - 1)
    FROM generate_series(2, %(companies)s) c, companies_handout""",
    """INSERT INTO accounts_user
        (id, email, password, is_superuser, is_staff, is_active, joined_at)
    SELECT u, 'person-' || u || '@example.com', '!', false, false, true, now()
    FROM generate_series(1, %(users)s) u""",
    """INSERT INTO account_emailaddress (user_id, email, verified, "primary")
    SELECT id, email, true, true FROM accounts_user""",
    """INSERT INTO invitations_termsacceptance (terms_id, user_id, accepted_at)
    SELECT terms.id, person.id, now()
    FROM accounts_user person, invitations_terms terms""",
    """INSERT INTO companies_project
        (id, company_id, name, number, city, is_active, created_at)
    SELECT p,
        CASE WHEN p <= 3000 THEN 1 WHEN p <= 3150 THEN 2 + (p - 3001) / 50
            ELSE 2 + mod(p - 3151, %(companies)s - 1) END,
        'Building ' || mod(p * 7919::bigint, 100003), 'P-' || p, 'Springfield', true,
        now()
    FROM generate_series(1, %(projects)s) p""",
    """INSERT INTO companies_membership (id, user_id, company_id, email, first_name,
        last_name, job_title, phone, is_active, created_at, joined_at, template_id)
    SELECT m, u, c, 'person-' || u || '@example.com', 'Person', u, '', '', true, now(),
        now(), 8 * (c - 1) + s
    FROM (
        VALUES (1, 1, 2, 3), (%(users)s + 1, 1, 3, 3), (%(users)s + 2, 1, 4, 3),
            (2, 2, 1, 3), (3, 3, 1, 1)
        UNION ALL
        SELECT u, u, 2 + mod(u - 4, %(companies)s - 1),
            CASE WHEN u - 4 < %(companies)s - 1 THEN 1 ELSE 3 END
        FROM generate_series(4, %(users)s) u
    ) entry (m, u, c, s)""",
    """INSERT INTO companies_projectmembership
        (company_id, project_id, membership_id, template_id, suspension_reason)
    SELECT company_id, id,
        CASE company_id WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE %(users)s + company_id - 2 END,
        8 * (company_id - 1) + 4 + mod(id, 5), ''
    FROM companies_project WHERE id <= 3150""",
    # Of the ordinary grants a twentieth is over and a fiftieth suspended.
    """INSERT INTO companies_projectmembership (company_id, project_id, membership_id,
        template_id, starts_on, ends_on, suspended_at, suspension_reason)
    SELECT c, 3151 + (c - 2) + k * (%(companies)s - 1), u, 8 * (c - 1) + 4 + mod(g, 5),
        '2020-01-01',
        CASE WHEN mod(g, 20) = 0 THEN date '2021-01-01' WHEN mod(g, 3) = 0
            THEN date '2099-12-31' END,
        CASE WHEN mod(g, 50) = 7 THEN timestamptz '2021-01-01' END,
        CASE WHEN mod(g, 50) = 7 THEN 'Insurance ended' ELSE '' END
    FROM (
        SELECT g, 4 + mod(g, %(users)s - 3) u,
            2 + mod(mod(g, %(users)s - 3), %(companies)s - 1) c,
            mod(mod(g, %(users)s - 3) / (%(companies)s - 1) * 5 + g / (%(users)s - 3),
                (%(projects)s - 3150) / (%(companies)s - 1)) k
        FROM generate_series(0, %(grants)s - 3151) g
    ) drawn""",
    # Everybody has visited a project, and a tenth is logged in.
    """INSERT INTO companies_bookmark (user_id, project_id, is_favourite, visited_at)
    SELECT user_id, min(project_id), mod(user_id, 2) = 0, now()
    FROM companies_projectmembership given
        JOIN companies_membership entry ON entry.id = given.membership_id
    GROUP BY user_id""",
    """INSERT INTO django_session (session_key, session_data, expire_date)
    SELECT md5(id::text), repeat('x', 200), now() + interval '1 day'
    FROM accounts_user WHERE mod(id, 10) = 0""",
]


def found(name: str) -> None:
    """Make a database with one company as the site makes it, and work on it."""
    make(name)
    use(name)
    call_command("migrate", verbosity=0)
    Company(name="Company 1").save()
    Terms.objects.publish("1", "Work safely.", None)


def fill(name: str, size: Size, *more: str) -> None:
    """Add the other companies and all people, and the rows of further statements."""
    numbers = {**asdict(size), "templates": len(SHIPPED["general_contractor"])}
    with connect(name) as plain, plain.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off; SET work_mem = '256MB'")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        with bare(cursor):
            for statement in (*ROWS, "ANALYZE", *more):
                cursor.execute(statement, numbers)
        advance_sequences(cursor)
        cursor.execute("VACUUM (ANALYZE)")


@contextmanager
def bare(cursor: psycopg.Cursor[Any]) -> Iterator[None]:
    """Take indexes and references away for a while; laying them again checks them.

    Primary keys and checks stay.
    """
    constraints, indexes = read(cursor, CONSTRAINTS), read(cursor, INDEXES)
    for table, name, _ in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for _, name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _, _, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in reversed(constraints):
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    # Compared by name: PostgreSQL may write the same condition in another way.
    after = read(cursor, CONSTRAINTS) + read(cursor, INDEXES)
    if [row[:2] for row in after] != [row[:2] for row in constraints + indexes]:
        raise RuntimeError("An index or a constraint was lost while loading.")


def read(cursor: psycopg.Cursor[Any], statement: str) -> list[tuple[str, str, str]]:
    return cursor.execute(statement).fetchall()


# References first: they need the unique constraints, which are laid before them.
CONSTRAINTS = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'u')
        AND convalidated
    ORDER BY contype = 'u', conname"""
INDEXES = """
    SELECT indrelid::regclass::text, indexrelid::regclass::text,
        pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace AND indisvalid
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid
            AND contype IN ('p', 'u', 'x'))
    ORDER BY 2"""


def advance_sequences(cursor: psycopg.Cursor[Any]) -> None:
    """Let new rows begin after the numbers that were given here."""
    for table in ("company", "permissiontemplate", "project", "membership"):
        advance(cursor, f"companies_{table}")
    advance(cursor, "accounts_user")


def advance(cursor: psycopg.Cursor[Any], table: str) -> None:
    statement = "SELECT setval(pg_get_serial_sequence(%s, 'id'), max(id)) FROM {}"
    cursor.execute(sql.SQL(statement).format(sql.Identifier(table)), [table])
