"""Work after the answer, done by `./manage.py work`."""

import time

from django.db import connection
from django.tasks import task
from django.utils import timezone

from desk.imports.steps import step
from desk.models import Import

# Whoever waits to write to SQLite looks every 100 ms whether it is free.
PAUSE = 0.15  # seconds


@task
def work_on_imports() -> None:
    """Do one step of the oldest import that is due; then the next.

    Each step is a task of its own, so that mails, and a worker that is to stop, get
    their turn in between; and so do the writers of other processes on SQLite.
    """
    if source := Import.objects.claim():
        step(source)
        if connection.vendor == "sqlite":
            time.sleep(PAUSE)
        if Import.objects.due(timezone.now()).exists():
            work_on_imports.enqueue()
