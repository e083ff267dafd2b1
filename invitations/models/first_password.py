"""First passwords, which an administrator hands over (S6, T55)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.models import User
from audit.models import AuditEvent
from companies.access import may_invite
from companies.models import Membership
from invitations.models.sending import Sending, SendingQuerySet, held, record_each

if TYPE_CHECKING:
    from invitations.models.invitation import Invitation

# No 0, O, 1, l or I: it is read aloud or from a slip of paper.
CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


class FirstPasswordQuerySet(SendingQuerySet):
    def make_first_passwords(
        self, entries: Iterable[Membership], by: User | None
    ) -> tuple[list[tuple[Membership, str]], list[tuple[Membership, str]]]:
        """Make a first password for each entry that hasn't joined (S6, T55).

        Where no invitation is pending one is made, without a mail; a pending one keeps
        its version, so the mailed link goes on working beside the password.

        Returns:
            the passwords, which nobody can read again; the refusals with a sentence.

        Raises:
            ValidationError: when no terms are published.
        """
        entries = list(entries)
        passwords = {entry.pk: get_random_string(16, CHARACTERS) for entry in entries}
        encoded = {key: make_password(word) for key, word in passwords.items()}
        made: list[tuple[Membership, str]] = []
        with transaction.atomic():
            prepared = Sending()
            live = [i for keys in held(entries) for i in self.live(keys, by, prepared)]
            record_each(AuditEvent.Kind.INVITATION_PREPARED, by, prepared.sent)
            for invitation in [*live, *prepared.sent]:
                entry = invitation.membership
                if invitation.keep_first_password(encoded[entry.pk], by):
                    made.append((entry, passwords[entry.pk]))
                else:
                    prepared.refuse(entry, "just_answered")
        return made, prepared.refused

    def live(
        self, keys: list[int], by: User | None, prepared: Sending
    ) -> "list[Invitation]":
        """The open invitations of these entries; for the others they are made."""
        allowed = may_invite(by, Membership.objects.filter(pk__in=keys))
        there = self.acceptable(timezone.now()).filter(membership__in=allowed)
        live = list(there.select_related("company", "membership"))
        taken = {invitation.membership_id for invitation in live}
        self.renew([key for key in keys if key not in taken], by, prepared)
        return live
