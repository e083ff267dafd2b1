"""The others on the same questions and data: guardian, the ORM and psycopg."""

import json
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django
import psycopg
from django.conf import settings
from django.db import connection

from bench.figures import rate
from bench.questions import LATER_CALLS, Question
from bench.server import connect
from companies.models import Membership, ProjectMembership

WANTED = [
    "django-guardian>=3.5,<4",
    f"django=={django.__version__}",
    f"psycopg[binary]=={psycopg.__version__}",
]

# One row for each grant that holds today and gives Standard on RFIs: what guardian
# would be told in the place of our grants.
GUARDIAN_ROWS = """
    WITH content AS (
        SELECT id FROM django_content_type
        WHERE app_label = 'companies' AND model = 'project'
    ), permission AS (
        INSERT INTO auth_permission (name, content_type_id, codename)
        SELECT 'At least Standard on RFIs', id, 'standard_rfis' FROM content
        RETURNING id
    )
    INSERT INTO guardian_userobjectpermission
        (permission_id, content_type_id, object_pk, user_id)
    SELECT permission.id, content.id, given.project_id, entry.user_id
    FROM permission, content, companies_projectmembership given
        JOIN companies_membership entry ON entry.id = given.membership_id
        JOIN companies_permissionlevel held ON held.template_id = given.template_id
    WHERE tool = 'rfis' AND level >= 2 AND suspended_at IS NULL
        AND coalesce(starts_on, current_date) <= current_date
        AND coalesce(ends_on, current_date) >= current_date"""


class Guardian:
    """An environment of its own, in a folder that goes away."""

    def __init__(self, folder: str) -> None:
        self.python = str(Path(folder) / "bin" / "python")
        venv.create(folder, with_pip=True)
        self.call("-m", "pip", "install", "-qq", *WANTED)
        show = (
            "from importlib.metadata import version as v; print(v('django-guardian'))"
        )
        self.version = self.call("-c", show).strip()

    def call(self, *options: str, text: str = "") -> str:
        done = subprocess.run(  # noqa: S603  the Python that was just made here
            [self.python, *options],
            input=text,
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def make_tables(self) -> None:
        self.work({})

    def ask(self, questions: Sequence[Question]) -> Any:
        """Its rates, answers and number of queries for each question."""
        pairs = [(each.user, each.project.pk) for each in questions]
        return self.work({"questions": pairs, "calls": LATER_CALLS})

    def work(self, work: dict[str, Any]) -> Any:
        keys = ("ENGINE", "NAME", "HOST", "PORT", "USER", "PASSWORD")
        database = {key: connection.settings_dict[key] for key in keys}
        text = json.dumps({"database": database, **work})
        return json.loads(self.call("-m", "bench.guardian", text=text))


def pairs_of(questions: Sequence[Question]) -> list[tuple[int, int]]:
    """The numbers of the project and of the person's entry in its company."""
    return [
        (
            each.project.pk,
            Membership.objects.get(user=each.user, company=each.project.company_id).pk,
        )
        for each in questions
    ]


def orm(questions: Sequence[Question]) -> float:
    """The rate of one `.exists()` on a unique index."""
    pairs = pairs_of(questions)
    rows = ProjectMembership.objects.all()

    def work() -> None:
        for project, entry in pairs:
            rows.filter(project=project, membership=entry).exists()

    return rate(len(pairs), work)


def prepared(questions: Sequence[Question]) -> float:
    """The rate of the same by psycopg with a prepared statement: the limit."""
    pairs = pairs_of(questions)
    statement = (
        "SELECT 1 FROM companies_projectmembership"
        " WHERE project_id = %s AND membership_id = %s LIMIT 1"
    )

    with connect(connection.settings_dict["NAME"]) as plain:
        cursor = psycopg.Cursor(plain)

        def work() -> None:
            for pair in pairs:
                cursor.execute(statement, pair, prepare=True).fetchone()

        work()  # warms this connection up
        return rate(len(pairs), work)
