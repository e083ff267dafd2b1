"""Projects, and who is on them: with which template, from when, until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.conditions import gives, in_force
from companies.fields import PlainTextField
from companies.models.company import AnyUser, OwnedByCompany
from companies.models.directory import Membership
from companies.models.templates import PermissionLevel, PermissionTemplate
from companies.tools import Level, Scope


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
        """
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
        help_text="Stands in addresses and lists, such as 24-017.",
    )
    city = PlainTextField(max_length=100, blank=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Without it only this list shows the project."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()
    project_memberships: "ProjectMembershipQuerySet"

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

    def crew(self) -> "ProjectMembershipQuerySet":
        """Who is on the project now or will be."""
        return self.project_memberships.not_over(timezone.localdate()).select_related(
            "membership__vendor", "membership__user", "template", "project"
        )

    def mobilise(
        self,
        source: "Project",
        by: User | None,
        *,
        starts_on: date | None = None,
        ends_on: date | None = None,
    ) -> "Granting":
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
    ) -> "list[tuple[str, list[ProjectMembership]]]":
        """What mobilising another project's crew would do, said before it does."""
        there = set(self.project_memberships.values_list("membership", flat=True))
        coming, staying, known = [], [], []
        for grant in source.crew().filter(membership__is_active=True):
            if grant.membership_id in there:
                known.append(grant)
            elif grant.template_elsewhere():
                coming.append(grant)
            else:
                staying.append(grant)
        return [
            ("Would come", coming),
            ("Are on this project already, and stay as they are", known),
            ("Stay behind: their template is for that project alone", staying),
        ]

    def demobilise(self, last_day: date, by: User | None) -> int:
        """End everybody on the project on a day; their place in the company stays."""
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


class ProjectMembershipQuerySet(models.QuerySet["ProjectMembership"]):
    def in_force(self, day: date | None = None) -> Self:
        """Grants that hold on this day, or today."""
        return self.filter(in_force(day or timezone.localdate()))

    def not_over(self, day: date) -> Self:
        """Grants that hold on this day or will hold later."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=day), suspended_at=None)

    @transaction.atomic
    def grant(
        self,
        pairs: "Iterable[tuple[Membership, Project, PermissionTemplate]]",
        by: User | None,
        *,
        starts_on: date | None = None,
        ends_on: date | None = None,
    ) -> "Granting":
        """Put people on projects; who is on one already stays as they are.

        Raises:
            ValidationError: when a day, a template or a company doesn't fit.
        """
        pairs = list(pairs)
        there = set(
            self.filter(
                membership__in=[entry for entry, _, _ in pairs],
                project__in=[project for _, project, _ in pairs],
            ).values_list("membership", "project")
        )
        granting = Granting([], [])
        for entry, project, template in pairs:
            grant = ProjectMembership(
                company=project.company,
                project=project,
                membership=entry,
                template=template,
                starts_on=starts_on,
                ends_on=ends_on,
            )
            if (entry.pk, project.pk) in there:
                granting.there.append(grant)
                continue
            grant.clean()
            granting.made.append(grant)
        self.bulk_create(granting.made)
        record_grants(AuditEvent.Kind.GRANTED, by, granting.made)
        return granting

    @transaction.atomic
    def suspend(self, reason: str, by: User | None) -> int:
        """Let nobody of these in for now, and say why. Return how many.

        Raises:
            ValidationError: when no reason is given.
        """
        reason = reason.strip()
        if not reason:
            raise ValidationError("Say why, in a few words.", code="reason_missing")
        rows = list(self.filter(suspended_at=None).select_related("membership"))
        kept = ProjectMembership.objects.filter(pk__in=[row.pk for row in rows])
        kept.update(suspended_at=timezone.now(), suspension_reason=reason)
        record_grants(AuditEvent.Kind.GRANT_SUSPENDED, by, rows, reason=reason)
        return len(rows)

    @transaction.atomic
    def lift(self, by: User | None) -> int:
        """Lift the suspension of these. Return how many were suspended."""
        rows = list(self.exclude(suspended_at=None).select_related("membership"))
        kept = ProjectMembership.objects.filter(pk__in=[row.pk for row in rows])
        kept.update(suspended_at=None, suspension_reason="")
        record_grants(AuditEvent.Kind.GRANT_LIFTED, by, rows)
        return len(rows)

    @transaction.atomic
    def end(self, last_day: date, by: User | None) -> int:
        """Set the last day of these, where it isn't earlier already. Return how many.

        Who would only begin after that day is suspended instead: the row and its
        history stay, and nobody gets in.
        """
        later = self.filter(Q(ends_on=None) | Q(ends_on__gt=last_day))
        later.filter(starts_on__gt=last_day).suspend("Ended before the first day.", by)
        rows = list(later.exclude(starts_on__gt=last_day).select_related("membership"))
        kept = ProjectMembership.objects.filter(pk__in=[row.pk for row in rows])
        kept.update(ends_on=last_day)
        record_grants(AuditEvent.Kind.GRANT_ENDED, by, rows, last_day=last_day)
        return len(rows)


@dataclass(frozen=True)
class Granting:
    """What became of the people who were to be put on projects."""

    made: "list[ProjectMembership]"
    there: "list[ProjectMembership]"


def record_grants(
    kind: AuditEvent.Kind,
    by: User | None,
    grants: "Iterable[ProjectMembership]",
    **facts: Any,
) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent.of(
            kind,
            by,
            grant.membership.company,
            grant.membership,
            {"project": str(grant.project), "template": str(grant.template), **facts},
        )
        for grant in grants
    )


class ProjectMembership(OwnedByCompany):
    """One person on one project: with which template, from when, until when."""

    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="project_memberships"
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="project_memberships"
    )
    template = models.ForeignKey(
        PermissionTemplate,
        on_delete=models.PROTECT,
        related_name="projectmemberships",
        verbose_name="project template",
        limit_choices_to={"scope": Scope.PROJECT},
    )
    starts_on = models.DateField("first day", null=True, blank=True)
    ends_on = models.DateField("last day", null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspension_reason = PlainTextField(max_length=200, blank=True)

    objects = ProjectMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "person on a project"
        verbose_name_plural = "people on projects"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "membership"],
                name="companies_projectmembership_once",
            ),
            models.CheckConstraint(
                condition=Q(starts_on=None)
                | Q(ends_on=None)
                | Q(ends_on__gte=F("starts_on")),
                name="companies_projectmembership_days_in_order",
            ),
            models.CheckConstraint(
                condition=Q(suspended_at=None, suspension_reason="")
                | (Q(suspended_at__isnull=False) & ~Q(suspension_reason="")),
                name="companies_projectmembership_suspended_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership} on {self.project}"

    def clean(self) -> None:
        super().clean()
        bound = self.template.project_id if self.template_id else None
        if bound not in {None, self.project_id}:
            raise ValidationError(
                {
                    "template": ValidationError(
                        "This template is for another project.", code="other_project"
                    )
                }
            )
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValidationError(
                {
                    "ends_on": ValidationError(
                        "The last day can't be before the first.", code="days_reversed"
                    )
                }
            )

    @property
    def days(self) -> tuple[date | None, date | None]:
        return self.starts_on, self.ends_on

    def standing(self, today: date) -> str:
        """Whether the grant holds on a day, in words."""
        if self.suspended_at:
            return f"Suspended: {self.suspension_reason}"
        if self.starts_on and self.starts_on > today:
            return "Not begun"
        return "Over" if self.ends_on and self.ends_on < today else "In force"

    def template_elsewhere(self) -> PermissionTemplate | None:
        """The template that this person would hold on another project."""
        if self.template.project_id is None:
            return self.template
        return self.membership.default_project_template


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
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
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
