"""`./manage.py work` as a process: killed, stopped, started late, doubled."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from invitations.models import Delivery, Invitation
from invitations.tasks import deliver_due
from procore_site.management.commands.work import Command
from tests.cast import add_entry, work
from tests.waiting import wait_until

State = Delivery.State


def database_url():
    """Where another process finds the test database."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"


@contextmanager
def worker(mail_server, *arguments):
    """Run a worker; it is killed at the end unless it has ended by then."""
    command = [sys.executable, "manage.py", "work", "--no-startup-delay"]
    environment = os.environ | {
        "DEBUG": "1",
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
    }
    with subprocess.Popen(
        [*command, "--interval", "0.1", *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def invite_many(transactional_db, acme, ada):
    def invite(count):
        entries = [add_entry(acme, f"person{n}@subco.example") for n in range(count)]
        Invitation.objects.send(entries, ada.user)
        return [entry.email for entry in entries]

    return invite


def are_settled(count):
    return Delivery.objects.filter(state=State.ACCEPTED).count() >= count


def let_leases_run_out():
    held = Delivery.objects.filter(state=State.SENDING)
    held.update(leased_until=timezone.now() - timedelta(seconds=1))


def test_killed_worker_loses_no_mail(mail_server, invite_many):
    """F6: every mail goes out; at most one is doubled for each kill."""
    recipients = invite_many(9)
    for number in (2, 6):
        mail_server.stop_at = number
        mail_server.go_on.clear()
        with worker(mail_server) as process:
            assert mail_server.has_stopped.wait(30)
            process.kill()
        mail_server.has_stopped.clear()
        mail_server.go_on.set()
        assert DBTaskResult.objects.running().exists(), "it is never taken back"
        let_leases_run_out()
    with worker(mail_server):
        wait_until(lambda: are_settled(9))
    assert set(mail_server.received) == set(recipients)
    assert mail_server.received.total() <= 9 + 2


def test_two_workers_share_the_mails(mail_server, invite_many):
    """F8: while the first is busy with its batch the second sends the rest, once."""
    recipients = invite_many(60)
    deliver_due.enqueue()
    mail_server.stop_at = 1
    with worker(mail_server), worker(mail_server):
        assert mail_server.has_stopped.wait(30)
        wait_until(lambda: are_settled(10))
        mail_server.go_on.set()
        wait_until(lambda: are_settled(60))
    assert mail_server.received == dict.fromkeys(recipients, 1)


def test_worker_that_is_to_stop_ends_its_batch(mail_server, invite_many):
    """SIGTERM leaves no mail half sent, and ends the process as one that is well."""
    recipients = invite_many(3)
    mail_server.stop_at = 1
    with worker(mail_server) as process:
        assert mail_server.has_stopped.wait(30)
        process.send_signal(signal.SIGTERM)
        mail_server.go_on.set()
        assert process.wait(30) == 0
    assert mail_server.received == dict.fromkeys(recipients, 1)
    assert are_settled(3)


def test_late_worker_sends_what_no_task_speaks_of(mail_server, invite_many):
    """F22: the rows are the queue. `--batch` ends when all is done."""
    recipients = invite_many(2)
    DBTaskResult.objects.all().delete()
    with worker(mail_server, "--batch") as process:
        assert process.wait(30) == 0
    assert mail_server.received == dict.fromkeys(recipients, 1)


# The waking, every 30 seconds


def test_waking_queues_one_task_when_a_mail_is_due(ivo):
    work()
    Delivery.objects.update(state=State.QUEUED, settled_at=None)
    Command().wake()
    Command().wake()
    assert DBTaskResult.objects.ready().count() == 1


@pytest.mark.parametrize("wait", [timedelta(), timedelta(minutes=1)])
def test_waking_queues_nothing_when_nothing_is_due(ivo, wait):
    """Neither for a mail that is on its way, nor for one to be tried later."""
    work()
    if wait:
        Delivery.objects.update(
            state=State.DEFERRED, settled_at=None, due_at=timezone.now() + wait
        )
    Command().wake()
    assert not DBTaskResult.objects.ready().exists()


def test_waking_outlives_a_database_that_is_away(ivo):
    """F11: it says so, and looks again the next time."""

    def away(*args):
        raise OperationalError("server closed the connection")

    errors = StringIO()
    with connection.execute_wrapper(away):
        Command(stderr=errors).wake()
    assert "Can't look for due work: server closed" in errors.getvalue()
