"""First passwords, which an administrator hands over (S6, T55)."""

from collections.abc import Iterable

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.models import User
from audit.models import AuditEvent
from companies.access import may_invite
from companies.models import Membership
from invitations.models.sending import Sending, SendingQuerySet, held, record_each

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
        made = [(entry, get_random_string(16, CHARACTERS)) for entry in entries]
        encoded = {entry.pk: make_password(password) for entry, password in made}
        with transaction.atomic():
            keys = [entry.pk for entry in entries]
            allowed = may_invite(by, Membership.objects.filter(pk__in=keys))
            there = self.acceptable(timezone.now()).filter(membership__in=allowed)
            live = list(there.select_related("company", "membership"))
            taken = {invitation.membership_id for invitation in live}
            fresh = Sending()
            for keys in held(entry for entry in entries if entry.pk not in taken):
                self.renew(keys, by, fresh)
            record_each(AuditEvent.Kind.INVITATION_PREPARED, by, fresh.sent)
            ready = {
                invitation.membership_id
                for invitation in [*live, *fresh.sent]
                if invitation.keep_first_password(encoded[invitation.membership_id], by)
            }
        return [
            (entry, word) for entry, word in made if entry.pk in ready
        ], fresh.refused
