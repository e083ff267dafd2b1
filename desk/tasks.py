"""Work after the answer, done by `./manage.py work`."""

from django.tasks import task
from django.utils import timezone

from desk.imports.steps import step
from desk.models import Import


@task
def work_on_imports() -> None:
    """Do one step of the oldest import that is due; then the next.

    Each step is a task of its own, so that mails, and a worker that is to stop, get
    their turn in between.
    """
    if source := Import.objects.claim():
        step(source)
        if Import.objects.due(timezone.now()).exists():
            work_on_imports.enqueue()
