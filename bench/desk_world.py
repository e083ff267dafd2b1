"""A world for the desk: one large company among many, with people in every status.

Company 1 has the most people; the others share the rest. User 1 administers company 1.
Of ten people seven have joined, one is invited, one's mail was refused, and one has not
been invited; each is on two projects, and each entry has two events in the audit.
"""

from dataclasses import dataclass

from bench.server import connect
from bench.world import advance, advance_sequences, bare
from companies.tools import SHIPPED

FIRST_NAMES = [
    "Anna",
    "Ben",
    "Carla",
    "David",
    "Elena",
    "Felix",
    "Greta",
    "Hugo",
    "Ida",
    "Jonas",
    "Karin",
    "Luis",
    "Marta",
    "Nils",
    "Olga",
    "Paul",
    "Rosa",
    "Sven",
    "Tara",
    "Udo",
    "Vera",
    "Willi",
    "Xenia",
    "Yusuf",
    "Zoe",
]
LAST_NAMES = [
    "Abel",
    "Becker",
    "Costa",
    "Dietrich",
    "Ebert",
    "Fischer",
    "Gruber",
    "Hansen",
    "Ivanov",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Ortega",
    "Petrov",
    "Quast",
    "Rossi",
    "Schneider",
    "Tanaka",
    "Urban",
    "Vogel",
    "Weber",
    "Ximenes",
    "Young",
    "Zimmermann",
]


@dataclass(frozen=True)
class DeskSize:
    companies: int
    people: int  # in all companies
    largest: int  # of them in company 1

    @property
    def numbers(self) -> dict[str, object]:
        return {
            **vars(self),
            "templates": len(SHIPPED["general_contractor"]),
            "first_names": FIRST_NAMES,
            "last_names": LAST_NAMES,
            "firsts": len(FIRST_NAMES),
            "lasts": len(LAST_NAMES),
        }

    def __str__(self) -> str:
        return (
            f"{self.people:,} people in {self.companies:,} companies, "
            f"{self.largest:,} of them in one"
        )


# Entry m is of company 1 up to `largest`, and of the others in turn. The templates are
# numbered as in bench/world.py: 1 administers, 3 is a member's, 4 to 8 for projects.
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
    """INSERT INTO companies_vendor (id, company_id, name)
    SELECT v + 40 * (c - 1), c, 'Firm ' || v || ' of ' || c
    FROM generate_series(1, %(companies)s) c, generate_series(1, 40) v""",
    """INSERT INTO companies_project
        (id, company_id, name, number, city, is_active, created_at)
    SELECT p + 20 * (c - 1), c, 'Building ' || p, 'P-' || p, 'Springfield', true,
        now()
    FROM generate_series(1, %(companies)s) c, generate_series(1, 20) p""",
    """INSERT INTO accounts_user
        (id, email, password, is_superuser, is_staff, is_active, joined_at)
    SELECT m, 'person-' || m || '@firm-' || mod(m, 97) || '.example', '!', false, false,
        true, now()
    FROM generate_series(1, %(people)s) m WHERE mod(m, 10) NOT IN (0, 8, 9)""",
    """INSERT INTO account_emailaddress (user_id, email, verified, "primary")
    SELECT id, email, true, true FROM accounts_user""",
    """INSERT INTO invitations_termsacceptance (terms_id, user_id, accepted_at)
    SELECT terms.id, person.id, now()
    FROM accounts_user person, invitations_terms terms""",
    """INSERT INTO companies_membership (id, user_id, company_id, email, first_name,
        last_name, job_title, phone, is_active, created_at, joined_at, template_id,
        vendor_id)
    SELECT m, person.id, c,
        'person-' || m || '@firm-' || mod(m, 97) || '.example',
        (%(first_names)s::text[])[1 + mod(m, %(firsts)s)],
        (%(last_names)s::text[])[1 + mod(m / 7, %(lasts)s)],
        'Fitter', '', true, now() - interval '1 year', person.joined_at,
        %(templates)s * (c - 1) + CASE WHEN m = 1 THEN 1 ELSE 3 END,
        40 * (c - 1) + 1 + mod(m, 40)
    FROM (
        SELECT m, CASE WHEN m <= %(largest)s THEN 1
            ELSE 2 + mod(m, greatest(%(companies)s - 1, 1)) END c
        FROM generate_series(1, %(people)s) m
    ) drawn LEFT JOIN accounts_user person ON person.id = m""",
    """INSERT INTO companies_projectmembership
        (company_id, project_id, membership_id, template_id, suspension_reason)
    SELECT company_id, 20 * (company_id - 1) + 1 + mod(id + 7 * n, 20), id,
        %(templates)s * (company_id - 1) + 8, ''
    FROM companies_membership, generate_series(0, 1) n""",
    # Invited were all but a tenth; an eighth and a ninth have not answered.
    """INSERT INTO invitations_invitation (id, company_id, membership_id, public_id,
        state, version, sent_to, invited_by_id, created_at, sent_at, expires_at,
        settled_at, first_password)
    SELECT id, company_id, id, md5(id::text),
        CASE WHEN user_id IS NULL THEN 'pending' ELSE 'accepted' END, 1, email, 1,
        now() - mod(id, 80) * interval '1 day', now() - interval '1 hour',
        now() + interval '6 days', CASE WHEN user_id IS NOT NULL THEN now() END, ''
    FROM companies_membership WHERE mod(id, 10) <> 0""",
    """INSERT INTO invitations_delivery (invitation_id, kind, version, sequence,
        recipient, letter, facts, reference, state, due_at, attempts, reason,
        created_at, settled_at)
    SELECT id, 'welcome', 1, 1, sent_to, '', '{}', gen_random_uuid(),
        CASE WHEN mod(id, 10) = 9 THEN 'refused' ELSE 'accepted' END, sent_at, 1,
        CASE WHEN mod(id, 10) = 9 THEN '550 5.1.1 No such mailbox' ELSE '' END,
        sent_at, sent_at
    FROM invitations_invitation""",
    """INSERT INTO audit_auditevent (kind, at, actor_id, company_id, about_model,
        about_id, about_label, facts)
    SELECT kind, created_at, 1, company_id, 'companies.membership', id,
        first_name || ' ' || last_name, '{}'
    FROM companies_membership, unnest(ARRAY['entry_added', 'invitation_sent']) kind""",
]


def fill_desk(name: str, size: DeskSize) -> None:
    """Add all rows to a database that has one company as the site makes it."""
    with connect(name) as plain, plain.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off; SET work_mem = '256MB'")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        with bare(cursor):
            for statement in ROWS:
                cursor.execute(statement, size.numbers)
        advance_sequences(cursor)
        for table in ("companies_vendor", "invitations_invitation"):
            advance(cursor, table)
        cursor.execute("VACUUM (ANALYZE)")
