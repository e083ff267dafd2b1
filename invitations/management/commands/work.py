import threading
from typing import Any

from django.db import close_old_connections
from django.db.utils import DatabaseError
from django.utils import timezone
from django_tasks_db.management.commands import db_worker

from invitations.models import Delivery
from invitations.tasks import deliver_due

WAKE_EVERY = 30  # seconds


class Command(db_worker.Command):
    help = (
        "Do the work that pages have queued, and send the mails that are due: also "
        "those that are to be tried again, or that a killed worker had claimed."
    )

    def handle(self, **options: Any) -> None:
        threading.Thread(target=self.wake, daemon=True).start()
        super().handle(**options)

    def wake(self) -> None:
        """Queue the sending at start and every 30 seconds when a mail is due.

        A task whose worker was killed is never taken back, and no task is retried; the
        rows say what is due, so this is all that it takes (F6, F22).
        """
        while True:
            close_old_connections()
            try:
                if Delivery.objects.due(timezone.now()).exists():
                    deliver_due.enqueue()
            except DatabaseError as error:  # it is away; the next time will do
                self.stderr.write(f"Can't look for due mails: {error}")
            self.pause.wait(WAKE_EVERY)

    pause = threading.Event()
