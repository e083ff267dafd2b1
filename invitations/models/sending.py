"""Inviting people, one or a thousand: again, reminded, for longer, and taken back."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched, chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
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

# Nobody's link works for longer than this from now on, however often it is extended.
DAYS_AT_MOST = 30
# So many entries a statement: SQLite takes 32,766 values in one.
AT_ONCE = 10_000
NOBODY: Mapping[int, str] = MappingProxyType({})


@dataclass
class Sending:
    """What became of the entries that were to be invited, reminded or extended."""

    sent: "list[Invitation]" = field(default_factory=list)
    refused: list[tuple[Membership, str]] = field(default_factory=list)
    batch: UUID = field(default_factory=uuid4)  # of the mails: see their progress

    def refuse(self, entry: Membership, code: str) -> None:
        self.refused.append((entry, sentence(code)))


class SendingQuerySet(AcceptableQuerySet):
    @transaction.atomic
    def send(
        self, entries: Iterable[Membership], by: User | None, batch: UUID | None = None
    ) -> Sending:
        """Invite people of the directory, or invite them again.

        Where an invitation is pending it gets a new version and a new expiry: the same
        row, and every older link dies. The mails are queued in this transaction; one
        INSERT per table serves one entry or a thousand.

        Args:
            by: who invites; empty for a command.
            batch: where several calls are one sending, as in an import.

        Raises:
            ValidationError: when no terms are published.
        """
        sending = Sending(batch=batch or uuid4())
        for keys in held(entries):
            limited = Delivery.objects.limited(keys, timezone.now())
            self.renew(keys, by, sending, limited)
        mail_each(Delivery.Kind.WELCOME, sending)
        record_each(Kind.INVITATION_SENT, by, sending.sent)
        return sending

    def renew(
        self,
        keys: list[int],
        by: User | None,
        sending: Sending,
        limited: Mapping[int, str] = NOBODY,
    ) -> None:
        """Give each entry a pending invitation of a new version, without a mail."""
        if not Terms.objects.exists():
            raise refusal("no_terms")
        now = timezone.now()
        # Asked once: as a subquery of the UPDATE it took PostgreSQL half a minute for
        # 2,000 entries that it had no statistics of yet, as after an import.
        allowed = may_invite(by, Membership.objects.filter(pk__in=keys))
        # First the pending ones: an acceptance that runs at this moment has either
        # been committed when the entries are read, or fails by its version.
        self.renew_pending(allowed - limited.keys(), by, now)
        invited = list(sort_out(keys, allowed, sending, limited))
        made = []
        for entry, invitation in self.pending_of(invited):
            if invitation:
                sending.sent.append(invitation)
            else:
                made.append(self.model.of(entry, by, now))
        sending.sent += self.bulk_create(made)

    def renew_pending(self, entries: set[int], by: User | None, now: datetime) -> None:
        """Raise the version of what is pending: every older link dies."""
        address = Membership.objects.filter(pk=OuterRef("membership")).values("email")
        self.pending().filter(membership__in=entries).update(
            version=F("version") + 1,
            sent_to=Subquery(address),
            **self.model.fresh(by, now),
        )

    @transaction.atomic
    def remind(
        self,
        entries: Iterable[Membership],
        by: User | None,
        *,
        days: int,
        batch: UUID | None = None,
    ) -> Sending:
        """Mail the same link once more to whom it was sent so many days ago (T27).

        Version and expiry stay: the link of the first mail goes on working too.
        """
        now = timezone.now()
        sending = Sending(batch=batch or uuid4())
        for keys in held(entries):
            allowed = may_invite(by, Membership.objects.filter(pk__in=keys))
            limited = Delivery.objects.limited(keys, now)
            asked = sort_out(keys, allowed, sending, limited)
            for entry, invitation in self.with_reminders().pending_of(list(asked)):
                if code := reminder_refusal(entry, invitation, now, days):
                    sending.refuse(entry, code)
                elif invitation:
                    sending.sent.append(invitation)
        mail_each(Delivery.Kind.REMINDER, sending)
        record_each(Kind.INVITATION_REMINDED, by, sending.sent)
        return sending

    @transaction.atomic
    def extend(
        self, entries: Iterable[Membership], by: User | None, *, days: int
    ) -> Sending:
        """Let links work until so many days from now, also those that have expired.

        They stay in the same version, so the mail that the person has is good again.
        Nothing is ever shortened.
        """
        until = timezone.now() + timedelta(days=min(days, DAYS_AT_MOST))
        sending = Sending()
        for keys in held(entries):
            allowed = may_invite(by, Membership.objects.filter(pk__in=keys))
            asked = list(sort_out(keys, allowed, sending))
            rows = self.pending().filter(membership__in=asked)
            rows.filter(expires_at__lt=until).update(
                expires_at=until, new_link_asked_at=None
            )
            for entry, invitation in self.pending_of(asked):
                if not invitation:
                    sending.refuse(entry, "not_invited")
                elif invitation.expires_at != until:
                    sending.refuse(entry, "open_longer")
                else:
                    sending.sent.append(invitation)
        record_each(Kind.INVITATION_EXTENDED, by, sending.sent, until=until)
        return sending

    @transaction.atomic
    def revoke(self, by: User | None) -> int:
        """Take the pending ones of these back: their links die. Return how many."""
        now = timezone.now()
        keys = list(self.pending().values_list("pk", flat=True))
        return sum(self.revoke_some(some, by, now) for some in chunks(keys))

    def revoke_some(self, keys: list[int], by: User | None, now: datetime) -> int:
        rows = self.model.objects.filter(pk__in=keys)
        rows.pending().update(**self.model.settled(self.model.State.REVOKED, now))
        revoked = rows.filter(state=self.model.State.REVOKED, settled_at=now)
        return record_each(
            Kind.INVITATION_REVOKED, by, revoked.select_related("company", "membership")
        )

    def with_reminders(self) -> Self:
        """Add to each how many reminders it has had."""
        mails = Delivery.objects.filter(
            invitation=OuterRef("pk"), kind=Delivery.Kind.REMINDER
        )
        last = mails.order_by("-sequence").values("sequence")[:1]
        return self.annotate(reminders=Coalesce(Subquery(last), 0))

    def pending_of(
        self, entries: list[Membership]
    ) -> "Iterator[tuple[Membership, Invitation | None]]":
        """Each entry with its pending invitation, if it has one."""
        rows = self.pending().filter(membership__in=entries)
        by_entry = {row.membership_id: row for row in rows}
        for entry in entries:
            if invitation := by_entry.get(entry.pk):
                invitation.membership, invitation.company = entry, entry.company
            yield entry, invitation


def chunks(keys: Iterable[int]) -> Iterator[list[int]]:
    for some in batched(keys, AT_ONCE, strict=False):
        yield list(some)


def keys_of(entries: Iterable[Membership]) -> Iterable[int]:
    """The keys, without reading the rows of a query: the verbs read them anew."""
    if isinstance(entries, QuerySet):
        return entries.values_list("pk", flat=True)
    return (entry.pk for entry in entries)


def held(entries: Iterable[Membership]) -> Iterator[list[int]]:
    """The keys of the entries, as many at a time as a statement takes.

    Their companies are held until the transaction ends: what is asked about an entry
    still holds when it is written.
    """
    some = list(chunks(keys_of(entries)))
    companies = [Membership.objects.filter(pk__in=keys).companies() for keys in some]
    Company.objects.hold(chain.from_iterable(companies))
    yield from some


def sort_out(
    keys: list[int],
    allowed: set[int],
    sending: Sending,
    limited: Mapping[int, str] = NOBODY,
) -> Iterator[Membership]:
    """Read the entries anew: give those to invite, refuse the others with a reason."""
    entries = Membership.objects.filter(pk__in=keys).select_related("user")
    for entry in entries.prefetch_related("company"):  # one row for all of them
        code = entry_refusal(entry, entry.pk in allowed) or limited.get(entry.pk)
        if code:
            sending.refuse(entry, code)
        else:
            yield entry


def entry_refusal(entry: Membership, is_allowed: bool) -> str:
    """Name the reason why this entry can't be invited, if there is one."""
    if not is_allowed:
        return "may_not_invite"
    if not entry.company.is_active:
        return "company_inactive"
    if entry.has_joined:
        return "already_joined"
    return "" if entry.is_active else "entry_inactive"


def reminder_refusal(
    entry: Membership, invitation: "Invitation | None", now: datetime, days: int
) -> str:
    """Name the reason why this person isn't reminded, if there is one."""
    if not invitation:
        return "not_invited"
    if invitation.sent_to != entry.email or invitation.held_at:
        return "send_again"
    if invitation.expires_at <= now:
        return "expired_already"
    is_due = invitation.sent_at <= now - timedelta(days=days)
    return "" if is_due else "invited_lately"


def mail_each(kind: Delivery.Kind, sending: Sending) -> None:
    """Queue one mail for each invitation; a reminder is numbered after the last."""
    Delivery.objects.queue(
        Delivery(
            kind=kind,
            batch=sending.batch,
            sequence=getattr(invitation, "reminders", 0) + 1,
            **invitation.mail_facts,
        )
        for invitation in sending.sent
    )


def record_each(
    kind: AuditEvent.Kind,
    by: User | None,
    invitations: "Iterable[Invitation]",
    **facts: Any,
) -> int:
    events = [
        AuditEvent.of(kind, by, each.company, each.membership, each.audit_facts | facts)
        for each in invitations
    ]
    AuditEvent.objects.bulk_create(events)
    return len(events)
