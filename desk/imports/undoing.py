"""Taking back what an import did, as far as nothing has come of it yet."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast

from django.db.models import Field, Model, Q, QuerySet

from audit.models import AuditEvent
from companies.models import Membership, PermissionTemplate, ProjectMembership, Vendor
from companies.models.grants import record_grants
from desk.imports.applying import plain_value, values_of
from desk.models import Import, ImportRow
from invitations.models import Delivery, Invitation

Kind = ImportRow.Kind

JOINED = "This person has joined. Deactivate them in the directory."
INVITED = "This person has been invited. Revoke the invitation in the directory."
GRANTED_SINCE = "Somebody has put this person on a project since."
CHANGED_SINCE = "Somebody has changed this since, or it can’t be as it was."

# By column: what it was, and what the import made of it.
type Kept = dict[str, list[Any]]


def undo(source: Import, rows: list[ImportRow]) -> None:
    """Take back what these rows did; all rows of a person are among them."""
    source.company.hold()
    Undoing(source, rows).run()
    ImportRow.objects.save_all(rows, ["outcome", "reason", "membership"])


class Undoing:
    """Decides of each person what can be taken back, then takes it back in bulk."""

    def __init__(self, source: Import, rows: list[ImportRow]) -> None:
        self.source = source
        self.by_person: dict[int, list[ImportRow]] = defaultdict(list)
        for row in rows:
            if row.membership_id:
                self.by_person[row.membership_id].append(row)
            else:  # deleted since, by whatever way
                row.outcome = Kind.UNDONE
        # Held before the entries are read: nobody joins in between, and no worker takes
        # a mail. Accepting begins with its invitation, too.
        invitations = Invitation.objects.filter(membership__in=self.by_person)
        keys = list(invitations.order_by("pk").select_for_update().values_list("pk"))
        mails = Delivery.objects.filter(invitation__in=[key for (key,) in keys])
        list(mails.order_by("pk").select_for_update().values_list("pk"))
        entries = Membership.objects.filter(pk__in=self.by_person)
        self.entries = {
            entry.pk: entry
            for entry in entries.select_related("company", "user", "template")
        }
        places = {key for row in rows for key in [*granted(row), *regranted(row)]}
        grants = ProjectMembership.objects.filter(pk__in=places)
        self.grants = {
            grant.pk: grant for grant in grants.select_related("project", "template")
        }
        for grant in self.grants.values():
            grant.company = source.company
            grant.membership = self.entries[grant.membership_id]

    def run(self) -> None:
        new = {key for key, rows in self.by_person.items() if is_new(rows)}
        stays = self.why_entries_stay(new)
        for key, rows in self.by_person.items():
            if key in stays:
                keep(rows, stays[key])
        gone = new - stays.keys()
        old = [rows for key, rows in self.by_person.items() if key not in new]
        self.restore([row for rows in old for row in rows])
        self.delete(gone)

    # People who were new

    def why_entries_stay(self, new: set[int]) -> dict[int, str]:
        """Of which new entries something has come by now, and what."""
        made = {key for k in new for row in self.by_person[k] for key in granted(row)}
        grants = ProjectMembership.objects.filter(membership__in=new)
        others = grants.exclude(pk__in=made).values_list("membership", flat=True)
        stays = {key: CHANGED_SINCE for key in new if self.was_changed(key)}
        stays |= dict.fromkeys(others, GRANTED_SINCE)
        stays |= dict.fromkeys(self.invited(new - stays.keys()), INVITED)
        joined = [key for key in new if self.entries[key].has_joined]
        return stays | dict.fromkeys(joined, JOINED)

    def was_changed(self, key: int) -> bool:
        """Whether somebody has worked on a new entry, or on a place of it, since."""
        rows = self.by_person[key]
        entry = {
            k: [None, v] for r in rows for k, v in r.written.get("made", {}).items()
        }
        grants = [(k, values) for row in rows for k, values in granted(row).items()]
        return not is_as(self.entries[key], entry) or not self.are_as_made(grants)

    def are_as_made(self, grants: Iterable[tuple[int, dict[str, Any]]]) -> bool:
        """Whether places are as the import made them, or gone already."""
        return all(
            is_as_made(self.grants[key], values)
            for key, values in grants
            if key in self.grants
        )

    def invited(self, new: set[int]) -> set[int]:
        """Those who may know of an invitation; what nobody knows of goes."""
        invitations = Invitation.objects.filter(membership__in=new)
        keys = set(known(invitations).values_list("membership", flat=True))
        drop(invitations.exclude(membership__in=keys))
        return keys

    def delete(self, gone: set[int]) -> None:
        rows = [row for key in gone for row in self.by_person[key]]
        grants = [key for row in rows for key in granted(row)]
        entries = [self.entries[key] for key in gone]
        record_undone(self.source, AuditEvent.Kind.ENTRY_DELETED, entries)
        ProjectMembership.objects.filter(pk__in=grants).delete()
        for row in rows:
            row.membership, row.outcome = None, Kind.UNDONE
        ImportRow.objects.filter(membership__in=gone).update(membership=None)
        Membership.objects.filter(pk__in=gone).delete()

    # People who were there before

    def restore(self, rows: list[ImportRow]) -> None:
        """Give entries and grants back what they were, and take the new grants away."""
        company = self.source.company
        keepers = Membership.objects.keepers().filter(company=company)
        self.keepers = set(keepers.values_list("pk", flat=True))
        templates = PermissionTemplate.objects.filter(company=company)
        self.templates = {
            each.pk: each for each in templates.prefetch_related("levels")
        }
        vendors = Vendor.objects.filter(company=company)
        self.vendors = set(vendors.values_list("pk", flat=True))
        noted = [row.written.get("invitation") for row in rows]
        invitations = Invitation.objects.filter(pk__in=filter(None, noted))
        self.known = set(known(invitations).values_list("pk", flat=True))
        # The last change first, so that each finds what it has left.
        self.write([row for row in reversed(rows) if self.restore_row(row)])

    def restore_row(self, row: ImportRow) -> bool:
        """Take one row back in memory, whole or not at all."""
        if row.written.get("invitation") in self.known:
            keep([row], INVITED)
            return False
        entry = self.entries[row.membership_id or 0]
        wanted = self.touched(row)
        touched = [(each, changes) for each, changes in wanted if each is not None]
        is_as_left = (
            len(touched) == len(wanted)
            and all(is_as(each, changes) for each, changes in touched)
            and self.are_as_made(granted(row).items())
        )
        is_there = all(self.is_there(changes) for _, changes in touched)
        if not (is_as_left and is_there and self.keeps_administrator(entry, row)):
            keep([row], CHANGED_SINCE)
            return False
        for each, changes in touched:
            put_back(each, changes)
        row.outcome = Kind.UNDONE
        return True

    def touched(self, row: ImportRow) -> list[tuple[Model | None, Kept]]:
        """The rows that were there before, with the columns that were changed."""
        changed = row.written.get("changed", {}).items()
        grants = [(self.grants.get(int(key)), values) for key, values in changed]
        entry = self.entries[row.membership_id or 0]
        return [(entry, row.written.get("entry", {})), *grants]

    def is_there(self, changes: Kept) -> bool:
        """Whether what was referred to before has not been deleted since."""
        there = {
            "vendor": self.vendors,
            "template": self.templates,
            "default_project_template": self.templates,
        }
        return all(
            before is None or name not in there or before in there[name]
            for name, (before, _) in changes.items()
        )

    def keeps_administrator(self, entry: Membership, row: ImportRow) -> bool:
        """Whether the company keeps one when this entry has its former template."""
        before, _ = row.written.get("entry", {}).get("template", (None, None))
        if before is None or self.templates[before].makes_administrator:
            return True
        if self.keepers == {entry.pk}:
            return False
        self.keepers.discard(entry.pk)
        return True

    def write(self, undone: list[ImportRow]) -> None:
        entries = {
            row.membership_id: self.entries[row.membership_id or 0]
            for row in undone
            if row.written.get("entry")
        }
        names = {name for row in undone for name in row.written.get("entry", {})}
        if entries:
            Membership.objects.bulk_update(entries.values(), sorted(names))
        changed = {key: self.grants[key] for row in undone for key in regranted(row)}
        if changed:
            ProjectMembership.objects.bulk_update(
                changed.values(), ["template", "starts_on", "ends_on"]
            )
        record_undone(self.source, AuditEvent.Kind.ENTRY_CHANGED, entries.values())
        self.take_back([r for r in undone if "invitation" in r.written])
        made = [self.grants[k] for r in undone for k in granted(r) if k in self.grants]
        record_grants(
            AuditEvent.Kind.GRANT_REMOVED,
            self.source.actor,
            made,
            undone=str(self.source),
        )
        ProjectMembership.objects.filter(pk__in=[grant.pk for grant in made]).delete()

    def take_back(self, invited: list[ImportRow]) -> None:
        """Take invitations back that nobody knows of."""
        drop(
            Invitation.objects.filter(
                pk__in=[row.written["invitation"] for row in invited]
            )
        )
        entries = {
            row.membership_id: self.entries[row.membership_id or 0] for row in invited
        }
        record_undone(self.source, AuditEvent.Kind.INVITATION_REVOKED, entries.values())


def known(invitations: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """Those of which somebody may know by now; or that an earlier mail has told of."""
    return invitations.filter(
        ~Q(first_password="")
        | Q(deliveries__attempts__gt=0)
        | Q(version__gt=1)
        | Q(state=Invitation.State.ACCEPTED)
    )


def drop(invitations: QuerySet[Invitation]) -> None:
    """Delete invitations with their mails, which no worker has taken."""
    keys = list(invitations.values_list("pk", flat=True))
    Delivery.objects.filter(invitation__in=keys).delete()
    Invitation.objects.filter(pk__in=keys).delete()


def is_new(rows: list[ImportRow]) -> bool:
    return any(row.written.get("is_new") for row in rows)


def granted(row: ImportRow) -> dict[int, dict[str, Any]]:
    """The grants that a row made, by their keys, as they were made."""
    return {int(key): values for key, values in row.written.get("grants", {}).items()}


def regranted(row: ImportRow) -> list[int]:
    """The keys of the grants that a row changed."""
    return [int(key) for key in row.written.get("changed", {})]


def keep(rows: list[ImportRow], reason: str) -> None:
    for row in rows:
        row.outcome, row.reason = Kind.KEPT, f"Row {row.number}: {reason}"


def is_as(stored: Model, changes: Kept) -> bool:
    """Whether the columns are still as the import left them."""
    return all(
        plain_value(column(stored, name).value_from_object(stored)) == after
        for name, (_, after) in changes.items()
    )


def is_as_made(grant: ProjectMembership, values: dict[str, Any]) -> bool:
    return values_of(grant) == values and grant.suspended_at is None


def put_back(stored: Model, changes: Kept) -> None:
    for name, (before, _) in changes.items():
        field = column(stored, name)
        setattr(stored, field.attname, field.to_python(before))


def column(stored: Model, name: str) -> Field[Any, Any]:
    return cast(Field[Any, Any], stored._meta.get_field(name))


def drop_unused_firms(source: Import) -> None:
    """Delete the firms that the import made and that nobody works for by now.

    One that was renamed since stays: somebody has worked on it.
    """
    noted = source.rows.filter(written__has_key="firm")
    made = dict(noted.values_list("written__firm", flat=True))
    unused = Vendor.objects.filter(pk__in=made, membership=None)
    gone = [firm for firm in unused if firm.name == made[firm.pk]]
    record_undone(source, AuditEvent.Kind.ENTRY_DELETED, gone)
    Vendor.objects.filter(pk__in=[firm.pk for firm in gone]).delete()


def record_undone(
    source: Import, kind: AuditEvent.Kind, about: Iterable[Model]
) -> None:
    facts = {"import undone": str(source)}
    AuditEvent.objects.bulk_create(
        AuditEvent.of(kind, source.actor, source.company, row, facts) for row in about
    )
