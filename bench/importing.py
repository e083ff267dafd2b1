"""An import of thousands of people: how long its requests take, and its worker."""

from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from bench.figures import Figure, Limit, at_most, no_more_than, timed
from companies.models import Company
from desk.imports.steps import step
from desk.models import Import

ROWS = 10_000
REQUEST = "Longest request"
# What the worker does, by what the import is doing meanwhile.
WORK = {
    Import.State.PLANNING: "Read and compared",
    Import.State.APPLYING: "Applied, with invitations",
    Import.State.UNDOING: "Undone",
}


@dataclass
class Importing:
    seconds: dict[str, Figure] = field(default_factory=dict)
    queries: dict[str, int] = field(default_factory=dict)  # of the longest step

    def limits(self) -> list[Limit]:
        most = max(self.queries.values())
        return [
            at_most(
                f"Longest request of an import of {ROWS:,} people, in seconds",
                self.seconds[REQUEST],
                2,
            ),
            no_more_than("Queries of a step of an import: 250 people", most, 40),
        ]

    def measure(self, reader: int) -> None:
        """Import new people into company 1, and undo it again."""
        visit = Visit(reader)
        visit.upload(a_list())
        self.work(visit)
        visit.press("apply")
        self.work(visit)
        visit.press("undo")
        self.work(visit)
        self.seconds.setdefault(REQUEST, Figure([])).rounds.append(max(visit.took))

    def work(self, visit: "Visit") -> None:
        """Do each step as the worker does, and read the page before and afterwards."""
        visit.read()
        what, took = "", 0.0
        while source := Import.objects.claim():
            what = WORK[Import.State(source.state)]
            seconds, _, queries = timed(partial(step, source))
            took += seconds
            self.queries[what] = max(queries, self.queries.get(what, 0))
        self.seconds.setdefault(what, Figure([])).rounds.append(took)
        visit.read()


class Visit:
    """Somebody's way from the upload to the end, with the seconds of each request."""

    def __init__(self, reader: int) -> None:
        self.client = Client()
        user = User.objects.get(pk=reader)
        self.client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
        self.form = {"desk": Company.objects.get(pk=1).slug}
        self.took: list[float] = []
        self.page = ""

    def upload(self, content: bytes) -> None:
        file = SimpleUploadedFile("people.csv", content)
        data: dict[str, object] = {
            "file": file,
            "date_order": "",
            "has_invitations": "on",
        }
        self.send(reverse("admin:desk_import_add"), data)
        newest = Import.objects.latest("pk")
        self.page = reverse("admin:desk_import_change", args=[newest.pk])

    def press(self, verb: str) -> None:
        self.send(self.page, {"verb": verb})

    def send(self, path: str, data: dict[str, object]) -> None:
        seconds, _, _ = timed(partial(self.post, path, self.form | data))
        self.took.append(seconds)

    def post(self, path: str, data: dict[str, object]) -> None:
        answer = self.client.post(path, data)
        if answer.status_code != 302:
            raise RuntimeError(f"{path} answered {answer.status_code}.")

    def read(self) -> None:
        seconds, _, _ = timed(partial(self.client.get, self.page))
        self.took.append(seconds)


def a_list() -> bytes:
    """So many people of 40 firms, on a project each, as a CSV file."""
    mark = uuid4()
    lines = [
        f"Anna,Weber {number},p{number}@{mark}.example,Firm {number % 40},P-1,"
        "Subcontractor – External"
        for number in range(ROWS)
    ]
    header = "First name,Last name,E-mail,Firm,Project,Role"
    return "\n".join([header, *lines]).encode()
