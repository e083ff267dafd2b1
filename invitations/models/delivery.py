"""What became of each mail, and the queue of those that are to go out."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from accounts.addresses import CanonicalEmailField
from accounts.models import User
from audit.models import AuditEvent
from invitations import emails

if TYPE_CHECKING:
    from invitations.models.invitation import Invitation

# Longer than one mail can take: a server has ten seconds for each of its answers.
LEASE = timedelta(minutes=5)
LATE = timedelta(minutes=15)
# A mail about an account that is a day late says nothing that is still of use.
ACCOUNT_MAIL_LIFE = timedelta(days=1)
# Between two mails that a company sends to one person, and at most (T27).
APART = timedelta(seconds=60)
MAILS_PER_DAY = 5


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def queue(self, deliveries: "Iterable[Delivery]") -> None:
        """Save mails that are to go out, and wake the worker once for all of them."""
        from invitations.tasks import deliver_due

        if self.bulk_create(deliveries):
            deliver_due.enqueue()

    def queue_about(
        self,
        account: User,
        letter: str,
        recipient: str,
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Queue a mail about an account.

        Args:
            letter: the name of its templates.
            recipient: the account's address as stored, or one that it is changing to.
            facts: what the templates say; no link and no secret.
        """
        delivery = Delivery(
            kind=Delivery.Kind.ACCOUNT,
            user=account,
            letter=letter,
            recipient=recipient,
            facts=facts or {},
        )
        self.queue([delivery])

    def limited(self, entries: list[int], now: datetime) -> dict[int, str]:
        """The entries that may have no mail of their company now, each with why (T27).

        Counted are the mails to the address as it stands, of any invitation: neither
        revoking nor inviting anew steps round it. One that was refused may be tried
        again at once. What a person asks for at the log-in page has a limit of its own.
        """
        lately = self.filter(
            invitation__membership__in=entries,
            recipient=F("invitation__membership__email"),
            kind__in=[Delivery.Kind.WELCOME, Delivery.Kind.REMINDER],
            created_at__gt=now - timedelta(days=1),
        )
        not_refused = ~Q(state=Delivery.State.REFUSED)
        rows = lately.values_list("invitation__membership").annotate(
            just_now=Count("pk", not_refused & Q(created_at__gt=now - APART)),
            often=Count("pk"),
        )
        return {
            entry: "mailed_just_now" if just_now else "mailed_often"
            for entry, just_now, often in rows.order_by()
            if just_now or often >= MAILS_PER_DAY
        }

    def due(self, now: datetime) -> Self:
        """Mails to send now: those waiting, and those that a killed worker held."""
        waiting = Q(state__in=[Delivery.State.QUEUED, Delivery.State.DEFERRED])
        left = Q(state=Delivery.State.SENDING)
        return self.filter(
            waiting & Q(due_at__lte=now) | left & Q(leased_until__lte=now)
        )

    def next_try(self, batch: "list[Delivery]") -> datetime | None:
        """When the first of a batch is to be tried again, if any was put off."""
        keys = [delivery.pk for delivery in batch]
        put_off = self.filter(pk__in=keys, state=Delivery.State.DEFERRED)
        return put_off.order_by("due_at").values_list("due_at", flat=True).first()

    @transaction.atomic
    def claim(self, size: int) -> "list[Delivery]":
        """Lease the oldest due mails to this worker: no other one gets them (F8).

        The conditional UPDATE decides; rows that another worker is claiming at this
        moment are passed over where the database can do that.
        """
        now = timezone.now()
        lease = uuid4()
        oldest = self.due(now).order_by("due_at", "pk")
        free = oldest.select_for_update(skip_locked=True)
        keys = list(free.values_list("pk", flat=True)[:size])
        self.due(now).filter(pk__in=keys).update(
            state=Delivery.State.SENDING,
            lease=lease,
            leased_until=now + LEASE,
            attempts=F("attempts") + 1,
        )
        leased = self.filter(lease=lease, state=Delivery.State.SENDING).order_by(
            "due_at", "pk"
        )
        return list(
            leased.select_related(
                "invitation__membership", "invitation__company", "user"
            )
        )


class Delivery(models.Model):
    """The truth about one mail, and the queue: a row is sent when it is due.

    It belongs to an invitation or, for the mails about an account, to a user. Links are
    made when the mail is written: no row holds a secret.
    """

    class Kind(models.TextChoices):
        WELCOME = "welcome", "invitation"
        ASKED = "asked", "invitation, asked for at the log-in page"
        REMINDER = "reminder", "reminder of the invitation"
        ACCOUNT = "account", "about the account"

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        SENDING = "sending", "being sent"
        ACCEPTED = "accepted", "accepted by the mail server"
        DEFERRED = "deferred", "to be tried again"
        REFUSED = "refused", "refused by the mail server"
        DROPPED = "dropped", "not sent, no longer needed"

    invitation = models.ForeignKey(
        "invitations.Invitation",
        on_delete=models.PROTECT,
        null=True,
        related_name="deliveries",
        db_index=False,
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    version = models.PositiveIntegerField(default=0)
    sequence = models.PositiveIntegerField(default=1)
    recipient = CanonicalEmailField()
    letter = models.CharField(
        max_length=80, blank=True, help_text="Which mail about the account."
    )
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    batch = models.UUIDField(
        null=True, editable=False, help_text="Of one sending, to follow its progress."
    )
    reference = models.UUIDField(default=uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    due_at = models.DateTimeField(default=timezone.now)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["invitation", "version", "kind", "sequence"],
                name="invitations_delivery_once",
            ),
            models.CheckConstraint(
                condition=Q(invitation__isnull=False, user=None)
                | Q(invitation=None, user__isnull=False),
                name="invitations_delivery_of_one",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["queued", "deferred"], leased_until=None, settled_at=None
                )
                | Q(state="sending", leased_until__isnull=False, settled_at=None)
                | Q(
                    state__in=["accepted", "refused", "dropped"],
                    leased_until=None,
                    settled_at__isnull=False,
                ),
                name="invitations_delivery_state_agrees",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["queued", "deferred"]),
                name="invitations_delivery_waiting",
            ),
            models.Index(
                fields=["leased_until"],
                condition=Q(state="sending"),
                name="invitations_delivery_leased",
            ),
            models.Index(
                fields=["batch", "id"],
                condition=Q(batch__isnull=False),
                name="invitations_delivery_batch",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.recipient}"

    @property
    def is_late(self) -> bool:
        return timezone.now() > self.created_at + LATE

    def is_wanted(self) -> bool:
        """Whether the mail still makes sense, asked just before it is sent (F22)."""
        if self.invitation:
            return self.invitation.is_open(self.version)
        return timezone.now() < self.created_at + ACCOUNT_MAIL_LIFE

    def compose(self) -> EmailMultiAlternatives | None:
        """Write the mail, with its links; None when its reason has gone."""
        if self.invitation is None:
            assert self.user is not None  # noqa: S101
            message = emails.about_account(
                self.letter, self.user, self.recipient, self.facts
            )
        else:
            message = self.letter_about(self.invitation)
        if message:
            # The same for each try: a doubled mail is recognised as one (F5).
            message.extra_headers["Message-ID"] = emails.message_id(self.reference)
        return message

    def letter_about(self, invitation: "Invitation") -> EmailMultiAlternatives:
        account = User.objects.filter(email=self.recipient).first()
        is_known = account is not None and account.is_proven
        if self.kind == self.Kind.REMINDER:
            return emails.reminder(invitation, is_known=is_known)
        return (emails.welcome_back if is_known else emails.welcome)(invitation)

    def ours(self) -> DeliveryQuerySet:
        """This row, unless its lease ran out and another worker has taken it."""
        return Delivery.objects.filter(
            pk=self.pk, lease=self.lease, state=self.State.SENDING
        )

    def hold(self) -> bool:
        """Prolong the lease for one more mail; return whether it was still ours.

        A batch at a slow server takes longer than a lease (F2, F8).
        """
        return bool(self.ours().update(leased_until=timezone.now() + LEASE))

    def settle(self, state: str, reason: str = "") -> None:
        """Write down how it ended."""
        with transaction.atomic():
            is_ours = self.ours().update(
                state=state,
                reason=reason,
                leased_until=None,
                settled_at=timezone.now(),
            )
            if is_ours and state == self.State.REFUSED:
                entry = self.invitation.membership if self.invitation else None
                AuditEvent.record(
                    AuditEvent.Kind.MAIL_REFUSED,
                    None,
                    entry.company if entry else None,
                    entry or self.user,
                    {"email": self.recipient, "reason": reason},
                )

    def defer(self, reason: str) -> None:
        """Try again after 1, 2, 4 … minutes, at most an hour; with jitter (F1)."""
        minutes = min(2 ** (self.attempts - 1), 60) * (
            0.9 + secrets.randbelow(21) / 100
        )
        self.ours().update(
            state=self.State.DEFERRED,
            reason=reason,
            leased_until=None,
            due_at=timezone.now() + timedelta(minutes=minutes),
        )
