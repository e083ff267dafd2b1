"""What an import is compared with: the directory as it is, and what one may do."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models
from django.utils import timezone

from accounts.models import User
from companies.access import Access
from companies.models import (
    Company,
    Membership,
    PermissionTemplate,
    Project,
    ProjectMembership,
    Vendor,
)
from companies.tools import MEMBER, Scope
from desk.imports.values import Names, words
from invitations.models import Invitation


@dataclass
class Person:
    """One person's entry and grants, stored or to be; and which rows spoke of them."""

    entry: Membership
    is_new: bool
    is_invited: bool = False  # or will be, by a row above
    grants: dict[int, ProjectMembership] = field(default_factory=dict)  # by project
    said: dict[Any, tuple[Any, int]] = field(default_factory=dict)

    @property
    def can_be_invited(self) -> bool:
        entry = self.entry
        return entry.is_active and not (entry.has_joined or self.is_invited)

    def contradiction(self, about: Any, value: Any) -> str:
        """Say which row above says something else of the same thing, if one does."""
        before, number = self.said.get(about, (value, 0))
        if before == value:
            return ""
        said, other = words(value), words(before)
        return f"‘{said}’ contradicts row {number}, which says ‘{other}’."


class Rights:
    """What somebody may do in a company, asked once for each template and project.

    Nobody stands for the operator's command, which may do everything.
    """

    def __init__(self, by: User | None, company: Company) -> None:
        self.by = by
        self.company = company
        self.kept: dict[tuple[int, int | None], bool] = {}

    @cached_property
    def is_administrator(self) -> bool:
        return self.may("companies.administer_company", self.company)

    def may(self, permission: str, row: models.Model) -> bool:
        return self.by is None or self.by.has_perm(permission, row)

    def may_add(self, entry: Membership) -> bool:
        """Whether they may bring in people with this company template (T44)."""
        key = (entry.template_id, None)
        if key not in self.kept:
            self.kept[key] = self.may("companies.add_membership", entry)
        return self.kept[key]

    def may_grant(self, grant: ProjectMembership) -> bool:
        """Whether they may hand out this template on this project (T44)."""
        key = (grant.template_id, grant.project_id)
        if key not in self.kept:
            self.kept[key] = self.may("companies.add_projectmembership", grant)
        return self.kept[key]

    def may_offer(self, template: PermissionTemplate) -> bool:
        """Whether they may note a template as somebody's default for projects.

        An administrator who puts that person on a project gives it unseen: so it has to
        be one that the form would offer, too (T44).
        """
        return self.is_administrator or template.pk in self.offered

    @cached_property
    def offered(self) -> set[int]:
        """The templates that they may give, here or there."""
        if self.by is None:
            return set()
        templates = PermissionTemplate.objects.filter(company=self.company)
        access = Access.of(self.by, self.company.pk)
        return set(access.offered(templates).values_list("pk", flat=True))


class Projects(Names[Project]):
    """Projects by number and by name; a number as it is written is never a name."""

    def __init__(self, projects: Collection[Project]) -> None:
        self.by_number = {each.number.casefold(): each for each in projects}
        super().__init__(
            (name, each)
            for each in projects
            for name in (each.number, each.name, str(each))
        )

    def named(self, text: str) -> list[Project]:
        project = self.by_number.get(text.casefold())
        return [project] if project else super().named(text)


class Directory:
    """What is stored of a company, as far as the rows of a batch may speak of it.

    Loaded in ten queries, however many rows there are.

    Args:
        new_firms: those that other batches are to make, as they are spelt there.
    """

    def __init__(
        self, company: Company, emails: set[str], new_firms: list[str]
    ) -> None:
        self.company = company
        templates = PermissionTemplate.objects.filter(company=company)
        self.templates = {
            each.pk: each for each in templates.prefetch_related("levels")
        }
        self.projects = {
            each.pk: each for each in Project.objects.filter(company=company)
        }
        vendors = Vendor.objects.filter(company=company)
        self.vendors = {each.pk: each for each in vendors}
        self.keepers = set(
            Membership.objects.keepers()
            .filter(company=company)
            .values_list("pk", flat=True)
        )
        self.people = self.load_people(emails)
        self.name_all()
        for name in new_firms:
            self.firm(name)

    def name_all(self) -> None:
        """Let what is there be found by what people call it."""
        # As it is spelt first: 'Foo  Bar' and 'Foo Bar' may both be there.
        vendors = self.vendors.values()
        self.firms = {firm_key(each.name): each for each in vendors}
        self.firms |= {each.name.casefold(): each for each in vendors}
        templates = self.templates.values()
        self.company_templates = Names(
            (each.name, each) for each in templates if each.scope == Scope.COMPANY
        )
        self.project_templates = Names(
            (each.name, each) for each in templates if each.scope == Scope.PROJECT
        )
        self.projects_named = Projects(self.projects.values())

    def load_people(self, emails: set[str]) -> dict[str, Person]:
        """Those in the directory, by the entry's address and by that of the log-in."""
        users = list(User.objects.filter(email__in=emails).values_list("pk", flat=True))
        entries = Membership.objects.filter(
            models.Q(email__in=emails) | models.Q(user__in=users), company=self.company
        ).select_related("user")
        people: dict[str, Person] = {}
        by_key: dict[int, Person] = {}
        is_open = Invitation.objects.open(timezone.now()).filter(membership__in=entries)
        invited = set(is_open.values_list("membership", flat=True))
        # Last those who have joined: their log-in's address is theirs.
        for entry in sorted(entries, key=lambda entry: entry.has_joined):
            self.relate(entry)
            is_invited = entry.pk in invited
            person = Person(entry, is_new=False, is_invited=is_invited)
            by_key[entry.pk] = person
            people |= {entry.email: person, entry.address: person}
        for grant in ProjectMembership.objects.filter(membership__in=by_key):
            person = by_key[grant.membership_id]
            grant.company, grant.membership = self.company, person.entry
            grant.template = self.templates[grant.template_id]
            grant.project = self.projects[grant.project_id]
            person.grants[grant.project_id] = grant
        return people

    def relate(self, entry: Membership) -> None:
        """Give an entry the rows that it refers to, which are loaded already."""
        entry.company = self.company
        entry.template = self.templates[entry.template_id]
        if entry.vendor_id:
            entry.vendor = self.vendors[entry.vendor_id]
        if entry.default_project_template_id:
            default = self.templates[entry.default_project_template_id]
            entry.default_project_template = default

    @property
    def member(self) -> PermissionTemplate | None:
        """The template of somebody new of whom the file says none."""
        found = self.company_templates.find(MEMBER)
        return found[0] if len(found) == 1 else None

    def firm(self, name: str) -> Vendor:
        """The firm of this name, which is made where it isn't there."""
        key = firm_key(name)
        found = self.firms.get(name.casefold()) or self.firms.get(key)
        if found is None:
            found = self.firms[key] = Vendor(company=self.company, name=name)
        return found


def firm_key(name: str) -> str:
    """What two spellings of one firm have in common.

    Capitals first: the constraint compares them, and to a database that knows more
    than those of ASCII 'Yıldız' and 'Yildiz' are one name.
    """
    return " ".join(name.upper().casefold().split())
