"""The first page of the desk: where people stand, and what needs attention today.

Each figure is a row of a table, and the pictures are drawn from the same rows.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db.models import Count, Q
from django.db.models.functions import TruncWeek
from django.urls import reverse
from django.utils import timezone

from companies.models import Company
from desk.status import EXPIRING, NOT_IN_YET, Status, count_by_status, in_status
from invitations.models import Invitation

WEEKS = 12
# The picture of the weeks, in units of its own: the columns of a week, the highest one.
WIDTH, HEIGHT = 40, 100
PROJECTS = 8


def directory(**query: object) -> str:
    """The directory, filtered."""
    return reverse("admin:companies_membership_changelist", query=query)


@dataclass(frozen=True)
class Figure:
    """A number with its name, and the list that it counts."""

    label: str
    count: int
    url: str
    share: float = 0.0  # of the largest one, in percent: how long its bar is


@dataclass(frozen=True)
class Week:
    """How many were invited in a week, and how many of those have joined by now."""

    begins_on: date
    invited: int
    joined: int
    x: int  # where its columns stand in the picture
    invited_height: float
    joined_height: float


@dataclass(frozen=True)
class Overview:
    """The figures of one company at one moment."""

    company: Company
    now: datetime

    @cached_property
    def people(self) -> list[Figure]:
        """People by status; a status that nobody has is left out."""
        counts = self.counts
        most = max(counts.values(), default=1)
        return [
            Figure(
                str(status.label),
                counts[status],
                directory(status=status.value),
                100 * counts[status] / most,
            )
            for status in Status
            if status in counts
        ]

    @cached_property
    def counts(self) -> dict[str, int]:
        return count_by_status(self.company.memberships.all(), self.now)

    @cached_property
    def attention(self) -> list[Figure]:
        """What somebody should do something about today, each with its list."""
        stuck = [
            (Status.MAIL_REFUSED, "Mails that the mail server did not accept"),
            (Status.ADDRESS_CORRECTED, "Corrected addresses without an invitation"),
            (Status.NEW_LINK_ASKED, "Asked for a new link"),
            (Status.NEEDS_CONFIRMATION, "Need your confirmation"),
            (Status.EXPIRED, "Invitations that have expired"),
        ]
        figures = [
            Figure(label, self.counts.get(status, 0), directory(status=status.value))
            for status, label in stuck
        ]
        return [
            figure for figure in [*figures, self.expiring, self.ending] if figure.count
        ]

    @property
    def expiring(self) -> Figure:
        soon = in_status(self.company.memberships.all(), EXPIRING, self.now)
        label = "Invitations that expire within two days"
        return Figure(label, soon.count(), directory(status=EXPIRING))

    @property
    def ending(self) -> Figure:
        today = timezone.localdate(self.now)
        grants = self.company.projectmemberships.ending(today)
        url = reverse("admin:companies_projectmembership_changelist")
        label = "Project access that ends within seven days"
        return Figure(label, grants.count(), f"{url}?state=ending")

    @cached_property
    def projects(self) -> list[Figure]:
        """Active projects where most people of the crew can't get in yet."""
        today = timezone.localdate(self.now)
        grants = self.company.projectmemberships.not_ended(today)
        absent = grants.filter(membership__user=None, membership__is_active=True)
        counted = (
            absent.filter(project__is_active=True)
            .order_by()
            .values("project", "project__number", "project__name")
            .annotate(count=Count("pk"))
            .order_by("-count", "project__number")[:PROJECTS]
        )
        rows = list(counted)
        most = max((row["count"] for row in rows), default=1)
        return [
            Figure(
                f"{row['project__number']} {row['project__name']}",
                row["count"],
                directory(project=row["project"], status=NOT_IN_YET),
                100 * row["count"] / most,
            )
            for row in rows
        ]

    @cached_property
    def weeks(self) -> list[Week]:
        """The last weeks, the current one last, those without an invitation too."""
        today = timezone.localdate(self.now)
        monday = today - timedelta(days=today.weekday())
        first = monday - timedelta(weeks=WEEKS - 1)
        since = timezone.make_aware(datetime.combine(first, datetime.min.time()))
        counted = (
            Invitation.objects.filter(company=self.company, created_at__gte=since)
            .order_by()
            .annotate(week=TruncWeek("created_at"))
            .values("week")
            .annotate(
                invited=Count("pk"),
                joined=Count("pk", Q(state=Invitation.State.ACCEPTED)),
            )
        )
        found = {
            timezone.localdate(row["week"]): (row["invited"], row["joined"])
            for row in counted
        }
        most = max((invited for invited, _ in found.values()), default=1)
        weeks = []
        for n in range(WEEKS):
            begins_on = first + timedelta(weeks=n)
            invited, joined = found.get(begins_on, (0, 0))
            heights = (HEIGHT * count / most for count in (invited, joined))
            weeks.append(Week(begins_on, invited, joined, n * WIDTH, *heights))
        return weeks
