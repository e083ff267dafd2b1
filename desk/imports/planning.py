"""What each row of an import would do, and why not, beside what is stored now.

The plan of a batch is made twice: for the dry run, and again in the transaction that
applies it. Both times it is asked of the rows as they are stored then, and of what the
person may do then, so that nothing is written that wasn't shown.
"""

from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from companies.access import may_invite
from companies.models import (
    Membership,
    OwnedByCompany,
    ProjectMembership,
    Vendor,
)
from desk.columns import (
    DEFAULT_TEMPLATE,
    EMAIL,
    PROJECT,
    PROJECT_TEMPLATE,
    TEMPLATE,
)
from desk.imports.known import Directory, Person, Rights
from desk.imports.values import words
from desk.imports.wishes import (
    ENTRY_COLUMNS,
    GRANT_COLUMNS,
    Place,
    Wish,
)
from desk.models import Import, ImportRow
from desk.status import Status, of_waiting
from invitations import refusals

Kind = ImportRow.Kind

# Who said no, or was taken back, is asked again by a person only.
LEFT_OUT: dict[str, str] = {
    Status.DECLINED: "Declined before. Ask first, and invite them from the directory.",
    Status.REVOKED: "The invitation was revoked. Invite them from the directory.",
}

# By column: what it was, and what it is to be.
type Changes = dict[str, tuple[Any, Any]]


@dataclass
class Decision:
    """What a row would do; nothing is done until it is accepted."""

    row: ImportRow
    person: Person
    problems: list[str] = field(default_factory=list)
    is_first: bool = False  # the row that brings in somebody new
    invites: bool = False
    not_invited: str = ""  # and why not, where somebody might expect it
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
        if self.made:
            return Kind.LINK
        return Kind.INVITE if self.invites else Kind.UNCHANGED

    @property
    def reason(self) -> str:
        """Why it is refused, or else why the person isn't invited."""
        refused = " ".join(self.problems)
        return refused or (self.not_invited and f"Not invited: {self.not_invited}")

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
        self.not_invited = self.whom_not_to_invite() if source.has_invitations else {}

    def whom_not_to_invite(self) -> dict[int, str]:
        """Those in the directory whom the import doesn't invite, and why not.

        Somebody new may be invited by whoever may add them.
        """
        people = self.directory.people.values()
        keys = {person.entry.pk for person in people if person.can_be_invited}
        entries = Membership.objects.filter(pk__in=keys)
        said_no = entries.annotate(standing=of_waiting(timezone.now())).filter(
            standing__in=LEFT_OUT
        )
        forbidden = keys - may_invite(self.source.actor, entries)
        left_out = {
            key: LEFT_OUT[standing]
            for key, standing in said_no.values_list("pk", "standing")
        }
        return left_out | dict.fromkeys(forbidden, refusals.sentence("may_not_invite"))

    def consider(self, row: ImportRow) -> Decision:
        """Say what a row would do; nothing is changed by that."""
        person = self.directory.people.get(row.email)
        is_first = person is None
        person = person or self.newcomer(row.email)
        wish = Wish(row, self.directory, self.source.date_order)
        wanted = self.source.has_invitations and person.can_be_invited
        why_not = self.not_invited.get(person.entry.pk, "") if wanted else ""
        invites = wanted and not why_not
        decision = Decision(row, person, wish.problems, is_first, invites, why_not)
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
        person.is_invited = person.is_invited or decision.invites
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
