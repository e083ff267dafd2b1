"""Work after the answer, done by `./manage.py work`."""

import logging
import smtplib
from contextlib import suppress

from django.core.mail import mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.tasks import task

from accounts.models import User
from invitations.models import Delivery, Invitation

logger = logging.getLogger(__name__)

BATCH = 50


@task
def deliver_due() -> None:
    """Send the mails that are due, the oldest first, until none is left."""
    while batch := Delivery.objects.claim(BATCH):
        deliver(batch)


@task
def send_links(email: str) -> None:
    """Mail to an address what it may have: a link for a new password, or to join (S5).

    The page does the same for every address, and only queues this; so neither its
    answer nor its time tells whether the address is known (T21).
    """
    account = User.objects.filter(email=email, is_active=True).first()
    if account:
        Delivery.objects.queue_about(account, "account/email/password_reset_key", email)
    Invitation.objects.ask_again(email)


def deliver(batch: list[Delivery]) -> None:
    """Send a batch over one connection, and write down what became of each mail.

    What happens to one recipient touches no other one (F3, F4). Where the server can't
    be reached, or goes away, the rest is deferred with that reason, untried (F1).
    """
    connection = mailers.default
    try:
        connection.open()
        lost = ""
    except OSError as error:  # smtplib's errors are OSErrors too
        lost = reason(error)
    for delivery in batch:
        if lost:
            delivery.defer(lost)
        else:
            lost = attempt(delivery, connection)
    with suppress(OSError):
        connection.close()


def attempt(delivery: Delivery, connection: BaseEmailBackend) -> str:
    """Send one mail; return why the others can't be sent either, or nothing."""
    try:
        message = delivery.compose() if delivery.is_wanted() else None
        if message is None:
            delivery.settle(Delivery.State.DROPPED, "It was no longer needed.")
            return ""
        connection.send_messages([message])
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        if is_final(error):
            delivery.settle(Delivery.State.REFUSED, reason(error))
        else:
            delivery.defer(reason(error))
        return ""
    except OSError as error:
        delivery.defer(reason(error))
        return reason(error)
    except Exception as error:  # one row that can't be written must not stop the others
        logger.exception("Delivery %s can't be written", delivery.pk)
        delivery.defer(f"It could not be written ({type(error).__name__}).")
        return ""
    delivery.settle(Delivery.State.ACCEPTED)
    return ""


def answer(
    error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError,
) -> tuple[int, str]:
    """What the server said: its code and its words (RFC 5321)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        [(code, said)] = error.recipients.values()
        return code, said.decode(errors="replace")
    words: bytes | str = error.smtp_error
    if isinstance(words, str):
        return error.smtp_code, words
    return error.smtp_code, words.decode(errors="replace")


def is_final(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> bool:
    """Whether trying again is of no use: the server said 5xx."""
    return answer(error)[0] >= 500


def reason(error: OSError) -> str:
    """Say in one line why it failed, for the administrator and the operator."""
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        code, words = answer(error)
        return " ".join(f"{code} {words}".split())[:500]
    return " ".join(f"The mail server could not be used: {error}".split())[:500]
