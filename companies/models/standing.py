"""What is done with many entries at once: another template, switched off and on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.models.company import Company
from companies.models.corrections import CorrectingQuerySet
from companies.models.templates import PermissionTemplate
from companies.tools import Scope

if TYPE_CHECKING:
    from companies.models.directory import Membership

Kind = AuditEvent.Kind

# So many entries, with all their projects, are read and written at a time.
AT_ONCE = 1_000

MAY_NOT = "Only an administrator of the company may do that."
OTHER_COMPANY = "Belongs to another company than the template."
HAS_IT_ALREADY = "Has this template already."
INACTIVE_ALREADY = "Is inactive already."
ACTIVE_ALREADY = "Is active already."
LAST_ADMINISTRATOR = (
    "This is the company's only administrator. Make somebody else an administrator "
    "first."
)


@dataclass
class Outcome:
    """What became of the entries that were to be changed."""

    done: "list[Membership]" = field(default_factory=list)
    refused: "list[tuple[Membership, str]]" = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """What is written to each entry, unless something speaks against it."""

    kind: AuditEvent.Kind
    values: dict[str, Any]
    problem: "Callable[[Membership], str]"
    facts: "Callable[[Membership], dict[str, Any]]" = lambda entry: {}
    ends_administrators: bool = False


class StandingQuerySet[Row: "Membership"](CorrectingQuerySet[Row]):
    """Each verb does what it may, and names the others with the reason.

    Only administrators may: they hand out every template of their company (T44). One
    who can enter the desk always stays, however many are chosen.
    """

    def change_template(self, template: PermissionTemplate, by: User | None) -> Outcome:
        """Give all of these another company template.

        Raises:
            ValidationError: when it is one for projects.
        """

        template.check_scope(Scope.COMPANY)

        def problem(entry: "Membership") -> str:
            if entry.company_id != template.company_id:
                return OTHER_COMPANY
            return HAS_IT_ALREADY if entry.template_id == template.pk else ""

        change = Change(
            Kind.TEMPLATE_CHANGED,
            {"template": template},
            problem,
            lambda entry: {"before": str(entry.template), "after": str(template)},
            ends_administrators=not template.makes_administrator,
        )
        return self.change(change, by)

    def deactivate(self, by: User | None) -> Outcome:
        """Let none of these reach anything of the company; their projects stay."""
        change = Change(
            Kind.ENTRY_DEACTIVATED,
            {"is_active": False},
            lambda entry: "" if entry.is_active else INACTIVE_ALREADY,
            ends_administrators=True,
        )
        return self.change(change, by)

    @transaction.atomic
    def reactivate(self, by: User | None, *, with_projects: bool) -> Outcome:
        """Let these in again, on the projects that they had or on none.

        Without them, what runs ended yesterday, so that one can read it later.
        """
        change = Change(
            Kind.ENTRY_REACTIVATED,
            {"is_active": True},
            lambda entry: ACTIVE_ALREADY if entry.is_active else "",
            lambda entry: {"projects": "as before" if with_projects else "ended"},
        )
        outcome = self.change(change, by)
        if not with_projects:
            end_grants(outcome.done, by)
        return outcome

    @transaction.atomic
    def change(self, change: Change, by: User | None) -> Outcome:
        outcome = Outcome()
        for entries in self.held():
            stays = self.last_of(entries, by) if change.ends_administrators else set()
            problems = problems_of(entries, change, by, stays)
            done = [entry for entry in entries if not problems[entry.pk]]
            keys = [entry.pk for entry in done]
            self.model.objects.filter(pk__in=keys).update(**change.values)
            AuditEvent.objects.bulk_create(
                AuditEvent.of(
                    change.kind, by, entry.company, entry, change.facts(entry)
                )
                for entry in done
            )
            outcome.done += done
            outcome.refused += [
                (entry, problems[entry.pk]) for entry in entries if problems[entry.pk]
            ]
        return outcome

    def held(self) -> "Iterator[list[Membership]]":
        """Read these anew, many at a time, while their companies are held.

        Two who demote each other at one moment would leave no administrator, else.
        """
        Company.objects.hold(self.companies())
        keys = list(self.order_by("pk").values_list("pk", flat=True))
        for some in batched(keys, AT_ONCE, strict=False):
            rows = self.model.objects.filter(pk__in=some)
            yield list(rows.select_related("company", "template", "user"))

    def last_of(self, entries: "list[Membership]", by: User | None) -> set[int]:
        """Who of these stays, where all administrators of a company are among them.

        That is the one who is doing it, or else the oldest entry.
        """
        chosen = {entry.pk: entry for entry in entries}
        companies = {entry.company_id for entry in entries}
        rows = self.model.objects.keepers().filter(company__in=companies)
        keepers: dict[int, list[int]] = {}
        for company, key in rows.order_by("pk").values_list("company", "pk"):
            keepers.setdefault(company, []).append(key)
        return {
            next((key for key in keys if by and chosen[key].user_id == by.pk), keys[0])
            for keys in keepers.values()
            if chosen.keys() >= set(keys)
        }


def problems_of(
    entries: "list[Membership]", change: Change, by: User | None, stays: set[int]
) -> dict[int, str]:
    """What speaks against changing each entry; nothing for most.

    Args:
        stays: who has to go on administering the company.
    """
    may = {
        company: by is None or by.has_perm("companies.administer_company", company)
        for company in {entry.company for entry in entries}
    }
    return {
        entry.pk: ("" if may[entry.company] else MAY_NOT)
        or change.problem(entry)
        or (LAST_ADMINISTRATOR if entry.pk in stays else "")
        for entry in entries
    }


def end_grants(entries: "list[Membership]", by: User | None) -> None:
    """End on the day before today whatever these have on projects."""
    from companies.models.grants import ProjectMembership

    yesterday = timezone.localdate() - timedelta(days=1)
    for some in batched(entries, AT_ONCE, strict=False):
        ProjectMembership.objects.filter(membership__in=some).end(yesterday, by)
