import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.db import Error, connection
from django.utils import timezone
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult

from desk.models import Import
from desk.tasks import work_on_imports
from invitations.models import Delivery, LinkRequest
from invitations.tasks import deliver_due, send_links

WAKE_EVERY = 30  # seconds
# Each task, and which rows want it done.
WANTED = [
    (send_links, LinkRequest.objects.due),
    (deliver_due, Delivery.objects.due),
    (work_on_imports, Import.objects.due),
]


class Command(db_worker.Command):
    help = (
        "Do the work that pages have queued, send the mails that are due, go on with "
        "imports: also what is to be tried again, or what a killed worker had claimed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        # The reloader runs a second process, which would wake as well.
        parser.set_defaults(reload=False)

    def handle(self, **options: Any) -> None:
        self.wake()
        threading.Thread(target=self.keep_waking, daemon=True).start()
        super().handle(**options)

    def keep_waking(self) -> None:
        while True:
            time.sleep(WAKE_EVERY)
            self.wake()
            connection.close()

    def wake(self) -> None:
        """Queue each task for which rows are due, unless one waits already.

        A task whose worker was killed is never taken back, and no task is retried; the
        rows say what is due, so this is all that it takes (F6, F22).
        """
        try:
            ready = DBTaskResult.objects.ready()
            for task, due in WANTED:
                is_waiting = ready.filter(task_path=task.module_path).exists()
                if due(timezone.now()).exists() and not is_waiting:
                    task.enqueue()
        except Error as error:  # it is away; the next time will do
            self.stderr.write(f"Can't look for due work: {error}")
