"""Templates: a level for each tool, handed out to many people at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, Q
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.conditions import level_given
from companies.fields import PlainTextField
from companies.models.company import Company, OwnedByCompany
from companies.tools import (
    BUILT_IN,
    KEY_LENGTH,
    SHIPPED,
    TOOLS,
    CompanyTool,
    Level,
    Scope,
)

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from companies.models.directory import Membership
    from companies.models.grants import ProjectMembershipQuerySet


NAME_LENGTH = 100
DIRECTORY = CompanyTool.DIRECTORY.value  # a project's Directory has the same key


@dataclass(frozen=True)
class LevelChange:
    """What a new matrix does on one tool, and whom it reaches."""

    tool: str
    before: Level
    after: Level
    people: int
    projects: int

    def __str__(self) -> str:
        """Say it as 'lose Budget: Standard → None' of so many people."""
        return f"{self.who} {self.tool}: {in_words(self.before, self.after)}"

    @property
    def who(self) -> str:
        """How many people, and whether they get or lose something."""
        who = "1 person" if self.people == 1 else f"{self.people} people"
        if self.projects:
            where = "1 project" if self.projects == 1 else f"{self.projects} projects"
            who = f"{who} on {where}"
        is_less = self.after < self.before
        verb = ("lose", "loses") if is_less else ("get", "gets")
        return f"{who} {verb[self.people == 1]}"


class AdministeringChange(LevelChange):
    """What Admin on the company's Directory, got or lost, means for the projects."""

    def __str__(self) -> str:
        return f"{self.who} Admin on all tools of all projects"


class PermissionTemplateQuerySet(models.QuerySet["PermissionTemplate"]):
    def ship(self, company: Company) -> None:
        """Give a new company the templates that its kind begins with.

        The tools of further apps are at None in them, as in every other template.
        """
        shipped = SHIPPED[company.kind]
        made = PermissionTemplate.objects.bulk_create(
            PermissionTemplate(
                company=company, name=each.name, scope=each.scope, is_shipped=True
            )
            for each in shipped
        )
        PermissionLevel.objects.bulk_create(
            PermissionLevel(
                template=template,
                tool=tool,
                level=each.exceptions.get(tool, each.level),
            )
            for template, each in zip(made, shipped, strict=True)
            for tool in BUILT_IN[each.scope].values
        )
        by_name = {template.name: template for template in made}
        HandOut.objects.bulk_create(
            HandOut(company=company, giver=template, given=by_name[name])
            for template, each in zip(made, shipped, strict=True)
            for name in each.hands_out
        )


class PermissionTemplate(OwnedByCompany):
    """A named set of levels, for the company's tools or for a project's.

    A change reaches everybody who holds it, at their next request.
    """

    name = PlainTextField(max_length=NAME_LENGTH)
    scope = models.CharField(max_length=10, choices=Scope)
    project = models.ForeignKey(
        "companies.Project",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="templates",
        help_text="Empty: for any project.",
    )
    is_shipped = models.BooleanField(default=False, editable=False)
    hands_out = models.ManyToManyField(
        "self", through="HandOut", symmetrical=False, blank=True
    )

    objects = PermissionTemplateQuerySet.as_manager()
    levels: "RelatedManager[PermissionLevel]"
    memberships: "RelatedManager[Membership]"
    projectmemberships: "ProjectMembershipQuerySet"

    class Meta:
        ordering = ["scope", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                "company", Upper("name"), name="companies_permissiontemplate_name"
            ),
            models.UniqueConstraint(
                fields=["company", "id"], name="companies_permissiontemplate_of_company"
            ),
            models.CheckConstraint(
                condition=Q(project=None) | Q(scope="project"),
                name="companies_permissiontemplate_of_project",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        others = PermissionTemplate.objects.filter(company=self.company_id)
        if others.exclude(pk=self.pk).filter(name__iexact=self.name).exists():
            raise ValidationError(
                {
                    "name": ValidationError(
                        "Another template has this name.", code="unique"
                    )
                }
            )
        if self.pk and self.project_id and self.is_held_elsewhere():
            raise ValidationError(
                {
                    "project": ValidationError(
                        "People hold this template on other projects, or by default: "
                        "duplicate it, and keep the copy for this project.",
                        code="held_elsewhere",
                    )
                }
            )

    def check_scope(self, scope: Scope) -> None:
        """Refuse to be held where another kind of template belongs.

        Raises:
            ValidationError: with the kind that is wanted.
        """
        if self.scope != scope:
            wanted = "the company’s tools" if scope == Scope.COMPANY else "projects"
            sentence = f"Choose a template for {wanted}: {self} is for others."
            raise ValidationError(
                {"template": ValidationError(sentence, code="other_scope")}
            )

    def is_held_elsewhere(self) -> bool:
        """Whether somebody holds it, or is to be given it, on another project."""
        grants = self.projectmemberships.exclude(project=self.project_id)
        by_default = self.company.memberships.filter(default_project_template=self)
        return grants.exists() or by_default.exists()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete one that nobody holds (PROTECT) and that wasn't shipped.

        Raises:
            ValidationError: when it was shipped.
        """
        if self.is_shipped:
            raise ValidationError(
                "This template came with the company. It can be changed, not deleted.",
                code="shipped",
            )
        return super().delete(*args, **kwargs)

    def level_of(self) -> dict[str, int]:
        """The level on each tool of its scope; a tool without a row is at None."""
        stored = {row.tool: row.level for row in self.levels.all()}
        return {tool: stored.get(tool, Level.NONE) for tool in TOOLS[self.scope]}

    @property
    def makes_administrator(self) -> bool:
        """Whether its holders administer the company: Admin on its Directory."""
        return (
            self.scope == Scope.COMPANY
            and self.level_of()[CompanyTool.DIRECTORY] == Level.ADMIN
        )

    def reach(self, levels: Mapping[str, int]) -> list[LevelChange]:
        """Say what a new matrix would change, and for how many people, before it does.

        Counted are those who hold the template now or will, without the company's
        administrators, whom no project template limits.
        """
        before = effective(self.level_of())
        after = effective(self.level_of() | dict(levels))
        people, projects = self.holders()
        changes = [
            LevelChange(
                tool.label, Level(before[key]), Level(after[key]), people, projects
            )
            for key, tool in TOOLS[self.scope].items()
            if before[key] != after[key]
        ]
        directory = Level(before[DIRECTORY]), Level(after[DIRECTORY])
        is_turned = directory[0] != directory[1] and Level.ADMIN in directory
        if self.scope == Scope.COMPANY and is_turned:
            changes.append(AdministeringChange(DIRECTORY, *directory, people, projects))
        return changes

    def holders(self) -> tuple[int, int]:
        """How many people hold it, and on how many projects."""
        if self.scope == Scope.COMPANY:
            return self.memberships.filter(is_active=True).count(), 0
        counts = self.projectmemberships.limiting(timezone.localdate()).aggregate(
            people=Count("membership", distinct=True),
            projects=Count("project", distinct=True),
        )
        return counts["people"], counts["projects"]

    def check_administrator_stays(self, levels: Mapping[str, int]) -> None:
        """Refuse levels that would leave the company without an administrator.

        Raises:
            ValidationError: with what has to stay.
        """
        is_kept = levels.get(CompanyTool.DIRECTORY, Level.ADMIN) == Level.ADMIN
        if is_kept or self.scope != Scope.COMPANY:
            return
        keepers = self.company.memberships.keepers()
        if keepers.exists() and not keepers.exclude(template=self).exists():
            raise ValidationError(
                "The company would have no administrator: somebody has to keep Admin "
                "on the Directory.",
                code="last_administrator",
            )

    @transaction.atomic
    def set_levels(self, levels: Mapping[str, int], by: User | None) -> None:
        """Write the whole matrix, and keep what it was in the history.

        Raises:
            ValidationError: when it would leave the company without an administrator.
        """
        self.company.hold()
        self.check_administrator_stays(levels)
        before = self.level_of()
        changed = [tool for tool, level in levels.items() if before[tool] != level]
        PermissionLevel.objects.bulk_create(
            [
                PermissionLevel(template=self, tool=tool, level=levels[tool])
                for tool in changed
            ],
            update_conflicts=True,
            unique_fields=["template", "tool"],
            update_fields=["level"],
        )
        if changed:
            facts = {
                TOOLS[self.scope][tool].label: in_words(before[tool], levels[tool])
                for tool in changed
            }
            AuditEvent.record(
                AuditEvent.Kind.LEVELS_CHANGED, by, self.company, self, facts
            )

    @transaction.atomic
    def set_hands_out(
        self, templates: "Iterable[PermissionTemplate]", by: User | None
    ) -> None:
        """Say which templates its holders may give to others, and keep the history."""
        before = set(self.hands_out.values_list("name", flat=True))
        wanted = {template.name: template for template in templates}
        if before == set(wanted):
            return
        self.handing_out.exclude(given__in=wanted.values()).delete()
        HandOut.objects.bulk_create(
            HandOut(company=self.company, giver=self, given=template)
            for name, template in wanted.items()
            if name not in before
        )
        lists = (", ".join(sorted(names)) or "nothing" for names in (before, wanted))
        facts = {"may hand out": " → ".join(lists)}
        AuditEvent.record(AuditEvent.Kind.LEVELS_CHANGED, by, self.company, self, facts)

    @transaction.atomic
    def duplicate(self, name: str, by: User | None) -> "PermissionTemplate":
        """Make another template with the same levels and the same list to hand out.

        Raises:
            ValidationError: when the name is taken.
        """
        copy = PermissionTemplate(
            company=self.company, name=name, scope=self.scope, project=self.project
        )
        copy.full_clean()
        copy.save()
        PermissionLevel.objects.bulk_create(
            PermissionLevel(template=copy, tool=tool, level=level)
            for tool, level in self.level_of().items()
        )
        HandOut.objects.bulk_create(
            HandOut(company=self.company, giver=copy, given=given)
            for given in self.hands_out.all()
        )
        facts = {"copy of": str(self)}
        AuditEvent.record(AuditEvent.Kind.ENTRY_ADDED, by, self.company, copy, facts)
        return copy

    def free_name(self) -> str:
        """The name of a copy: 'Foreman (copy)', 'Foreman (copy 2)' and so on."""
        others = PermissionTemplate.objects.filter(company=self.company_id)
        taken = {name.casefold() for name in others.values_list("name", flat=True)}
        ends = chain([" (copy)"], (f" (copy {number})" for number in count(2)))
        names = (self.name[: NAME_LENGTH - len(end)] + end for end in ends)
        return next(name for name in names if name.casefold() not in taken)


def in_words(before: int, after: int) -> str:
    return f"{Level(before).label} → {Level(after).label}"


def effective(levels: Mapping[str, int]) -> dict[str, int]:
    """What levels amount to on each tool."""
    return {tool: level_given(levels, tool) for tool in levels}


class HandOut(OwnedByCompany):
    """The holders of one template may give another one to people."""

    giver = models.ForeignKey(
        PermissionTemplate,
        on_delete=models.CASCADE,
        related_name="handing_out",
        db_index=False,
    )
    given = models.ForeignKey(
        PermissionTemplate, on_delete=models.CASCADE, related_name="handed_out_by"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["giver", "given"], name="companies_handout_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.giver} hands out {self.given}"


class PermissionLevel(models.Model):
    """The level that a template gives on one tool."""

    template = models.ForeignKey(
        PermissionTemplate,
        on_delete=models.CASCADE,
        related_name="levels",
        db_index=False,
    )
    tool = models.CharField(max_length=KEY_LENGTH)
    level = models.PositiveSmallIntegerField(choices=Level)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["template", "tool"],
                name="companies_permissionlevel_one_per_tool",
            ),
            models.CheckConstraint(
                condition=Q(level__range=(Level.NONE, Level.ADMIN)),
                name="companies_permissionlevel_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tool_label()}: {self.get_level_display()}"

    def get_tool_label(self) -> str:
        """The tool's name; its key when the app that brought it has gone."""
        tool = TOOLS[self.template.scope].get(self.tool)
        return tool.label if tool else self.tool
