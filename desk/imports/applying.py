"""Doing what was planned: a batch of rows in one transaction."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from audit.models import AuditEvent
from companies.models import Membership, ProjectMembership, Vendor
from companies.models.grants import record_grants
from desk.imports.planning import Decision, Planner
from desk.imports.values import words
from desk.imports.wishes import ENTRY_COLUMNS, GRANT_COLUMNS
from desk.models import Import, ImportRow
from invitations.models import Invitation
from invitations.models.sending import Sending

Kind = ImportRow.Kind

OVERTAKEN = (
    "Somebody has changed this since the dry run, so nothing was done. Import the row "
    "again to see what it would do now."
)


def plan(source: Import, rows: list[ImportRow]) -> None:
    """Note with each row what it would do; nothing is saved."""
    planner = Planner(source, rows)
    for row in rows:
        decision = planner.consider(row)
        note_plan(row, decision)
        if row.kind in ImportRow.DOING:
            planner.accept(decision)


def note_plan(row: ImportRow, decision: Decision) -> None:
    row.kind = decision.kind
    row.difference = decision.difference
    row.reason = decision.reason
    is_refused = decision.kind == Kind.REFUSED
    row.new_firm = decision.firm.name if decision.firm and not is_refused else ""


def apply(source: Import, rows: list[ImportRow]) -> None:
    """Do what was shown, as far as it still is what would be done."""
    # Against others who change who administers the company, or who is on what.
    source.company.hold()
    planner = Planner(source, rows)
    accepted = []
    for row in rows:
        decision = planner.consider(row)
        row.outcome, row.reason = outcome(row, decision)
        if row.outcome in ImportRow.DOING:
            planner.accept(decision)
            accepted.append(decision)
    Writer(source, accepted).write()
    ImportRow.objects.save_all(rows, ["outcome", "reason", "membership", "written"])


def outcome(row: ImportRow, decision: Decision) -> tuple[str, str]:
    """What becomes of a row, and why, where that isn't what was shown."""
    if decision.problems:
        return Kind.REFUSED, decision.reason
    if decision.kind == Kind.UNCHANGED:
        return Kind.UNCHANGED, decision.reason
    if (decision.kind, decision.difference) != (row.kind, row.difference):
        return Kind.REFUSED, f"Row {row.number}: {OVERTAKEN}"
    return decision.kind, decision.reason


class Writer:
    """Writes what was accepted: one statement per table, whatever the number."""

    def __init__(self, source: Import, accepted: list[Decision]) -> None:
        self.source = source
        self.accepted = accepted
        self.first = [each for each in accepted if each.is_first]
        self.made = [grant for each in accepted for grant in each.made]

    def write(self) -> None:
        firms = {id(each.firm): each.firm for each in self.accepted if each.firm}
        owners = [each for each in self.accepted if each.firm]
        self.firms = Vendor.objects.bulk_create(firm for firm in firms.values() if firm)
        Membership.objects.bulk_create(each.person.entry for each in self.first)
        ProjectMembership.objects.bulk_create(self.made)
        self.write_changes()
        self.record()
        for decision in self.accepted:
            decision.row.membership = decision.person.entry
            decision.row.written = written(decision)
        self.note_firms(owners)
        if self.source.has_invitations:
            self.invite()

    def note_firms(self, owners: list[Decision]) -> None:
        """Note each new firm with one of the rows that name it."""
        noted: set[int] = set()
        for decision in owners:
            _, firm = decision.changes["vendor"]
            if firm.pk not in noted:
                decision.row.written["firm"] = [firm.pk, firm.name]
                noted.add(firm.pk)

    def write_changes(self) -> None:
        """Write the changed columns of entries and grants that were there before."""
        entries = {
            each.person.entry.pk: each.person.entry
            for each in self.accepted
            if each.changes and not each.person.is_new
        }
        grants = {
            grant.pk: grant for each in self.accepted for grant, _ in each.changed
        }
        if entries:
            Membership.objects.bulk_update(entries.values(), list(ENTRY_COLUMNS))
        if grants:
            ProjectMembership.objects.bulk_update(grants.values(), list(GRANT_COLUMNS))

    def record(self) -> None:
        """Write the same events as the directory's other doors."""
        by, company = self.source.actor, self.source.company
        facts = {"import": str(self.source)}
        added = AuditEvent.Kind.ENTRY_ADDED
        events = [AuditEvent.of(added, by, company, firm, facts) for firm in self.firms]
        events += [
            AuditEvent.of(
                added if each.is_first else AuditEvent.Kind.ENTRY_CHANGED,
                by,
                company,
                each.person.entry,
                facts | ({} if each.is_first else in_words(each)),
            )
            for each in self.accepted
            if each.is_first or each.changes or each.changed
        ]
        AuditEvent.objects.bulk_create(events)
        record_grants(AuditEvent.Kind.GRANTED, by, self.made, **facts)

    def invite(self) -> None:
        """Invite those of the batch who have neither joined nor an open invitation."""
        wanted = [each.person.entry for each in self.accepted if each.invites]
        try:
            sending = Invitation.objects.send(
                wanted, self.source.actor, self.source.batch
            )
        except ValidationError as error:
            sending = Sending(refused=[(each, error.messages[0]) for each in wanted])
        sent = {each.membership_id: each.pk for each in sending.sent}
        refused = {entry.pk: sentence for entry, sentence in sending.refused}
        for decision in self.accepted:
            key, row = decision.person.entry.pk, decision.row
            if decision.invites and key in sent:
                row.written["invitation"] = sent[key]
            if sentence := refused.get(key):
                row.reason = f"Not invited: {sentence}"
                if row.outcome == Kind.INVITE:
                    row.outcome = Kind.UNCHANGED


def from_to(before: Any, after: Any) -> str:
    return f"{words(before) if before else 'nothing'} → {words(after)}"


def in_words(decision: Decision) -> dict[str, str]:
    """The changes of one row for the history."""
    changes = {
        ENTRY_COLUMNS[name]: from_to(before, after)
        for name, (before, after) in decision.changes.items()
    }
    return changes | {
        f"{grant.project}, {GRANT_COLUMNS[name]}": from_to(before, after)
        for grant, changed in decision.changed
        for name, (before, after) in changed.items()
    }


def written(decision: Decision) -> dict[str, Any]:
    """What undoing needs to know, as it is kept with the row."""
    kept: dict[str, Any] = {"grants": {g.pk: values_of(g) for g in decision.made}}
    if decision.is_first:
        return kept | {"is_new": True, "made": made(decision.person.entry)}
    return kept | {
        "entry": raw(decision.changes),
        "changed": {grant.pk: raw(changes) for grant, changes in decision.changed},
    }


def made(entry: Membership) -> dict[str, Any]:
    """The columns of a new entry that people may change afterwards."""
    return {
        name: plain_value(getattr(entry, name))
        for name in ("email", "is_active", *ENTRY_COLUMNS)
    }


def values_of(grant: ProjectMembership) -> dict[str, Any]:
    return {name: plain_value(getattr(grant, name)) for name in GRANT_COLUMNS}


def raw(changes: dict[str, tuple[Any, Any]]) -> dict[str, list[Any]]:
    return {
        name: [plain_value(each) for each in both] for name, both in changes.items()
    }


def plain_value(value: Any) -> Any:
    """A value as JSON gives it back: a row by its key, a day as text."""
    if isinstance(value, models.Model):
        return value.pk
    return value.isoformat() if hasattr(value, "isoformat") else value
