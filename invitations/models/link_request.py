"""Who has asked for a link at the log-in page, until the worker has answered (S5)."""

from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.utils import timezone

from accounts.addresses import CanonicalEmailField
from accounts.models import User
from invitations.models.delivery import Delivery
from invitations.models.invitation import Invitation


class LinkRequestQuerySet(models.QuerySet["LinkRequest"]):
    def ask(self, email: str) -> None:
        """Note that somebody has asked, and wake the worker; look nothing up (T21)."""
        from invitations.tasks import send_links

        self.create(email=email)
        send_links.enqueue()

    def due(self, now: datetime) -> Self:
        """Those to answer now: all that are there."""
        return self.filter(asked_at__lte=now)


class LinkRequest(models.Model):
    """An address, anybody's or nobody's, for which a link was asked at the log-in page.

    It goes in the transaction that queues its mails: a worker that is killed meanwhile
    has done nothing, and the next one finds it (F6). The history has its own event.
    """

    email = CanonicalEmailField()
    asked_at = models.DateTimeField(default=timezone.now)

    objects = LinkRequestQuerySet.as_manager()

    def __str__(self) -> str:
        return self.email

    @transaction.atomic
    def answer(self) -> None:
        """Queue what the address may have: a link for a new password, or to join."""
        answered, _ = LinkRequest.objects.filter(pk=self.pk).delete()
        if not answered:  # another worker was faster
            return
        account = User.objects.filter(email=self.email, is_active=True).first()
        if account:
            letter = "account/email/password_reset_key"
            Delivery.objects.queue_about(account, letter, account.email)
        Invitation.objects.ask_again(self.email)
