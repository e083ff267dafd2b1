"""Who is on which project: with which template, from when, until when."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.conditions import in_force
from companies.fields import PlainTextField
from companies.models.company import Company, OwnedByCompany
from companies.models.directory import Membership
from companies.models.templates import PermissionTemplate
from companies.tools import Scope

if TYPE_CHECKING:
    from companies.models.projects import Project


ENDING_WITHIN = timedelta(days=7)
ONE_DAY = timedelta(days=1)
STAYS = "Is on this project already, and stays as they are ({})."
DEACTIVATED = "Is deactivated: reactivate them first."


class GrantState(models.TextChoices):
    """Whether a grant lets its person in on a day."""

    IN_FORCE = "now", "In force"
    NOT_BEGUN = "later", "Not begun"
    OVER = "over", "Over"
    SUSPENDED = "suspended", "Suspended"


class ProjectMembershipQuerySet(models.QuerySet["ProjectMembership"]):
    def in_force(self, day: date | None = None) -> Self:
        """Grants that hold on this day, or today."""
        return self.filter(in_force(day or timezone.localdate()))

    def not_ended(self, day: date) -> Self:
        """Grants whose last day has not passed, the suspended ones too."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=day))

    def not_over(self, day: date) -> Self:
        """Grants that hold on this day or will hold later."""
        return self.not_ended(day).filter(suspended_at=None)

    def in_state(self, state: str, day: date) -> Self:
        """Those of which `state_on` says this."""
        if state == GrantState.SUSPENDED:
            return self.exclude(suspended_at=None)
        conditions = {
            GrantState.IN_FORCE: in_force(day),
            GrantState.NOT_BEGUN: Q(starts_on__gt=day, suspended_at=None),
            GrantState.OVER: Q(ends_on__lt=day, suspended_at=None),
        }
        return self.filter(conditions[GrantState(state)])

    def ending(self, day: date) -> Self:
        """Grants of active people that hold, and whose last day is near."""
        return self.in_force(day).filter(
            ends_on__lte=day + ENDING_WITHIN, membership__is_active=True
        )

    def limiting(self, day: date) -> Self:
        """Those that limit somebody, now or later: they don't limit administrators.

        Who is suspended may be let in again, and then has what the grant says.
        """
        administrators = Membership.objects.administrators()
        return self.not_ended(day).filter(
            ~Exists(administrators.filter(pk=OuterRef("membership"))),
            membership__is_active=True,
            project__is_active=True,
        )

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

        Whose days there are over begins anew, with this template and these days. Each
        is refused for themselves: when somebody is deactivated, when a day, a template
        or a company doesn't fit, or when the giver may not hand it out there (T44).
        Who is named twice for a project is there by the first that can be given.
        """
        pairs = list(pairs)
        Company.objects.hold(project.company_id for _, project, _ in pairs)
        places = self.places_of(pairs)
        today = timezone.localdate()
        granting = Granting()
        made: dict[tuple[int, int], ProjectMembership] = {}
        for entry, project, template in pairs:
            place = entry.pk, project.pk
            new = ProjectMembership(company=project.company)
            grant = made.get(place) or places.get(place, new)
            grant.project, grant.membership = project, entry
            if place in made or grant.goes_on(today):
                granting.there.append(grant)
                continue
            grant.template = template
            grant.starts_on, grant.ends_on = starts_on, ends_on
            if sentence := grant.why_not(by):
                granting.refused.append((entry, sentence))
            else:
                made[place] = grant
        granting.made = list(made.values())
        self.save_all(granting.made)
        record_grants(AuditEvent.Kind.GRANTED, by, granting.made)
        return granting

    def places_of(
        self, pairs: "list[tuple[Membership, Project, PermissionTemplate]]"
    ) -> "dict[tuple[int, int], ProjectMembership]":
        """What these people have on these projects already."""
        rows = self.filter(
            membership__in=[entry for entry, _, _ in pairs],
            project__in=[project for _, project, _ in pairs],
        )
        return {(row.membership_id, row.project_id): row for row in rows}

    def save_all(self, grants: "list[ProjectMembership]") -> None:
        """Save new ones, and what those that begin anew were given."""
        anew = [grant for grant in grants if grant.pk]
        self.bulk_create(grant for grant in grants if not grant.pk)
        self.bulk_update(anew, ["template", "starts_on", "ends_on"])

    @transaction.atomic
    def suspend(self, reason: str, by: User | None) -> int:
        """Let nobody of these in for now, and say why. Return how many.

        Raises:
            ValidationError: when no reason is given.
        """
        reason = reason.strip()
        if not reason:
            raise ValidationError("Say why, in a few words.", code="reason_missing")
        rows = self.filter(suspended_at=None)
        suspended = {"suspended_at": timezone.now(), "suspension_reason": reason}
        facts = {"reason": reason}
        return rows.change(suspended, AuditEvent.Kind.GRANT_SUSPENDED, by, facts)

    @transaction.atomic
    def lift(self, by: User | None) -> int:
        """Lift the suspension of these. Return how many were suspended."""
        rows = self.exclude(suspended_at=None)
        lifted = {"suspended_at": None, "suspension_reason": ""}
        return rows.change(lifted, AuditEvent.Kind.GRANT_LIFTED, by, {})

    @transaction.atomic
    def end(self, last_day: date, by: User | None) -> int:
        """Set the last day of these, where it isn't earlier already. Return how many.

        Who would only begin after that day is let in on none: their only day is past,
        so that they can be put on the project again.
        """
        kind = AuditEvent.Kind.GRANT_ENDED
        later = self.filter(Q(ends_on=None) | Q(ends_on__gt=last_day))
        unbegun = later.filter(starts_on__gt=last_day)
        past = min(last_day, timezone.localdate() - ONE_DAY)
        only = {"starts_on": past, "ends_on": past}
        count = unbegun.change(only, kind, by, {"last_day": past})
        last = {"ends_on": last_day}
        return count + later.change(last, kind, by, {"last_day": last_day})

    def change(
        self,
        values: dict[str, Any],
        kind: AuditEvent.Kind,
        by: User | None,
        facts: dict[str, Any],
    ) -> int:
        """Write the same to all of these, and an event for each. Return how many."""
        rows = list(
            self.select_related("company", "membership__user", "project", "template")
        )
        kept = ProjectMembership.objects.filter(pk__in=[row.pk for row in rows])
        kept.update(**values)
        record_grants(kind, by, rows, **facts)
        return len(rows)


@dataclass
class Granting:
    """What became of the people who were to be put on projects."""

    made: "list[ProjectMembership]" = field(default_factory=list)
    there: "list[ProjectMembership]" = field(default_factory=list)
    refused: list[tuple[Membership, str]] = field(default_factory=list)

    @property
    def not_made(self) -> list[tuple[Membership, str]]:
        """Who was not put on a project, each with the reason."""
        today = timezone.localdate()
        there = [
            (grant.membership, STAYS.format(grant.state_words(today)))
            for grant in self.there
        ]
        return [*there, *self.refused]


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
            grant.company,
            grant.membership,
            {**grant.audit_facts, **facts},
        )
        for grant in grants
    )


class ProjectMembership(OwnedByCompany):
    """One person on one project: with which template, from when, until when."""

    project = models.ForeignKey(
        "companies.Project",
        on_delete=models.PROTECT,
        related_name="project_memberships",
        db_index=False,
    )
    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        related_name="project_memberships",
        verbose_name="person",
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
        indexes = [
            # The list of a company begins with what was granted last.
            models.Index(fields=["company", "-id"], name="companies_grant_newest")
        ]

    def __str__(self) -> str:
        return f"{self.membership} on {self.project}"

    def clean(self) -> None:
        super().clean()
        if self.template_id:
            self.template.check_scope(Scope.PROJECT)
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
        if self._state.adding and self.membership_id:
            self.check_person()

    def check_person(self) -> None:
        """Refuse to put somebody on a project who is deactivated.

        Raises:
            ValidationError: with what to do first.
        """
        if not self.membership.is_active:
            raise ValidationError(DEACTIVATED, code="deactivated")

    def check_giver(self, by: User | None) -> None:
        """Refuse a template that the giver may not hand out here; a command may all.

        Raises:
            ValidationError: with the reason.
        """
        if by and not by.has_perm("companies.add_projectmembership", self):
            raise ValidationError(
                f"You may not hand out {self.template} on {self.project}.",
                code="may_not_hand_out",
            )

    def why_not(self, by: User | None) -> str:
        """Why this can't be given, if there is a reason."""
        try:
            self.clean()
            self.check_giver(by)
            self.check_person()
        except ValidationError as error:
            return str(error.messages[0])
        return ""

    @property
    def days(self) -> tuple[date | None, date | None]:
        return self.starts_on, self.ends_on

    @property
    def audit_facts(self) -> dict[str, Any]:
        facts = {
            "project": str(self.project),
            "template": str(self.template),
            "first_day": self.starts_on,
            "last_day": self.ends_on,
        }
        return {name: value for name, value in facts.items() if value}

    def state_on(self, day: date) -> GrantState:
        """Whether it lets the person in on a day, as far as it is up to the grant."""
        if self.suspended_at:
            return GrantState.SUSPENDED
        if self.starts_on and self.starts_on > day:
            return GrantState.NOT_BEGUN
        is_over = self.ends_on and self.ends_on < day
        return GrantState.OVER if is_over else GrantState.IN_FORCE

    def goes_on(self, day: date) -> bool:
        """Whether it is there, and not over: suspended or still to begin, too."""
        return self.pk is not None and self.state_on(day) != GrantState.OVER

    def state_words(self, day: date) -> str:
        """The same in words; of a suspension, why."""
        state = self.state_on(day)
        if state == GrantState.SUSPENDED:
            return f"{state.label}: {self.suspension_reason}"
        return str(state.label)

    def template_elsewhere(self) -> PermissionTemplate | None:
        """The template that this person would hold on another project."""
        if self.template.project_id is None:
            return self.template
        return self.membership.default_project_template
