"""What each row of an import would do, and why not, beside what is stored now.

The plan of a batch is made twice: for the dry run, and again in the transaction that
applies it. Both times it is asked of the rows as they are stored then, and of what the
person may do then, so that nothing is written that wasn't shown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import models

from accounts.models import User
from companies.access import Access
from companies.explanations import spoken
from companies.models import (
    Company,
    Membership,
    OwnedByCompany,
    PermissionTemplate,
    Project,
    ProjectMembership,
    Vendor,
)
from companies.tools import MEMBER, Scope
from desk.columns import (
    DEFAULT_TEMPLATE,
    EMAIL,
    FIRM,
    FIRST_DAY,
    FIRST_NAME,
    JOB_TITLE,
    LAST_DAY,
    LAST_NAME,
    NAME,
    PHONE,
    PROJECT,
    PROJECT_TEMPLATE,
    TEMPLATE,
)
from desk.imports.values import Names, read_day, several, split_name
from desk.models import Import, ImportRow

Kind = ImportRow.Kind

# The columns of an entry, and where a row says them.
ENTRY_COLUMNS = {
    "first_name": FIRST_NAME,
    "last_name": LAST_NAME,
    "job_title": JOB_TITLE,
    "phone": PHONE,
    "vendor": FIRM,
    "template": TEMPLATE,
    "default_project_template": DEFAULT_TEMPLATE,
}
TEXTS = ("first_name", "last_name", "job_title", "phone")
MEMBERSHIP = Membership._meta
GRANT_COLUMNS = {
    "template": PROJECT_TEMPLATE,
    "starts_on": FIRST_DAY,
    "ends_on": LAST_DAY,
}
# One cell can name ten thousand projects that aren't there.
PROBLEMS_TOLD = 20
# By column: what it was, and what it is to be.
type Changes = dict[str, tuple[Any, Any]]


# What is there ---------------------------------------------------------------------


@dataclass
class Person:
    """One person's entry and grants, stored or to be; and which rows spoke of them."""

    entry: Membership
    is_new: bool
    grants: dict[int, ProjectMembership] = field(default_factory=dict)  # by project
    said: dict[Any, tuple[Any, int]] = field(default_factory=dict)

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

    @cached_property
    def works_here(self) -> bool:
        """Whether they may still import at all: a project alone opens no desk (T34)."""
        return self.may("companies.standard_directory", self.company)

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
            may_give = self.may("companies.add_projectmembership", grant)
            self.kept[key] = may_give and self.works_here
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


class Directory:
    """What is stored of a company, as far as the rows of a batch may speak of it.

    Loaded in nine queries, however many rows there are.

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
        self.firms = {firm_key(each.name): each for each in self.vendors.values()}
        templates = self.templates.values()
        self.company_templates = Names(
            (each.name, each) for each in templates if each.scope == Scope.COMPANY
        )
        self.project_templates = Names(
            (each.name, each) for each in templates if each.scope == Scope.PROJECT
        )
        self.projects_named = Names(
            (name, each)
            for each in self.projects.values()
            for name in (each.number, each.name, str(each))
        )

    def load_people(self, emails: set[str]) -> dict[str, Person]:
        """Those in the directory, by the entry's address and by that of the log-in."""
        users = list(User.objects.filter(email__in=emails).values_list("pk", flat=True))
        entries = Membership.objects.filter(
            models.Q(email__in=emails) | models.Q(user__in=users), company=self.company
        ).select_related("user")
        people: dict[str, Person] = {}
        by_key: dict[int, Person] = {}
        # Last those who have joined: their log-in's address is theirs.
        for entry in sorted(entries, key=lambda entry: entry.has_joined):
            self.relate(entry)
            person = by_key[entry.pk] = Person(entry, is_new=False)
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
        if key not in self.firms:
            self.firms[key] = Vendor(company=self.company, name=name)
        return self.firms[key]


def firm_key(name: str) -> str:
    return " ".join(name.casefold().split())


# What a row says ---------------------------------------------------------------------


@dataclass
class Place:
    """One project that a row puts its person on; what isn't said is None."""

    project: Project
    template: PermissionTemplate | None
    starts_on: date | None
    ends_on: date | None

    @property
    def said(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in GRANT_COLUMNS}
        return {name: value for name, value in values.items() if value is not None}


class Wish:
    """What a row says, in terms of what is there; an empty cell says nothing."""

    def __init__(self, row: ImportRow, directory: Directory, date_order: str) -> None:
        self.row = row
        self.directory = directory
        self.date_order = date_order
        self.problems: list[str] = []
        self.fields = {**dict(self.read_texts()), **dict(self.read_references())}
        self.places = self.read_places()

    @contextmanager
    def about(self, column: str) -> Iterator[None]:
        """Note what is wrong with a cell, and go on with the others."""
        try:
            yield
        except ValidationError as error:
            for sentence in error.messages:
                self.refuse(column, sentence)

    def refuse(self, column: str, sentence: str) -> None:
        if len(self.problems) < PROBLEMS_TOLD:
            self.problems.append(f"Row {self.row.number}, {column}: {sentence}")

    def text(self, column: str) -> str:
        return str(self.row.cells.get(column, ""))

    def texts(self) -> dict[str, str]:
        """The texts of an entry; a name in one cell is split."""
        texts = {name: self.text(ENTRY_COLUMNS[name]) for name in TEXTS}
        whole = self.text(NAME)
        if "," in texts["last_name"] and not texts["first_name"]:
            whole = texts["last_name"]
        if whole:
            texts["first_name"], texts["last_name"] = split_name(whole)
        return texts

    def read_texts(self) -> Iterator[tuple[str, Any]]:
        for name, text in self.texts().items():
            if text:
                with self.about(ENTRY_COLUMNS[name]):
                    field = cast(models.Field[str, str], MEMBERSHIP.get_field(name))
                    yield name, field.clean(text, None)

    def read_references(self) -> Iterator[tuple[str, Any]]:
        if text := self.text(FIRM):
            with self.about(FIRM):
                name = Vendor._meta.get_field("name").clean(text, None)
                yield "vendor", self.directory.firm(name)
        if text := self.text(TEMPLATE):
            with self.about(TEMPLATE):
                names = self.directory.company_templates
                yield "template", the_one(names, text, "company template")
        if text := self.text(DEFAULT_TEMPLATE):
            with self.about(DEFAULT_TEMPLATE):
                template = self.project_template(text)
                if template.project_id:
                    raise ValidationError("This template is for one project only.")
                yield "default_project_template", template

    def project_template(self, text: str) -> PermissionTemplate:
        return the_one(self.directory.project_templates, text, "project template")

    def read_places(self) -> list[Place]:
        """The projects with their templates, from when until when."""
        projects = self.read_projects()
        templates = self.read_templates(len(projects))
        days = [self.read_day(FIRST_DAY), self.read_day(LAST_DAY)]
        if not self.text(PROJECT):
            for column in GRANT_COLUMNS.values():
                if self.text(column):
                    self.refuse(column, "There is no project beside it. Name one.")
        if len(projects) != len(templates):
            return []
        return [
            Place(project, template, *days)
            for project, template in zip(projects, templates, strict=True)
        ]

    def read_projects(self) -> list[Project]:
        projects: list[Project] = []
        for part in self.project_names():
            with self.about(PROJECT):
                project = the_one(self.directory.projects_named, part, "project")
                projects += [project] if project not in projects else []
        return projects

    def project_names(self) -> Iterator[str]:
        """The names in the cell; at commas it is split only where it has to be."""
        find = self.directory.projects_named.find
        text = self.text(PROJECT)
        for part in [text] if find(text) else several(text):
            if find(part):
                yield part
            else:
                yield from filter(None, map(str.strip, part.split(",")))

    def read_templates(self, count: int) -> list[PermissionTemplate | None]:
        """One template for each of the projects: the same for all, or as many."""
        texts = several(self.text(PROJECT_TEMPLATE))
        templates: list[PermissionTemplate | None] = []
        with self.about(PROJECT_TEMPLATE):
            templates = [self.project_template(text) for text in texts]
            if len(templates) in (0, 1):
                return (templates or [None]) * count
            if count and len(templates) != count:
                raise ValidationError("Name one template, or one for each project.")
        return templates

    def read_day(self, column: str) -> date | None:
        if text := self.text(column):
            with self.about(column):
                return read_day(text, self.date_order)
        return None


def the_one[Row](names: Names[Row], text: str, what: str) -> Row:
    """Find what a cell names.

    Raises:
        ValidationError: when it isn't there, or more than one is.
    """
    found = names.find(text)
    if not found:
        raise ValidationError(f"There is no {what} ‘{text[:100]}’.", code="not_found")
    if len(found) > 1:
        way = "Use the number." if what == "project" else "Write it as it stands there."
        raise ValidationError(
            f"There is more than one {what} ‘{text[:100]}’. {way}", code="several"
        )
    return found[0]


# What it would do --------------------------------------------------------------------


@dataclass
class Decision:
    """What a row would do; nothing is done until it is accepted."""

    row: ImportRow
    person: Person
    problems: list[str] = field(default_factory=list)
    is_first: bool = False  # the row that brings in somebody new
    said: dict[Any, Any] = field(default_factory=dict)
    changes: Changes = field(default_factory=dict)
    made: list[ProjectMembership] = field(default_factory=list)
    changed: list[tuple[ProjectMembership, Changes]] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        if self.problems:
            return Kind.REFUSED
        if self.is_first:
            return Kind.NEW
        if self.changes or self.changed:
            return Kind.CHANGE
        return Kind.LINK if self.made else Kind.UNCHANGED

    @property
    def firm(self) -> Vendor | None:
        """The firm that has to be made for this row."""
        _, vendor = self.changes.get("vendor", (None, None))
        return vendor if vendor and vendor.pk is None else None

    @property
    def difference(self) -> list[str]:
        """Say what it would do, line by line."""
        if self.problems:
            return []
        entry = [
            f"{ENTRY_COLUMNS[name]}: {change(before, after)}"
            for name, (before, after) in self.changes.items()
        ]
        made = [f"{grant.project}: {grant_words(grant)}" for grant in self.made]
        changed = [
            f"{grant.project}, {GRANT_COLUMNS[name]}: {change(before, after)}"
            for grant, changes in self.changed
            for name, (before, after) in changes.items()
        ]
        return [*entry, *made, *changed]


def words(value: Any) -> str:
    return spoken(value) if isinstance(value, date) else str(value)


def change(before: Any, after: Any) -> str:
    return f"{words(before)} → {words(after)}" if before else words(after)


def grant_words(grant: ProjectMembership) -> str:
    first, last = grant.days
    days = [f"from {words(first)}"] if first else []
    days += [f"until {words(last)}"] if last else []
    return ", ".join([str(grant.template), *days])


class Planner:
    """Decides about the rows of a batch, one after the other as they stand there.

    A row that was accepted counts for the ones below it.
    """

    def __init__(self, source: Import, rows: list[ImportRow]) -> None:
        self.source = source
        self.company = source.company
        self.rights = Rights(source.actor, self.company)
        self.directory = Directory(
            self.company, {row.email for row in rows}, source.rows.new_firms()
        )

    def consider(self, row: ImportRow) -> Decision:
        """Say what a row would do; nothing is changed by that."""
        person = self.directory.people.get(row.email)
        is_first = person is None
        person = person or self.newcomer(row.email)
        wish = Wish(row, self.directory, self.source.date_order)
        decision = Decision(row, person, wish.problems, is_first)
        self.compare_entry(decision, wish)
        for place in wish.places:
            self.compare_grant(decision, wish, place)
        self.check(decision, wish)
        return decision

    def accept(self, decision: Decision) -> None:
        """Let it count for the rows below, and be what is written."""
        person, row = decision.person, decision.row
        self.directory.people[row.email] = person
        for name, (_, after) in decision.changes.items():
            setattr(person.entry, name, after)
        for grant, changes in decision.changed:
            for name, (_, after) in changes.items():
                setattr(grant, name, after)
        person.grants |= {grant.project_id: grant for grant in decision.made}
        for about, value in decision.said.items():
            person.said.setdefault(about, (value, row.number))
        if self.ends_administrator(person.entry):
            self.directory.keepers.discard(person.entry.pk)

    def newcomer(self, email: str) -> Person:
        return Person(Membership(company=self.company, email=email), is_new=True)

    # The entry

    def compare_entry(self, decision: Decision, wish: Wish) -> None:
        entry, fields = decision.person.entry, dict(wish.fields)
        decision.said |= fields
        if decision.is_first and not wish.text(TEMPLATE):
            fields["template"] = self.directory.member
        for name, value in fields.items():
            if sentence := decision.person.contradiction(name, value):
                wish.refuse(ENTRY_COLUMNS[name], sentence)
            before = stored(entry, name)
            if before != value:
                decision.changes[name] = before, value

    def check(self, decision: Decision, wish: Wish) -> None:
        """Hold the rules of the directory's other doors: those of Membership.clean."""
        person, after = decision.person, copy(decision.person.entry)
        for name, (_, value) in decision.changes.items():
            setattr(after, name, value)
        if not stored(after, "template"):
            if not wish.text(TEMPLATE):
                wish.refuse(TEMPLATE, "Name one: there is no ‘Member’ to begin with.")
            return
        with wish.about("Company"):
            OwnedByCompany.clean(after)
        if decision.changes and person.is_new and not self.rights.may_add(after):
            wish.refuse(TEMPLATE, f"You may not bring in people with {after.template}.")
        _, default = decision.changes.get("default_project_template", (None, None))
        if default and not self.rights.may_offer(default):
            wish.refuse(DEFAULT_TEMPLATE, f"You may not hand out {default}.")
        if not person.is_new:
            self.check_stored(decision, wish, after)

    def check_stored(self, decision: Decision, wish: Wish, after: Membership) -> None:
        """What holds of people who are in the directory already."""
        does_something = decision.changes or decision.made or decision.changed
        if does_something and not after.is_active:
            wish.refuse(
                EMAIL, "This person is deactivated. Reactivate them first, and retry."
            )
        is_change = decision.changes or decision.changed
        if is_change and not self.rights.is_administrator:
            wish.refuse(
                EMAIL,
                "This person is in the directory already. Only an administrator may "
                "change what is there.",
            )
        if self.ends_administrator(after) and self.directory.keepers == {after.pk}:
            wish.refuse(TEMPLATE, after.last_administrator_stays().messages[0])

    def ends_administrator(self, entry: Membership) -> bool:
        return entry.pk in self.directory.keepers and not entry.would_administer()

    # The grants

    def compare_grant(self, decision: Decision, wish: Wish, place: Place) -> None:
        person = decision.person
        for name, value in place.said.items():
            about = place.project.pk, name
            decision.said[about] = value
            if sentence := person.contradiction(about, value):
                wish.refuse(GRANT_COLUMNS[name], sentence)
        if grant := person.grants.get(place.project.pk):
            self.change_grant(decision, wish, grant, place)
        else:
            self.make_grant(decision, wish, place)

    def make_grant(self, decision: Decision, wish: Wish, place: Place) -> None:
        entry = decision.person.entry
        template = (
            place.template
            or wish.fields.get("default_project_template")
            or entry.default_project_template
            or self.source.project_template
        )
        if template is None:
            if not wish.text(PROJECT_TEMPLATE):
                wish.refuse(
                    PROJECT_TEMPLATE,
                    f"Name the template for {place.project}, or choose one for all at "
                    "the upload.",
                )
            return
        grant = ProjectMembership(
            company=self.company,
            project=place.project,
            membership=entry,
            template=template,
            starts_on=place.starts_on,
            ends_on=place.ends_on,
        )
        self.check_grant(wish, grant)
        decision.made.append(grant)

    def change_grant(
        self, decision: Decision, wish: Wish, grant: ProjectMembership, place: Place
    ) -> None:
        changes = {
            name: (getattr(grant, name), value)
            for name, value in place.said.items()
            if getattr(grant, name) != value
        }
        if changes:
            after = copy(grant)
            for name, (_, value) in changes.items():
                setattr(after, name, value)
            self.check_grant(wish, after)
            decision.changed.append((grant, changes))

    def check_grant(self, wish: Wish, grant: ProjectMembership) -> None:
        """Hold the rules of the model, and those of handing out."""
        try:
            grant.clean()
        except ValidationError as error:
            for name, sentences in error.message_dict.items():
                column = GRANT_COLUMNS.get(name, PROJECT)
                for sentence in sentences:
                    wish.refuse(column, sentence)
        if not self.rights.may_grant(grant):
            sentence = f"You may not hand out {grant.template} on {grant.project}."
            wish.refuse(PROJECT_TEMPLATE, sentence)


def stored(entry: Membership, name: str) -> Any:
    """A column as it is; somebody new has no template yet."""
    return getattr(entry, name, None)
