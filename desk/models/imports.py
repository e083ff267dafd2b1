"""An import of people: the file, what it would do, and what became of it."""

from datetime import datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Case, Count, F, Q, When
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from companies.fields import PlainTextField
from companies.models import Company, OwnedByCompany, PermissionTemplate
from companies.tools import Scope
from desk.models.rows import ImportRow, ImportRowQuerySet
from desk.spreadsheets import check_file

# Longer than the longest step takes, which is the reading of a large file.
LEASE = timedelta(minutes=2)
# A step that fails so often in a row fails for ever.
ATTEMPTS = 5


class ImportQuerySet(models.QuerySet["Import"]):
    @transaction.atomic
    def bring(
        self,
        company: Company,
        name: str,
        content: bytes,
        by: User | None,
        **choices: Any,
    ) -> "Import":
        """Take a file in; unless a sheet has to be chosen, it is compared at once.

        Args:
            name: as its owner calls it.
            by: who brings it; empty for a command.
            choices: how to read it, and what to do with it.

        Raises:
            ValidationError: when it is of no use, with what to do about it.
        """
        source = self.create(
            company=company,
            name="".join(filter(str.isprintable, name))[-200:] or "people",
            content=content,
            sheets=check_file(content),
            uploaded_by=by,
            **choices,
        )
        if len(source.sheets) < 2 or source.sheet:
            source.start(source.sheet)
        return source

    def due(self, now: datetime) -> Self:
        """Those with work to do that no worker holds, or that a killed one held."""
        is_free = Q(leased_until=None) | Q(leased_until__lte=now)
        return self.filter(is_free, state__in=Import.WORKING)

    @transaction.atomic
    def claim(self) -> "Import | None":
        """Lease the oldest due import to this worker: no other one gets it.

        The conditional UPDATE decides.
        """
        now = timezone.now()
        lease = uuid4()
        free = self.due(now).order_by("pk").select_for_update(skip_locked=True)
        keys = list(free.values_list("pk", flat=True)[:1])
        self.due(now).filter(pk__in=keys).update(
            lease=lease, leased_until=now + LEASE, attempts=F("attempts") + 1
        )
        leased = self.filter(lease=lease).select_related(
            "company", "project_template", "uploaded_by", "applied_by", "undone_by"
        )
        return leased.first()


class Import(OwnedByCompany):
    """A list of people that somebody brings into the directory.

    It is worked on in steps, each a transaction of its own: the reading of the file,
    and then batches of its rows. A killed worker so loses and doubles nothing: what a
    step did and that it was done are written together.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "waiting for a choice"
        PLANNING = "planning", "being compared"
        PLANNED = "planned", "compared"
        APPLYING = "applying", "being applied"
        APPLIED = "applied", "applied"
        UNDOING = "undoing", "being undone"
        UNDONE = "undone", "undone"
        CANCELLED = "cancelled", "cancelled"
        FAILED = "failed", "failed"

    WORKING = [State.PLANNING, State.APPLYING, State.UNDOING]
    CANCELLABLE = [State.UPLOADED, State.PLANNED]

    class DateOrder(models.TextChoices):
        UNKNOWN = "", "There are no such dates"
        DAY_FIRST = "day", "The 3rd of April (day first)"
        MONTH_FIRST = "month", "The 4th of March (month first)"

    name = PlainTextField("file", max_length=200)
    content = models.BinaryField(null=True, editable=False)
    sheets = models.JSONField(default=list, editable=False)
    sheet = models.CharField(max_length=200, blank=True)
    date_order = models.CharField(
        "3/4/2027 stands for", max_length=5, choices=DateOrder, blank=True
    )
    project_template = models.ForeignKey(
        PermissionTemplate,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"scope": Scope.PROJECT, "project": None},
        help_text="For those who are put on a project where neither the file nor the "
        "person’s entry names a template.",
    )
    is_all_or_nothing = models.BooleanField(
        "all or nothing",
        default=False,
        help_text="One refused row then stops all others.",
    )
    has_invitations = models.BooleanField(
        "invite",
        default=False,
        help_text="Invite those who have neither joined nor an open invitation.",
    )
    # Of its mails, on whose page one sees them arrive.
    batch = models.UUIDField(default=uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    problem = models.TextField(blank=True)
    notes = models.JSONField(default=list, editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField("uploaded", default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)
    lease = models.UUIDField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)

    objects = ImportQuerySet.as_manager()
    rows: "ImportRowQuerySet"

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "id"], name="desk_import_of_company"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        *("uploaded", "planning", "planned", "applying", "applied"),
                        *("undoing", "undone", "cancelled", "failed"),
                    ]
                ),
                name="desk_import_state_known",
            ),
            models.CheckConstraint(
                condition=Q(leased_until=None)
                | Q(state__in=["planning", "applying", "undoing"]),
                name="desk_import_held_while_working",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(problem=""),
                name="desk_import_failed_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    # What it is

    @property
    def is_working(self) -> bool:
        return self.state in self.WORKING

    @property
    def is_read(self) -> bool:
        """Whether the rows have been read; the file is kept until then."""
        return self.content is None

    @property
    def actor(self) -> User | None:
        """On whose behalf the present step is done; None is the operator's command."""
        match self.state:
            case self.State.APPLYING:
                return self.applied_by
            case self.State.UNDOING:
                return self.undone_by
        return self.uploaded_by

    @property
    def can_go_on(self) -> bool:
        """Whether all was compared, and rows are left to be applied."""
        is_compared = not self.rows.filter(kind="").exists()
        return is_compared and self.rows.to_apply().exists()

    def counts(self) -> dict[str, int]:
        """How many rows there are of each kind; of those not looked at yet under ''."""
        shown = Case(When(outcome="", then="kind"), default="outcome")
        rows = self.rows.order_by().values_list(shown)
        return dict(rows.annotate(Count("pk")))

    def progress(self) -> tuple[int, int]:
        """How many rows the present step has done, and of how many."""
        rows = self.rows.all()
        match self.state:
            case self.State.PLANNING:
                waiting = rows.filter(kind="")
            case self.State.APPLYING:
                rows = rows.filter(kind__in=ImportRow.DOING)
                waiting = rows.to_apply()
            case _:
                rows = rows.exclude(outcome="")
                waiting = rows.to_undo()
        total = rows.count()
        return total - waiting.count(), total

    # What is done with it

    def start(self, sheet: str = "") -> None:
        """Have it read and compared; of several sheets one has to be chosen.

        Raises:
            ValidationError: when it has no such sheet.
        """
        sheet = sheet or (self.sheets[0] if len(self.sheets) == 1 else "")
        if bool(self.sheets) != bool(sheet) or (sheet and sheet not in self.sheets):
            raise ValidationError("Choose one of the sheets.", code="sheet")
        self.move([self.State.UPLOADED], self.State.PLANNING, sheet=sheet)

    def apply(self, by: User | None) -> None:
        """Have it written to the directory; or the rest of it, after a failure.

        Raises:
            ValidationError: when it can't be, with the reason.
        """
        if self.is_all_or_nothing and self.rows.refused().exists():
            raise ValidationError(
                "Some rows are refused, and you chose all or nothing. Correct the file "
                "and upload it again.",
                code="all_or_nothing",
            )
        failed = [self.State.FAILED] if self.can_go_on else []
        self.move([self.State.PLANNED, *failed], self.State.APPLYING, applied_by=by)

    def cancel(self) -> None:
        """Leave it, and forget the people who are in it."""
        with transaction.atomic():
            forgotten = {"content": None, "settled_at": timezone.now()}
            self.move(self.CANCELLABLE, self.State.CANCELLED, **forgotten)
            self.rows.all().delete()

    def undo(self, by: User | None) -> None:
        """Have what it did taken back, as far as nothing has come of it yet."""
        failed = [self.State.FAILED] if self.rows.to_undo().exists() else []
        self.move([self.State.APPLIED, *failed], self.State.UNDOING, undone_by=by)

    @transaction.atomic
    def move(self, before: list[State], after: State, **values: Any) -> None:
        """Go on to a state, once, and wake the worker where that is work.

        Raises:
            ValidationError: when somebody was faster.
        """
        from desk.tasks import work_on_imports

        rows = Import.objects.filter(pk=self.pk, state__in=before)
        free = {"lease": None, "leased_until": None, "problem": ""}
        values = {"state": after, **free, **values}
        if not rows.update(attempts=0, **values):
            raise ValidationError(
                "This import has moved on meanwhile. Check it and try again.",
                code="moved_on",
            )
        for name, value in values.items():
            setattr(self, name, value)
        if self.is_working:
            work_on_imports.enqueue()

    def hold(self) -> bool:
        """Prolong the lease in the transaction of a step; return whether it is ours.

        A write: so two workers are never in a step of the same import.
        """
        ours = Import.objects.filter(pk=self.pk, lease=self.lease, state=self.state)
        return bool(ours.update(leased_until=timezone.now() + LEASE))

    def release(self, **values: Any) -> None:
        """End a step, in its transaction: the next one may be done by any worker."""
        values = {"leased_until": None, "attempts": 0, **values}
        Import.objects.filter(pk=self.pk, lease=self.lease).update(**values)
        for name, value in values.items():
            setattr(self, name, value)

    def finish(self, state: str, **values: Any) -> None:
        """Release it for good."""
        self.release(state=state, settled_at=timezone.now(), **values)

    def record(self, kind: AuditEvent.Kind, facts: dict[str, Any]) -> None:
        AuditEvent.record(kind, self.actor, self.company, self, facts)
