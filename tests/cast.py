"""The cast of the tests: two companies, and people with stated relations to them.

Acme and Globex know nothing of each other. Ada administers Acme; Cora is its
coordinator (Standard on the Directory), Rory reads it (Read Only), and both are foremen
on its project; Max is a member of Acme and a foreman there; Gina administers Globex;
Ivo has been invited to Acme and hasn't joined yet; Olga is the operator.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user
from django.core.mail import EmailMessage
from django.db.models import F
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import User
from companies.desk import desk_company
from companies.models import (
    Company,
    Membership,
    PermissionTemplate,
    Project,
    ProjectMembership,
)
from companies.tools import COMPANY_ADMINISTRATOR, COORDINATOR, MEMBER, Level
from invitations.models import Delivery, Invitation, Terms

PASSWORD = "Correct-Horse-7"
FOREMAN = "Foreman/Superintendent – Internal"


def template(company: Company, name: str) -> PermissionTemplate:
    return PermissionTemplate.objects.get(company=company, name=name)


def add_entry(company: Company, email: str, **fields: Any) -> Membership:
    """Put somebody into the directory, who hasn't joined."""
    name = fields.pop("template", MEMBER)
    return Membership.objects.create(
        company=company, email=email, template=template(company, name), **fields
    )


def add_user(email: str, **fields: Any) -> User:
    """Make a log-in that has agreed to the terms, where there are some."""
    user = User.objects.create_user(email, PASSWORD, is_proven=True, **fields)
    if terms := Terms.objects.current():
        terms.accept(user)
    return user


def add_member(company: Company, email: str, **fields: Any) -> Membership:
    """Make somebody who has joined, with a log-in of their own or the one they have."""
    user = User.objects.filter(email=email).first() or add_user(email)
    return add_entry(company, email, user=user, joined_at=timezone.now(), **fields)


def put_on(
    entry: Membership, project: Project, name: str = FOREMAN, **days: Any
) -> Any:
    return ProjectMembership.objects.create(
        company=entry.company,
        membership=entry,
        project=project,
        template=template(entry.company, name),
        **days,
    )


def let_an_hour_pass(*entries: Membership) -> None:
    """Since their last mail: the next one would come too soon, else (T27)."""
    mails = Delivery.objects.filter(invitation__membership__in=entries)
    mails.update(created_at=F("created_at") - timedelta(hours=1))


def invite(entry: Membership, by: User | None = None) -> Invitation:
    let_an_hour_pass(entry)
    [invitation] = Invitation.objects.send([entry], by).sent
    return invitation


@pytest.fixture
def terms(db: None) -> Terms:
    return Terms.objects.publish(
        "2026-01", "Be careful on site.\n\nWear a helmet.", None
    )


@pytest.fixture
def acme(terms: Terms) -> Company:
    return Company.objects.create(name="Acme Construction")


@pytest.fixture
def globex(terms: Terms) -> Company:
    return Company.objects.create(name="Globex Builders")


@pytest.fixture
def tower(acme: Company) -> Project:
    return Project.objects.create(company=acme, name="Harbour Tower", number="24-017")


@pytest.fixture
def bridge(globex: Company) -> Project:
    return Project.objects.create(company=globex, name="Mill Bridge", number="B-9")


@pytest.fixture
def ada(acme: Company) -> Membership:
    return add_member(
        acme,
        "ada@acme.example",
        first_name="Ada",
        last_name="Lindqvist",
        template=COMPANY_ADMINISTRATOR,
    )


@pytest.fixture
def max_(acme: Company, tower: Project) -> Membership:
    entry = add_member(acme, "max@acme.example", first_name="Max", last_name="Weber")
    put_on(entry, tower)
    return entry


@pytest.fixture
def cora(acme: Company, tower: Project) -> Membership:
    """Standard on the Directory: she adds people and invites them."""
    entry = add_member(
        acme, "cora@acme.example", first_name="Cora", template=COORDINATOR
    )
    put_on(entry, tower)
    return entry


@pytest.fixture
def rory(acme: Company, tower: Project) -> Membership:
    """Read Only on the Directory."""
    reader = PermissionTemplate.objects.create(
        company=acme, name="Reader", scope="company"
    )
    reader.set_levels({"directory": Level.READ_ONLY}, None)
    entry = add_member(acme, "rory@acme.example", first_name="Rory", template="Reader")
    put_on(entry, tower)
    return entry


@pytest.fixture
def gina(globex: Company) -> Membership:
    return add_member(
        globex,
        "gina@globex.example",
        first_name="Gina",
        last_name="Rossi",
        template=COMPANY_ADMINISTRATOR,
    )


@pytest.fixture
def olga(terms: Terms) -> User:
    user = User.objects.create_superuser("olga@operator.example", PASSWORD)
    terms.accept(user)
    return user


@pytest.fixture
def ivo(acme: Company, ada: Membership, tower: Project) -> Invitation:
    """Ivo's pending invitation, which Ada sent."""
    entry = add_entry(acme, "ivo@subco.example", first_name="Ivo", last_name="Novak")
    put_on(entry, tower, "Subcontractor – External")
    return invite(entry, ada.user)


class DeskClient(Client):
    """Says of each form of the desk for which company it was shown, as its pages do:
    for the one that is selected, unless the test says another (T37)."""

    def post(self, path: str, data: Any = None, *args: Any, **extra: Any) -> Any:  # type: ignore[override]
        if path.startswith("/admin/"):
            data = {"desk": self.desk} | (data or {})
        return super().post(path, data, *args, **extra)

    @property
    def desk(self) -> str:
        request = HttpRequest()
        request.session = self.session
        request.user = get_user(request)
        company = desk_company(request)
        return company.slug if company else ""


@pytest.fixture
def as_(client: Client) -> Callable[[Membership | User], Client]:
    """Give a client of its own that is logged in as somebody of the cast."""

    def logged_in(somebody: Membership | User) -> Client:
        user = somebody.user if isinstance(somebody, Membership) else somebody
        assert user is not None
        fresh = DeskClient()
        fresh.force_login(user, "invitations.backends.AuthenticationBackend")
        return fresh

    return logged_in


def work() -> None:
    """Do what the worker does, here and now: all queued tasks, in their order."""
    while result := DBTaskResult.objects.ready().first():
        result.claim("tests")
        result.set_successful(result.task.call(*result.task_result.args))


def link_in(message: EmailMessage) -> str:
    """The path of the first link in a mail."""
    lines = str(message.body).splitlines()
    return next(urlsplit(line.strip()).path for line in lines if "://" in line)
