"""The asking of somebody to join a company: sent, accepted, declined, revoked."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.addresses import CanonicalEmailField
from accounts.models import User
from audit.models import AuditEvent
from companies.models import (
    Membership,
    OwnedByCompany,
    Project,
    ProjectMembership,
)
from invitations.models.delivery import Delivery
from invitations.models.first_password import FirstPasswordQuerySet
from invitations.refusals import refusal

Kind = AuditEvent.Kind

TOKEN_SALT = "invitations.link"  # noqa: S105
ASKED_PER_DAY = 5
ASKED_APART = timedelta(seconds=60)


class InvitationQuerySet(FirstPasswordQuerySet):
    """Which may be accepted is in acceptable.py, inviting in sending.py."""

    def ask_again(self, email: str) -> None:
        """Answer somebody who asked at the log-in page for their invitation (S5).

        Live ones are mailed once more, in the same version and with the same expiry:
        a stranger can neither kill nor prolong a link. An expired one is marked for
        the administrator; the person gets nothing.
        """
        now = timezone.now()
        invitations = self.filter(sent_to=email).select_related("company", "membership")
        # In one order, since each holds its company until the transaction ends.
        for invitation in invitations.acceptable(now).order_by("company"):
            invitation.mail_again(now)
        expired = invitations.pending().filter(
            expires_at__lte=now, new_link_asked_at=None, membership__user=None
        )
        for invitation in expired:
            invitation.note_new_link_asked(now)


def new_public_id() -> str:
    return secrets.token_urlsafe(16)


class Invitation(OwnedByCompany):
    """The asking of one entry to join. One per entry is pending; old ones are history.

    It goes forward only: nothing ever writes it back to pending. Expired isn't a state,
    it is read from `expires_at`. The link is made from `public_id` and `version` again
    and again, so no token is stored anywhere; this row is the authority.
    """

    class State(models.TextChoices):
        PENDING = "pending", "pending"
        ACCEPTED = "accepted", "accepted"
        REVOKED = "revoked", "revoked"
        DECLINED = "declined", "declined"

    membership = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        related_name="invitations",
        verbose_name="person",
        db_index=False,
    )
    # Unique by a constraint: `unique` would make PostgreSQL a second index, for LIKE.
    public_id = models.CharField(max_length=32, default=new_public_id, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    version = models.PositiveIntegerField(default=1)
    sent_to = CanonicalEmailField("sent to")
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty: an operator, or a command.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField("needs confirmation since", null=True)
    new_link_asked_at = models.DateTimeField("asked for a new link", null=True)
    first_password = models.CharField(max_length=128, blank=True)
    first_password_made_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["public_id"], name="invitations_invitation_public_id"
            ),
            models.UniqueConstraint(
                fields=["membership"],
                condition=Q(state="pending"),
                name="invitations_invitation_one_pending",
            ),
            models.UniqueConstraint(
                fields=["company", "id"], name="invitations_invitation_of_company"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", settled_at=None)
                | (~Q(state="pending") & Q(settled_at__isnull=False)),
                name="invitations_invitation_settled",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "accepted", "revoked", "declined"]),
                name="invitations_invitation_state_known",
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1, expires_at__gt=F("sent_at")),
                name="invitations_invitation_expires_later",
            ),
            models.CheckConstraint(
                condition=Q(first_password="", first_password_made_at=None)
                | (Q(state="pending", first_password_made_at__isnull=False))
                & ~Q(first_password=""),
                name="invitations_invitation_first_password",
            ),
        ]
        indexes = [
            # Waiting invitations and first passwords are found by the address.
            models.Index(
                fields=["sent_to"],
                condition=Q(state="pending"),
                name="invitations_pending_address",
            ),
            models.Index(fields=["membership", "-id"], name="invitations_newest"),
            # The list of a company begins with what was sent last.
            models.Index(
                fields=["company", "-sent_at", "-id"], name="invitations_last_sent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership}: {self.get_state_display()}"

    # What it is

    @classmethod
    def of(cls, entry: Membership, by: User | None, now: datetime) -> Self:
        """A first version for an entry, unsaved."""
        return cls(
            company=entry.company,
            membership=entry,
            sent_to=entry.email,
            **cls.fresh(by, now),
        )

    @staticmethod
    def fresh(by: User | None, now: datetime) -> dict[str, Any]:
        """The columns that every new version begins with.

        An operator's needs nobody's confirmation, also when the operator has left: who
        it was stands in the event (T18b).
        """
        return {
            "invited_by": None if by and by.is_superuser else by,
            "sent_at": now,
            "expires_at": now + timedelta(days=settings.INVITATION_DAYS),
            "held_at": None,
            "new_link_asked_at": None,
            "first_password": "",
            "first_password_made_at": None,
        }

    @staticmethod
    def settled(state: str, now: datetime) -> dict[str, Any]:
        """The columns that an invitation ends with; a first password dies with it."""
        return {
            "state": state,
            "settled_at": now,
            "first_password": "",
            "first_password_made_at": None,
        }

    @staticmethod
    def signer() -> signing.Signer:
        """Without a time: the link of a version is the same whenever it is made."""
        return signing.Signer(salt=TOKEN_SALT)

    @property
    def token(self) -> str:
        """The signed string in the link: which row, and which version of it."""
        return self.signer().sign_object([self.public_id, self.version])

    @classmethod
    def read_token(cls, token: str) -> tuple[str, int]:
        """Read what `token` wrote.

        Raises:
            ValidationError: when it was cut, altered or made for something else (T6).
        """
        try:
            public_id, version = cls.signer().unsign_object(token)
        except (signing.BadSignature, ValueError, TypeError):
            raise refusal("unknown") from None
        return str(public_id), int(version)

    @property
    def mail_facts(self) -> dict[str, Any]:
        return {
            "invitation": self,
            "version": self.version,
            "recipient": self.sent_to,
        }

    @property
    def audit_facts(self) -> dict[str, Any]:
        return {"email": self.sent_to, "version": self.version}

    def record(self, kind: AuditEvent.Kind, by: User | None = None) -> None:
        """Write one event about the person who is invited."""
        AuditEvent.record(kind, by, self.company, self.membership, self.audit_facts)

    @property
    def is_expired(self) -> bool:
        return timezone.now() >= self.expires_at

    @property
    def has_first_password(self) -> bool:
        """Whether a first password that was handed over still opens something (T55)."""
        made_at = self.first_password_made_at
        return bool(made_at and timezone.now() < made_at + settings.FIRST_PASSWORD_LIFE)

    @property
    def inviter(self) -> str:
        """The name that the inviter has in this company's directory."""
        entry = Membership.objects.filter(
            company=self.company_id, user=self.invited_by_id or 0
        ).first()
        return str(entry) if entry else ""

    @property
    def projects(self) -> models.QuerySet[Project]:
        """The projects that the person will be on."""
        grants = ProjectMembership.objects.filter(membership=self.membership_id)
        return Project.objects.filter(
            pk__in=grants.not_over(timezone.localdate()).values("project"),
            is_active=True,
        )

    def problem(self, version: int) -> str:
        """Name the reason why a link of this version can't be used, if there is one."""
        if self.state != self.State.PENDING:
            return str(self.state)
        if version != self.version or self.sent_to != self.membership.email:
            return "replaced"
        if self.membership.has_joined:
            return "accepted"
        if not (self.membership.is_active and self.company.is_active):
            return "revoked"
        if self.is_expired:
            return "expired"
        return "needs_confirmation" if self.held_at else ""

    def is_open(self, version: int) -> bool:
        """Whether a link of this version can still be followed to its end."""
        rows = Invitation.objects.acceptable(timezone.now()).filter(pk=self.pk)
        return rows.filter(version=version).exists()

    # What is done with it

    def accept(self, user: User, *, version: int, is_proven: bool) -> None:
        """Let a person into the company: exactly once, all or nothing (T8, T9, T10).

        A new log-in isn't saved yet, and its password is hashed already: no hash is
        computed while the transaction is open.

        Args:
            user: a new log-in; an unproven one with a new password; or a proven one,
                whose password stays as it is.
            version: of the link that was followed.
            is_proven: whether the person followed a mailed link, and so has shown that
                they read the mailbox; else the first password of this row, as it was
                read, has to be the live one (T55).

        Raises:
            ValidationError: with the reason; its code names the page to show.
        """
        try:
            with transaction.atomic():
                self.let_in(user, version, is_proven)
        except IntegrityError:
            if not user._state.adding:
                raise
            # Another invitation made the account at this moment: the first one stands.
            raise refusal("log_in_to_accept") from None
        except ValidationError as error:
            if error.code == "needs_confirmation":
                self.wait_for_confirmation(version)
            raise

    def let_in(self, user: User, version: int, is_proven: bool) -> None:
        now = timezone.now()
        if user.email != self.sent_to:
            raise refusal("other_address")
        rows = Invitation.objects.acceptable(now).filter(pk=self.pk, version=version)
        if not is_proven:
            live = rows.with_live_first_password(now)
            rows = live.filter(first_password=self.first_password)
        if not rows.update(**self.settled(self.State.ACCEPTED, now)):
            self.refresh_from_db()
            over = "accepted" if is_proven else "first_password_over"
            raise refusal(self.problem(version) or over)
        entry = self.membership
        if not self.may_be_confirmed_by(self.invited_by):
            raise refusal("needs_confirmation")
        if user._state.adding:
            user.save_new(is_proven=is_proven)
            AuditEvent.record(Kind.ACCOUNT_CREATED, user, self.company, user)
        elif self.company.has_member(user):
            raise refusal("already_member")
        elif not user.is_proven:
            if not is_proven:
                raise refusal("no_session")
            claim(user)
        if not entry.join(user, now):
            entry.refresh_from_db()
            raise refusal(self.problem(version) or "replaced")
        self.record(Kind.INVITATION_ACCEPTED, user)

    def may_be_confirmed_by(self, inviter: User | None) -> bool:
        """Whether the inviter may still hand out this entry's templates (T18b).

        An operator's invitation has no inviter, and neither has a command's.
        """
        return inviter is None or inviter.has_perm(
            "companies.invite_membership", self.membership
        )

    @transaction.atomic
    def wait_for_confirmation(self, version: int) -> None:
        rows = Invitation.objects.pending().filter(pk=self.pk, version=version)
        if rows.filter(held_at=None).update(held_at=timezone.now()):
            self.record(Kind.INVITATION_HELD)

    @transaction.atomic
    def decline(self, version: int) -> bool:
        """Say no; only a new invitation takes that back. Return whether it was open."""
        rows = Invitation.objects.pending().filter(pk=self.pk, version=version)
        declined = rows.update(**self.settled(self.State.DECLINED, timezone.now()))
        if declined:
            self.record(Kind.INVITATION_DECLINED)
        return bool(declined)

    @transaction.atomic
    def mail_again(self, now: datetime) -> None:
        """Queue the same link once more: at most one a minute and five a day (S5)."""
        self.company.hold()
        asked = self.deliveries.filter(
            kind=Delivery.Kind.ASKED, created_at__gt=now - timedelta(days=1)
        )
        if (
            asked.count() >= ASKED_PER_DAY
            or asked.filter(created_at__gt=now - ASKED_APART).exists()
        ):
            return
        sequence = self.deliveries.filter(
            version=self.version, kind=Delivery.Kind.ASKED
        ).count()
        Delivery.objects.queue(
            [
                Delivery(
                    kind=Delivery.Kind.ASKED, sequence=sequence + 1, **self.mail_facts
                )
            ]
        )

    @transaction.atomic
    def note_new_link_asked(self, now: datetime) -> None:
        rows = Invitation.objects.pending().filter(pk=self.pk, new_link_asked_at=None)
        if rows.update(new_link_asked_at=now):
            self.record(Kind.NEW_LINK_ASKED)

    def keep_first_password(self, encoded: str, by: User | None) -> bool:
        """Keep the hash of a first password (S6). Return whether it is still pending.

        Somebody may have accepted or revoked it since it was read.
        """
        rows = Invitation.objects.pending().filter(pk=self.pk, version=self.version)
        kept = {"first_password": encoded, "first_password_made_at": timezone.now()}
        if not rows.update(**kept):
            return False
        self.record(Kind.FIRST_PASSWORD_MADE, by)
        return True


def claim(user: User) -> None:
    """Give an account made with a first password to the reader of its mailbox.

    With the new password, which ends all sessions. It is asked once more, now that the
    row is held: a password of somebody proven stays (T18), and so does what was
    switched off (T34).
    """
    user.save(update_fields=["password"])
    is_active = User.objects.filter(pk=user.pk, is_active=True).exists()
    if not (is_active and prove(user)):
        raise refusal("log_in_to_accept")


def prove(user: User) -> bool:
    """Note that an account made with a first password has shown its mailbox."""
    is_news = user.prove()
    if is_news:
        AuditEvent.record(Kind.ACCOUNT_PROVEN, user, None, user)
    return is_news
