"""Projects: who sees them, finding them, and bringing or ending their whole crew."""

import re
from datetime import date
from typing import Any, Self
from unicodedata import normalize

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, FilteredRelation, Q
from django.db.models.functions import Coalesce, Upper
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from companies.conditions import gives
from companies.fields import PlainTextField
from companies.models.company import AnyUser, OwnedByCompany
from companies.models.directory import Membership, MembershipQuerySet
from companies.models.grants import (
    Granting,
    GrantState,
    ProjectMembership,
    ProjectMembershipQuerySet,
)
from companies.models.templates import PermissionLevel, PermissionTemplate
from companies.tools import TOOLS, Level, Scope


def caseless(word: str) -> str:
    """A pattern for `iregex`, by which 'ärzte' finds the Ärztehaus.

    SQLite knows the capitals of ASCII alone, and so does PostgreSQL in the locale C.
    """
    return "".join(
        re.escape(each) if each.isascii() else f"[{each.lower()}{each.upper()}]"
        for each in word
    )


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: AnyUser, today: date | None = None) -> Self:
        """The projects that were granted to a person (S4), or that they administer."""
        return self.reached_by(user, PermissionTemplate.objects.all(), today)

    def with_level(
        self,
        user: AnyUser,
        tool: str,
        level: int = Level.READ_ONLY,
        today: date | None = None,
    ) -> Self:
        """The projects on which a person has at least this level on a tool.

        The twin of `user.has_perm("companies.standard_rfis", project)`: of each project
        both say the same.

        Raises:
            ValueError: when there is no such tool.
        """
        if tool not in TOOLS[Scope.PROJECT]:
            raise ValueError(f"There is no tool {tool!r} of projects.")
        if level == Level.NONE:
            return self.visible_to(user, today)
        rows = PermissionLevel.objects.filter(gives(tool, level))
        givers = PermissionTemplate.objects.filter(pk__in=rows.values("template"))
        return self.reached_by(user, givers, today)

    def reached_by(
        self,
        user: AnyUser,
        templates: models.QuerySet[PermissionTemplate],
        today: date | None,
    ) -> Self:
        """Active projects where a person holds one of these templates today.

        Company administrators reach all of their company's; operators reach every row.
        """
        if user.is_superuser and user.is_active:
            return self
        entries = Membership.objects.filter(user=user.pk)
        grants = ProjectMembership.objects.in_force(today).filter(
            membership__in=entries.current(), template__in=templates
        )
        return self.filter(
            Q(pk__in=grants.values("project"))
            | Q(company__in=entries.administrators().values("company")),
            is_active=True,
            company__is_active=True,
        )

    def matching(self, search: str) -> Self:
        """Those with each of the words in their name, number or city.

        They are kept composed (NFC), and searched so: some keyboards type otherwise.
        """
        rows = self
        for word in map(caseless, normalize("NFC", search).split()):
            rows = rows.filter(
                Q(name__iregex=word) | Q(number__iregex=word) | Q(city__iregex=word)
            )
        return rows

    def in_order_of(self, user: User, columns: list[Any]) -> "models.QuerySet[Any]":
        """As a person's own list has them: favourites first, then by the columns.

        Each knows whether it is a favourite, and when that person last visited it.
        """
        own = FilteredRelation("bookmarks", condition=Q(bookmarks__user=user))
        rows = self.annotate(bookmark=own).annotate(
            is_favourite=Coalesce("bookmark__is_favourite", False),
            visited_at=F("bookmark__visited_at"),
        )
        return rows.order_by("-is_favourite", *columns, "pk")


class Project(OwnedByCompany):
    """A construction project of one company."""

    name = PlainTextField(max_length=150)
    number = models.CharField(
        max_length=40,
        validators=[
            RegexValidator(
                r"^(?=.*[A-Za-z0-9])[A-Za-z0-9._-]+\Z",
                "Use letters, digits, dots, dashes and underscores.",
            )
        ],
        help_text="Used in web addresses and lists, such as 24-017.",
    )
    city = PlainTextField(max_length=100, blank=True)
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="An inactive project is shown in this list only.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()
    project_memberships: ProjectMembershipQuerySet

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                "company", Upper("number"), name="companies_project_number"
            ),
            models.UniqueConstraint(
                fields=["company", "id"], name="companies_project_of_company"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("companies:project", args=[self.company.slug, self.number])

    def people_today(self) -> MembershipQuerySet:
        """Who may use the project today: the own people first, then firm by firm."""
        grants = self.project_memberships.in_force()
        entries = Membership.objects.current().filter(
            pk__in=grants.values("membership")
        )
        return entries.select_related("vendor", "user").order_by(
            F("vendor__name").asc(nulls_first=True), "last_name", "first_name", "email"
        )

    def crew(self) -> ProjectMembershipQuerySet:
        """Who is on the project now or will be, in the order of the directory."""
        return self.crew_with_suspended().filter(suspended_at=None)

    def crew_with_suspended(self) -> ProjectMembershipQuerySet:
        """The crew with those who are suspended."""
        grants = self.project_memberships.not_ended(timezone.localdate())
        return grants.order_by("membership", "pk").select_related(
            "membership__vendor",
            "membership__user",
            "membership__default_project_template",
            "template",
            "project__company",
        )

    def mobilise(
        self,
        source: "Project",
        by: User | None,
        *,
        starts_on: date | None = None,
        ends_on: date | None = None,
    ) -> Granting:
        """Put the crew of another project on this one, with the same templates.

        A template that is for the other project alone can't come along: its holders
        get their default template, or else stay behind.
        """
        pairs = [
            (grant.membership, self, template)
            for grant in source.crew().filter(membership__is_active=True)
            if (template := grant.template_elsewhere())
        ]
        return ProjectMembership.objects.grant(
            pairs, by, starts_on=starts_on, ends_on=ends_on
        )

    def crew_difference(
        self, source: "Project"
    ) -> list[tuple[str, list[ProjectMembership]]]:
        """What mobilising another project's crew would do, said before it does."""
        today = timezone.localdate()
        there = {
            grant.membership_id
            for grant in self.project_memberships.all()
            if grant.state_on(today) != GrantState.OVER
        }
        coming, known, bound, shut = [], [], [], []
        for grant in source.crew_with_suspended():
            if grant.membership_id in there:
                known.append(grant)
            elif grant.suspended_at or not grant.membership.is_active:
                shut.append(grant)
            elif template := grant.template_elsewhere():
                grant.template = template  # as it would be here
                coming.append(grant)
            else:
                bound.append(grant)
        return [
            ("Would come", coming),
            ("Are on this project already, and stay as they are", known),
            ("Stay behind: their template is for that project alone", bound),
            ("Stay behind: suspended or not active", shut),
        ]

    def demobilise(self, last_day: date, by: User | None) -> int:
        """Set a last day for everyone; their place in the company stays."""
        return self.project_memberships.end(last_day, by)

    def clean(self) -> None:
        super().clean()
        others = Project.objects.filter(company=self.company_id).exclude(pk=self.pk)
        if others.filter(number__iexact=self.number).exists():
            raise ValidationError(
                {
                    "number": ValidationError(
                        "Another project has this number.", code="unique"
                    )
                }
            )


class BookmarkQuerySet(models.QuerySet["Bookmark"]):
    def visit(self, user: User, project: Project) -> None:
        self.keep(Bookmark(user=user, project=project, visited_at=timezone.now()))

    def mark(self, user: User, project: Project, *, is_favourite: bool) -> None:
        self.keep(Bookmark(user=user, project=project, is_favourite=is_favourite))

    def keep(self, bookmark: "Bookmark") -> None:
        """Write the one thing that was said, in one statement, and leave the other."""
        field = "visited_at" if bookmark.visited_at else "is_favourite"
        self.bulk_create(
            [bookmark],
            update_conflicts=True,
            unique_fields=["user", "project"],
            update_fields=[field],
        )


class Bookmark(models.Model):
    """What a person's own list of projects begins with: favourites, last visited."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="bookmarks"
    )
    is_favourite = models.BooleanField(default=False)
    visited_at = models.DateTimeField(null=True)

    objects = BookmarkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "project"], name="companies_bookmark_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.project}"
