"""Work after the answer, done by `./manage.py work`."""

import logging
import smtplib
from contextlib import suppress

from django.core.mail import mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.tasks import task

from invitations.models import Delivery, LinkRequest

logger = logging.getLogger(__name__)

BATCH = 50
# A server that fails so often in a row is taken to be down.
FAILURES = 2
SERVER_FAILED = "The mail server could not be used"
CLOSING = 421  # said in answer to anything, before the server closes the connection


@task
def deliver_due() -> None:
    """Send a batch of the mails that are due, the oldest first; then the next batch.

    Each is a task of its own, so that other work, and a worker that is to stop, get
    their turn in between. Of what was put off the first has a task for when it is due;
    `work` looks for the rest.
    """
    batch = Delivery.objects.claim(BATCH)
    deliver(batch)
    if len(batch) == BATCH:
        deliver_due.enqueue()
    if next_try := Delivery.objects.next_try(batch):
        deliver_due.using(run_after=next_try).enqueue()


@task
def send_links() -> None:
    """Answer who has asked at the log-in page: with a new password, or to join (S5).

    The page does the same for every address, and only queues this; so neither its
    answer nor its time tells whether the address is known (T21).
    """
    for request in LinkRequest.objects.order_by("pk"):
        try:
            request.answer()
        except Exception:  # it stays, and must not stop the others
            logger.exception("Link request %s can't be answered", request.pk)


def deliver(batch: list[Delivery]) -> None:
    """Send a batch over one connection, and write down what became of each mail.

    What happens to one mail touches no other one (F3, F4); a connection that breaks is
    made anew (F5). Where that is of no use the rest is deferred, untried (F1).
    """
    connection = mailers.default
    failures: list[str] = []  # in a row
    for delivery in batch:
        if len(failures) == FAILURES:
            delivery.defer(failures[-1])
        elif delivery.hold():
            failure = attempt(delivery, connection)
            failures = [*failures, failure] if failure else []
    with suppress(OSError):
        connection.close()
    if failures and any(delivery.is_late for delivery in batch):
        logger.warning("Mail has been waiting for over 15 minutes: %s", failures[-1])


def attempt(delivery: Delivery, connection: BaseEmailBackend) -> str:
    """Send one mail; return why the server can't be used, or nothing."""
    try:
        return send(delivery, connection)
    except Exception as error:
        # Neither the mail nor what became of it may be such that it stops the others.
        logger.exception("Delivery %s can't be written", delivery.pk)
        delivery.defer(f"It could not be written ({type(error).__name__}).")
        return ""


def send(delivery: Delivery, connection: BaseEmailBackend) -> str:
    try:
        message = delivery.compose() if delivery.is_wanted() else None
        if message is None:
            delivery.settle(Delivery.State.DROPPED, "It was no longer needed.")
            return ""
        connection.open()
        connection.send_messages([message])
    except OSError as error:  # smtplib's errors are OSErrors too
        return note_failure(delivery, connection, error)
    delivery.settle(Delivery.State.ACCEPTED)
    return ""


def note_failure(
    delivery: Delivery, connection: BaseEmailBackend, error: OSError
) -> str:
    """Tell a refused mail from one to be tried again, and both from a lost server."""
    code, words = answer(error)
    is_about_mail = code != CLOSING and isinstance(
        error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError
    )
    if is_about_mail and code >= 500:
        delivery.settle(Delivery.State.REFUSED, words)
        return ""
    if is_about_mail:
        delivery.defer(words)
        return ""
    reason = f"{SERVER_FAILED}: {words}"
    delivery.defer(reason)
    with suppress(OSError):
        connection.close()
    return reason


def answer(error: OSError) -> tuple[int, str]:
    """What the server said, in one line: its code (RFC 5321), and code and words."""
    code, said = 0, str(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        [(code, words)] = error.recipients.values()
        said = f"{code} {words.decode(errors='replace')}"
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
        said = (
            f"{code} {text if isinstance(text, str) else text.decode(errors='replace')}"
        )
    line = " ".join(said.split())
    return code, "".join(filter(str.isprintable, line))[:500]  # as PostgreSQL takes it
