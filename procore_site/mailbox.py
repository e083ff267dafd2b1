"""The mails that a development site has written, to be read in the browser.

It exists only where DEBUG is on and mail goes to files (Django's file backend), which
is what `./dev demo` does; elsewhere its addresses are not there.
"""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.csp import CSP
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override

SEPARATOR = b"-" * 79 + b"\n"  # what Django's file backend writes between mails
DATE = re.compile(rb"^Date: ", re.MULTILINE)
PER_PAGE = 50


def is_shown() -> bool:
    backend = settings.MAILERS["default"]["BACKEND"]
    return bool(settings.DEBUG and backend.endswith("filebased.EmailBackend"))


@dataclass(frozen=True)
class Letter:
    """One mail of a file; it is parsed when it is looked at."""

    name: str
    data: bytes

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.data, policy=email.policy.default)

    @property
    def sent_at(self) -> datetime:
        sent_at: datetime = self.message["Date"].datetime
        return timezone.localtime(sent_at)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def sender(self) -> str:
        return str(self.message["From"])

    @property
    def to(self) -> str:
        return str(self.message["To"])

    def is_about(self, q: str) -> bool:
        return q.lower() in f"{self.to} {self.subject}".lower()

    def part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else ""

    @property
    def text(self) -> str:
        return self.part("plain")

    @property
    def html_url(self) -> str:
        return reverse("mailbox-html", args=[self.name]) if self.part("html") else ""


def letters() -> list[Letter]:
    """All mails, the newest first: a file holds those of one connection, in order."""
    folder = Path(settings.MAILERS["default"]["OPTIONS"]["file_path"])
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime)
    return [letter for file in files for letter in read(file)][::-1]


def read(file: Path) -> list[Letter]:
    return [
        Letter(f"{file.stem}-{index}", data)
        for index, data in enumerate(file.read_bytes().split(SEPARATOR))
        if DATE.search(data)  # or it is the end of a file, or a mail being written
    ]


def find(name: str) -> Letter:
    for letter in letters():
        if letter.name == name:
            return letter
    raise Http404


def list_letters(request: HttpRequest) -> HttpResponse:
    q = request.GET.get("q", "").strip()
    found = [letter for letter in letters() if not q or letter.is_about(q)]
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "mailbox/list.html", {"page": page, "q": q})


def show_letter(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "mailbox/letter.html", {"letter": find(name)})


# A mail brings its styles along, as mails must; it runs no script and loads nothing.
@xframe_options_sameorigin
@csp_override(
    {
        "default-src": [CSP.NONE],
        "style-src": [CSP.UNSAFE_INLINE],
        "frame-ancestors": [CSP.SELF],
    }
)
def show_html(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(find(name).part("html"))


urlpatterns = [
    path("", list_letters, name="mailbox"),
    path("<str:name>/", show_letter, name="mailbox-message"),
    path("<str:name>/html/", show_html, name="mailbox-html"),
]
