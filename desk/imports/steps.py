"""One step of an import: in one transaction, so that a killed worker loses nothing."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from companies.models import Membership, ProjectMembership, Vendor
from desk.imports.applying import apply, plan
from desk.imports.known import Rights
from desk.imports.reading import Reader
from desk.imports.undoing import drop_unused_firms, undo
from desk.models import ATTEMPTS, Import, ImportRow
from invitations.models import Delivery, Invitation

logger = logging.getLogger(__name__)

# So many rows that others, who on SQLite wait for any writer, don't wait for long.
BATCH = 250
# After the second try; what is broken for a minute ends no import.
PAUSE = timedelta(seconds=10)
# Inserted by one statement: SQLite takes only so many variables.
READ_AT_ONCE = 1000
# What an import makes many of.
GROWING = [Vendor, Membership, ProjectMembership, Invitation, Delivery]
State = Import.State

OUR_FAULT = (
    "Something went wrong on our side; what is marked as done is done. Try again; if "
    "that fails too, ask the operator to look at it."
)


class AllOrNothing(Exception):
    """A row was refused while all were to be applied, so none may be."""


def step(source: Import) -> None:
    """Do the next step of a claimed import, whole or not at all."""
    if source.attempts > ATTEMPTS:
        # Each try before was killed, perhaps by what is in the file.
        settle_as_failed(source, OUR_FAULT)
        return
    try:
        write = prepare(source)
        with transaction.atomic():
            if source.hold():
                write()
    except AllOrNothing:
        settle_as_failed(
            source,
            "A row that was fine in the dry run is refused by now, and it was to be "
            "all or nothing: nothing was changed. Upload the file again to see which.",
        )
    except ValidationError as error:
        settle_as_failed(source, error.messages[0])
    except Exception:
        # Somebody may have written the same at this moment: the next try sees that.
        if source.attempts < ATTEMPTS:
            retry_later(source)
        else:
            settle_as_failed(source, OUR_FAULT)
        logger.exception("A step of import %s failed", source.pk)


def prepare(source: Import) -> Callable[[], None]:
    """Do what writes nothing, while others can write; return what has to be written.

    What was compared may be out of date by then: applying compares it again.
    """
    match source.state:
        case State.PLANNING if not source.is_read:
            reader = Reader(source)
            reader.read()
            return partial(keep_rows, source, reader)
        case State.PLANNING:
            rows = source.rows.filter(kind="").batch(BATCH)
            plan(source, rows)
            return partial(keep_plan, source, rows)
        case State.APPLYING if source.is_all_or_nothing:
            return partial(apply_all, source)
        case State.APPLYING:
            return partial(apply_batch, source)
    return partial(undo_batch, source)


def keep_rows(source: Import, reader: Reader) -> None:
    """Save the rows of the file, which isn't needed afterwards."""
    ImportRow.objects.bulk_create(reader.rows, batch_size=READ_AT_ONCE)
    Import.objects.filter(pk=source.pk).update(content=None, notes=reader.notes)
    source.release()


def keep_plan(source: Import, rows: list[ImportRow]) -> None:
    if rows:
        fields = ["kind", "difference", "new_firm", "reason"]
        ImportRow.objects.save_all(rows, fields)
        source.release()
    else:
        source.finish(State.PLANNED)


def apply_batch(source: Import) -> None:
    if rows := source.rows.to_apply().batch(BATCH):
        apply(source, rows)
        source.release()
    else:
        finish_applying(source)


def apply_all(source: Import) -> None:
    """Apply all batches in one transaction.

    Raises:
        AllOrNothing: when a row is refused by now; what was written goes with it.
    """
    while rows := source.rows.to_apply().batch(BATCH):
        apply(source, rows)
        if any(row.outcome == ImportRow.Kind.REFUSED for row in rows):
            raise AllOrNothing
        source.hold()
    finish_applying(source)


def finish_applying(source: Import) -> None:
    source.record(AuditEvent.Kind.PEOPLE_IMPORTED, facts(source))
    source.finish(State.APPLIED)
    transaction.on_commit(refresh_statistics, robust=True)


def refresh_statistics() -> None:
    """Let PostgreSQL know at once how large the tables have become.

    Until it counts by itself, a minute later, each connection goes on with plans for
    the small tables that it knew: inviting those people would take twice as long.
    """
    if connection.vendor == "postgresql":
        tables = ", ".join(model._meta.db_table for model in GROWING)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")


def undo_batch(source: Import) -> None:
    """Take a batch back, while who asked for it may: it deletes and changes people.

    Else it is an applied import again, which another administrator can go on with.
    """
    if not Rights(source.actor, source.company).is_administrator:
        source.finish(State.APPLIED)
        return
    if rows := source.rows.to_undo().batch(BATCH):
        undo(source, rows)
        source.release()
    else:
        # What a failed import has left is not done any more.
        source.rows.to_apply().update(outcome=ImportRow.Kind.UNDONE)
        drop_unused_firms(source)
        source.record(AuditEvent.Kind.IMPORT_UNDONE, facts(source))
        source.finish(State.UNDONE)


def facts(source: Import) -> dict[str, object]:
    """How many rows of which kind, in the words of the page."""
    counted: Counter[str] = Counter(source.counts())
    kinds = ImportRow.Kind
    return {kind.label: counted[kind] for kind in kinds if counted[kind]}


def retry_later(source: Import) -> None:
    """Let the next try begin at once, and each further one after a longer pause.

    The lease stays until then; the worker looks every half a minute what is due.
    """
    pause = PAUSE * (source.attempts - 1) ** 2
    source.release(attempts=source.attempts, leased_until=timezone.now() + pause)


def settle_as_failed(source: Import, problem: str) -> None:
    """End an import that can't go on; its file is of no more use."""
    source.finish(State.FAILED, problem=problem, content=None)
