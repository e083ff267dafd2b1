"""Inviting people, one or a thousand, and taking that back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.access import may_invite
from companies.models import Company, Membership
from invitations.models.acceptable import AcceptableQuerySet
from invitations.models.delivery import Delivery
from invitations.models.terms import Terms
from invitations.refusals import refusal, sentence

if TYPE_CHECKING:
    from invitations.models.invitation import Invitation

Kind = AuditEvent.Kind


@dataclass
class Sending:
    """What became of the entries that were to be invited."""

    sent: list["Invitation"]
    refused: list[tuple[Membership, str]]


class SendingQuerySet(AcceptableQuerySet):
    @transaction.atomic
    def send(self, entries: Iterable[Membership], by: User | None) -> Sending:
        """Invite people of the directory, or invite them again.

        Where an invitation is pending it gets a new version and a new expiry: the same
        row, and every older link dies. The mails are queued in this transaction; one
        INSERT per table serves one entry or a thousand.

        Args:
            by: who invites; empty for a command.

        Raises:
            ValidationError: when no terms are published.
        """
        sending = self.renew(entries, by)
        Delivery.objects.queue(
            Delivery(kind=Delivery.Kind.WELCOME, **invitation.mail_facts)
            for invitation in sending.sent
        )
        record_each(Kind.INVITATION_SENT, by, sending.sent)
        return sending

    def renew(self, entries: Iterable[Membership], by: User | None) -> Sending:
        """Give each entry a pending invitation of a new version, without a mail."""
        if not Terms.objects.exists():
            raise refusal("no_terms")
        now = timezone.now()
        keys = [entry.pk for entry in entries]
        for company in Company.objects.filter(memberships__in=keys).distinct():
            company.hold()
        # Asked once: as a subquery of the UPDATE it took PostgreSQL half a minute for
        # 2,000 entries that it had no statistics of yet, as after an import.
        allowed = may_invite(by, Membership.objects.filter(pk__in=keys))
        # First the pending ones: an acceptance that runs at this moment has either
        # been committed when the entries are read, or fails by its version.
        self.renew_pending(allowed, by, now)
        invited, refused = sort_out(keys, allowed)
        pending = self.pending().filter(membership__in=invited)
        there = set(pending.values_list("membership", flat=True))
        self.bulk_create(
            self.model(
                company=entry.company,
                membership=entry,
                sent_to=entry.email,
                **self.model.fresh(by, now),
            )
            for entry in invited
            if entry.pk not in there
        )
        sent = pending.select_related("company", "membership").order_by("pk")
        return Sending(list(sent), refused)

    def renew_pending(self, entries: set[int], by: User | None, now: datetime) -> None:
        """Raise the version of what is pending: every older link dies."""
        address = Membership.objects.filter(pk=OuterRef("membership")).values("email")
        self.pending().filter(membership__in=entries).update(
            version=F("version") + 1,
            sent_to=Subquery(address),
            **self.model.fresh(by, now),
        )

    @transaction.atomic
    def revoke(self, by: User | None) -> int:
        """Take the pending ones of these back: their links die. Return how many."""
        now = timezone.now()
        keys = list(self.pending().values_list("pk", flat=True))
        rows = self.model.objects.filter(pk__in=keys)
        rows.pending().update(**self.model.settled(self.model.State.REVOKED, now))
        revoked = rows.filter(state=self.model.State.REVOKED, settled_at=now)
        return record_each(
            Kind.INVITATION_REVOKED, by, revoked.select_related("company", "membership")
        )


def sort_out(
    keys: list[int], allowed: set[int]
) -> tuple[list[Membership], list[tuple[Membership, str]]]:
    """Read the entries anew: those to invite, and the others with the reason."""
    invited, refused = [], []
    for entry in Membership.objects.filter(pk__in=keys).select_related("company"):
        if code := entry_refusal(entry, entry.pk in allowed):
            refused.append((entry, sentence(code)))
        else:
            invited.append(entry)
    return invited, refused


def entry_refusal(entry: Membership, is_allowed: bool) -> str:
    """Name the reason why this entry can't be invited, if there is one."""
    if not is_allowed:
        return "may_not_invite"
    if not entry.company.is_active:
        return "company_inactive"
    if entry.has_joined:
        return "already_joined"
    return "" if entry.is_active else "entry_inactive"


def record_each(
    kind: AuditEvent.Kind, by: User | None, invitations: "Iterable[Invitation]"
) -> int:
    events = [
        AuditEvent.of(kind, by, each.company, each.membership, each.audit_facts)
        for each in invitations
    ]
    AuditEvent.objects.bulk_create(events)
    return len(events)
