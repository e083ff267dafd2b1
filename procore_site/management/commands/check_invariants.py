from collections.abc import Iterator
from typing import Any, NamedTuple

from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management.base import CommandError
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.template.defaultfilters import pluralize

from accounts.models import User
from companies.models import (
    Company,
    Membership,
    OwnedByCompany,
    PermissionLevel,
    ProjectMembership,
)
from companies.tools import TOOLS, Scope
from invitations.management.reports import ReportingCommand
from invitations.models import Delivery, Invitation, Terms

State = Invitation.State
SHOWN = 20


class Warned(NamedTuple):
    """How rows are told of that fail nothing: of one, of several."""

    one: str
    several: str


class Invariant(NamedTuple):
    """What must never be false, and the rows for which it is."""

    sentence: str
    broken: QuerySet[Any]
    warned: Warned | None = None


def invariants() -> Iterator[Invariant]:
    """All of them: those too that only the models hold on SQLite."""
    yield from same_company()
    yield from of_permissions()
    yield from of_accounts()
    yield from of_invitations()
    yield from of_companies()


def of_permissions() -> Iterator[Invariant]:
    yield Invariant(
        "An entry has a template for the tools of a company.",
        Membership.objects.exclude(template__scope=Scope.COMPANY),
    )
    yield Invariant(
        "A grant has a template for the tools of a project.",
        ProjectMembership.objects.exclude(template__scope=Scope.PROJECT),
    )
    yield Invariant(
        "A template that is for one project is given on that project only.",
        ProjectMembership.objects.exclude(
            Q(template__project=None) | Q(template__project=F("project"))
        ),
    )
    # What a removed app's tools had is left there: see docs/permissions.md.
    for scope, tools in TOOLS.items():
        others = {key for others in TOOLS.values() for key in others} - tools.keys()
        yield Invariant(
            f"A {scope} template speaks of {scope} tools only.",
            PermissionLevel.objects.filter(template__scope=scope, tool__in=others),
        )


def of_accounts() -> Iterator[Invariant]:
    own = EmailAddress.objects.filter(user=OuterRef("pk"), email=OuterRef("email"))
    yield Invariant(
        "An account has its own address among its addresses.",
        User.objects.exclude(Exists(own)),
    )
    yield Invariant(
        "Only operators are staff.",
        User.objects.filter(is_staff=True, is_superuser=False),
    )


def of_invitations() -> Iterator[Invariant]:
    yield Invariant(
        "The address of an invitation is in lower case.",
        Invitation.objects.exclude(sent_to=Lower("sent_to")),
    )
    yield Invariant(
        "Whoever has accepted an invitation has joined.",
        Invitation.objects.filter(state=State.ACCEPTED, membership__user=None),
    )
    yield Invariant(
        "Nobody who has joined has a pending invitation.",
        Invitation.objects.pending().filter(membership__user__isnull=False),
    )
    yield Invariant(
        "A first password lies with a pending invitation only.",
        Invitation.objects.exclude(first_password="").exclude(state=State.PENDING),
    )
    yield Invariant(
        "A mail is of a version that its invitation has had.",
        Delivery.objects.filter(version__gt=F("invitation__version")),
    )
    altered = [each.pk for each in Terms.objects.all() if each.sha256 != each.digest]
    yield Invariant(
        "The text of published terms is the one that was agreed to.",
        Terms.objects.filter(pk__in=altered),
    )


def of_companies() -> Iterator[Invariant]:
    yield Invariant(
        "The address of an entry is in lower case.",
        Membership.objects.exclude(email=Lower("email")),
    )
    # A new company has none until the first one has joined, so this fails nothing.
    administered = Membership.objects.administrators().filter(company=OuterRef("pk"))
    yield Invariant(
        "An active company has an administrator.",
        Company.objects.filter(~Exists(administered), is_active=True),
        Warned(
            "1 active company has no administrator yet",
            "{} active companies have no administrator yet",
        ),
    )


def same_company() -> Iterator[Invariant]:
    """PostgreSQL holds these by composite foreign keys."""
    for model in apps.get_models():
        if not issubclass(model, OwnedByCompany):
            continue
        for field in model._meta.concrete_fields:
            target = field.related_model
            if isinstance(target, type) and issubclass(target, OwnedByCompany):
                yield Invariant(
                    f"{model.__name__}: the {field.name} is of the same company.",
                    model._default_manager.filter(
                        **{f"{field.name}__isnull": False}
                    ).exclude(**{f"{field.name}__company": F("company")}),
                )


class Command(ReportingCommand):
    help = "Look for rows for which something is false that must never be false."

    def handle(self, *, json: bool, **_: Any) -> None:
        checked = list(invariants())
        found = [each for each in checked if each.broken.exists()]
        broken = [each for each in found if not each.warned]
        lines = [told(each) for each in found]
        if not found:
            lines = [f"All {len(checked)} invariants hold."]
        elif not broken:
            lines.append(f"No errors, {len(found)} warning{pluralize(found)}.")
        self.report(
            json,
            "\n".join(lines),
            checked=len(checked),
            found=[describe(each) for each in found],
        )
        if broken:
            raise CommandError(f"Broken: {len(broken)} of {len(checked)} invariants.")


def told(invariant: Invariant) -> str:
    rows = invariant.broken.order_by("pk")
    count = rows.count()
    if not invariant.warned:
        keys = list(rows.values_list("pk", flat=True)[:SHOWN])
        label = rows.model._meta.label
        return f"Broken: {invariant.sentence} {count} × {label}, such as {keys}"
    one, several = invariant.warned
    names = ", ".join(map(str, rows[:SHOWN]))
    more = ", …" if count > SHOWN else "."
    return f"{one if count == 1 else several.format(count)}: {names}{more}"


def describe(invariant: Invariant) -> dict[str, Any]:
    keys = invariant.broken.order_by("pk").values_list("pk", flat=True)
    return {
        "invariant": invariant.sentence,
        "is_warning": bool(invariant.warned),
        "model": invariant.broken.model._meta.label,
        "count": keys.count(),
        "keys": list(keys[:SHOWN]),
    }
