"""A row of an imported file: what it says, would do, and has done."""

from typing import Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from companies.models import Membership, OwnedByCompany
from desk.columns import EMAIL


class ImportRowQuerySet(models.QuerySet["ImportRow"]):
    def of_kind(self, kind: str) -> Self:
        """Those of which this became, or else would become."""
        return self.filter(Q(outcome=kind) | Q(outcome="", kind=kind))

    def refused(self) -> Self:
        """Those that were refused in the dry run or when they were to be applied."""
        return self.of_kind(ImportRow.Kind.REFUSED)

    def to_apply(self) -> Self:
        return self.filter(kind__in=ImportRow.DOING, outcome="")

    def to_undo(self) -> Self:
        return self.filter(outcome__in=ImportRow.DOING)

    def batch(self, size: int) -> "list[ImportRow]":
        """The next rows to work on; all rows of one person are in the same batch.

        What one of them says depends on the others.
        """
        emails = self.order_by("email").values_list("email", flat=True)
        last = emails[size - 1 : size].first()
        rows = self.filter(email__lte=last) if last else self
        return list(rows.order_by("number"))

    def new_firms(self) -> list[str]:
        """The firms that have to be made, each as the first row spells it."""
        rows = self.exclude(new_firm="").order_by("number")
        return list(dict.fromkeys(rows.values_list("new_firm", flat=True)))

    def save_all(self, rows: "list[ImportRow]", fields: list[str]) -> None:
        """Write these columns of many rows in one statement."""
        self.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=fields
        )


class ImportRow(OwnedByCompany):
    """A row of the file: what it says, what it would do, and what became of it."""

    class Kind(models.TextChoices):
        NEW = "new", "New"
        LINK = "link", "Put on a further project"
        CHANGE = "change", "Changed"
        INVITE = "invite", "Invited"
        UNCHANGED = "unchanged", "Unchanged"
        REFUSED = "refused", "Refused"
        IGNORED = "ignored", "Ignored"
        # Of what was applied:
        UNDONE = "undone", "Undone"
        KEPT = "kept", "Stays"

    # Those that write something.
    DOING = [Kind.NEW, Kind.LINK, Kind.CHANGE, Kind.INVITE]

    source = models.ForeignKey(
        "desk.Import", on_delete=models.CASCADE, related_name="rows", db_index=False
    )
    number = models.PositiveIntegerField("row")
    cells = models.JSONField(default=dict)
    # What further columns of the same meaning say, where they contradict these.
    others = models.JSONField(default=dict)
    email = models.CharField(max_length=254, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, blank=True)
    outcome = models.CharField(max_length=10, choices=Kind, blank=True)
    difference = models.JSONField(default=list)
    new_firm = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)
    membership = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # What undoing needs: the keys of the rows made, and columns before and after.
    written = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "number"], name="desk_importrow_once"
            ),
            models.CheckConstraint(
                condition=~Q(kind="refused") | ~Q(reason=""),
                name="desk_importrow_refused_with_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "email"], name="desk_importrow_email")
        ]

    def __str__(self) -> str:
        return f"Row {self.number}"

    @property
    def address(self) -> str:
        """As it is written in the file, for one that can't be read."""
        return str(self.cells.get(EMAIL, ""))

    @property
    def shown(self) -> str:
        """What became of it, or else what would."""
        return self.outcome or self.kind

    @property
    def label(self) -> str:
        return self.Kind(self.shown).label if self.shown else "Not looked at yet"
