"""Correcting the addresses of people who haven't joined, one or a thousand at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from accounts.addresses import canonical_email
from accounts.models import User
from audit.models import AuditEvent
from companies.models.company import Company

if TYPE_CHECKING:
    from companies.models.directory import Membership

type Holders = dict[tuple[int, str], int]  # company, address → entry

TAKEN = "This address is in your directory already."
JOINED = "This person has joined: the address is that of their own log-in."
ROWS_PER_UPDATE = 500


@dataclass
class Correcting:
    """Who has the address now that was typed for them, and who can't have it."""

    corrected: "list[Membership]" = field(default_factory=list)
    refused: "list[tuple[Membership, str]]" = field(default_factory=list)


class CorrectingQuerySet[Row: "Membership"](models.QuerySet[Row]):
    def companies(self) -> set[int]:
        """The keys of the companies whose directories these stand in."""
        return set(self.order_by().values_list("company", flat=True).distinct())

    @transaction.atomic
    def correct_addresses(
        self, typed: Mapping[int, str], by: User | None
    ) -> Correcting:
        """Give each entry the address that was typed for it; all else stays.

        The company is held, so that no other desk takes an address in between, and so
        are the entries: who joins at this moment waits, and then finds another address
        than that of the link. Links to a former address die by being
        read: their invitation names another one than the entry.

        Args:
            typed: entry → address, in any spelling.
            by: who corrects; empty for a command.
        """
        chosen = self.filter(pk__in=typed)
        Company.objects.hold(chosen.companies())
        held = chosen.select_for_update(of=("self",))
        entries = list(held.select_related("company", "user"))
        former = {entry.pk: entry.email for entry in entries}
        correcting = self.sort_corrections(entries, typed)
        self.model.objects.filter(user=None).bulk_update(
            correcting.corrected, ["email"], batch_size=ROWS_PER_UPDATE
        )
        AuditEvent.objects.bulk_create(
            AuditEvent.of(
                AuditEvent.Kind.ENTRY_CHANGED,
                by,
                entry.company,
                entry,
                {"email": entry.email, "before": former[entry.pk]},
            )
            for entry in correcting.corrected
            if entry.email != former[entry.pk]
        )
        return correcting

    def sort_corrections(
        self, entries: "Sequence[Membership]", typed: Mapping[int, str]
    ) -> Correcting:
        """Give the entries their addresses, unsaved, or say why not."""
        read = {entry.pk: read_address(typed[entry.pk]) for entry in entries}
        holders = self.model.objects.holders({address for address, _ in read.values()})
        correcting = Correcting()
        for entry in entries:
            address, wrong = read[entry.pk]
            if sentence := wrong or refusal(entry, address, holders):
                correcting.refused.append((entry, sentence))
                continue
            entry.email = address
            holders[entry.company_id, address] = entry.pk
            correcting.corrected.append(entry)
        return correcting

    def holders(self, addresses: set[str]) -> Holders:
        """Which entry stands at each of these addresses in its company.

        The log-in of somebody who has joined counts, whatever their entry says.
        """
        rows = self.filter(Q(email__in=addresses) | Q(user__email__in=addresses))
        columns = rows.values_list("company", "pk", "email", "user__email")
        return {
            (company, address): pk for company, pk, *held in columns for address in held
        }


def read_address(text: str) -> tuple[str, str]:
    """The address in its one spelling; or none, and what is wrong with it."""
    try:
        return canonical_email(text), ""
    except ValidationError as error:
        return "", str(error.messages[0])


def refusal(entry: "Membership", address: str, holders: Holders) -> str:
    """Why this entry can't have the address, if there is a reason."""
    if entry.has_joined:
        return JOINED
    holder = holders.get((entry.company_id, address), entry.pk)
    return "" if holder == entry.pk else TAKEN
