"""What each row of a list asks for, and what of it can't be understood."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import models

from companies.models import (
    Membership,
    PermissionTemplate,
    Project,
    Vendor,
)
from desk.columns import (
    DEFAULT_TEMPLATE,
    FIRM,
    FIRST_DAY,
    FIRST_NAME,
    JOB_TITLE,
    LAST_DAY,
    LAST_NAME,
    NAME,
    PHONE,
    PROJECT,
    PROJECT_NAME,
    PROJECT_TEMPLATE,
    TEMPLATE,
)
from desk.imports.known import Directory
from desk.imports.values import (
    TOLD,
    Names,
    perhaps_several,
    read_day,
    several,
    split_name,
)
from desk.models import ImportRow

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
        if whole := self.text(NAME):
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
        self.confirm(projects)
        return projects

    def confirm(self, projects: list[Project]) -> None:
        """Refuse a number beside the name of another project."""
        text = self.text(PROJECT_NAME)
        named = self.directory.projects_named.find(text)
        if projects and named and not {*named} & {*projects}:
            self.refuse(
                PROJECT_NAME,
                f"‘{text[:TOLD]}’ is another project than ‘{self.text(PROJECT)[:TOLD]}’"
                ". Correct one of the two.",
            )

    def project_names(self) -> Iterator[str]:
        """The names in the cell.

        What holds a separator is one name only where it is written so: without it,
        '1; 2' would be project 12. At commas and the like it is split where one of the
        pieces is a project; where none is, '24,017' is 24-017.
        """
        names = self.directory.projects_named
        text = self.text(PROJECT)
        for part in [text] if names.named(text) else several(text):
            pieces = perhaps_several(part)
            is_one = names.named(part) or not any(map(names.find, pieces))
            yield from [part] if is_one else pieces

    def read_templates(self, count: int) -> list[PermissionTemplate | None]:
        """One template for each of the projects: the same for all, or as many."""
        whole = self.text(PROJECT_TEMPLATE)
        is_one = self.directory.project_templates.named(whole)
        texts = [whole] if is_one else several(whole)
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
