"""A real SMTP server, which takes mail, refuses it, breaks off or is down, as told."""

import asyncio
import email
import email.policy
import socket
from collections import Counter
from collections.abc import Generator
from email.message import EmailMessage
from threading import Event
from typing import Any

import pytest
from aiosmtpd.controller import Controller


class MailServer:
    """Keeps what it received in `letters`; answers by recipient as it is told."""

    def __init__(self) -> None:
        self.port = free_port()
        self.letters: list[EmailMessage] = []
        self.at_rcpt: dict[str, str] = {}
        self.at_data: dict[str, str] = {}
        # Recipients after whose mail, taken by now, the connection is cut.
        self.cut: set[str] = set()
        # The mail with this number is taken and not answered until `go_on` is set.
        self.stop_at = 0
        self.has_stopped = Event()
        self.go_on = Event()
        self.connections = 0
        self.controller: Controller | None = None

    def start(self) -> None:
        self.controller = Controller(self, "127.0.0.1", self.port)
        self.controller.start()

    def stop(self) -> None:
        self.go_on.set()
        if self.controller:
            self.controller.stop()
            self.controller = None

    @property
    def received(self) -> Counter[str]:
        """How often each recipient got a mail."""
        return Counter(str(letter["To"]) for letter in self.letters)

    # What aiosmtpd calls

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if not hasattr(session, "is_counted"):
            session.is_counted = True
            self.connections += 1
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address not in self.at_rcpt:
            envelope.rcpt_tos.append(address)
        return self.at_rcpt.get(address, "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        [recipient] = envelope.rcpt_tos
        if recipient in self.at_data:
            return self.at_data[recipient]
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        if len(self.letters) == self.stop_at:
            self.has_stopped.set()
            await asyncio.to_thread(self.go_on.wait)
        if recipient in self.cut:
            self.cut.discard(recipient)
            server.transport.abort()
        return "250 OK"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def mail_server(settings: Any) -> Generator[MailServer]:
    """Start it, and send the mails of this test to it."""
    server = MailServer()
    server.start()
    options = {"host": "127.0.0.1", "port": server.port, "timeout": 10}
    backend = "django.core.mail.backends.smtp.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
    yield server
    server.stop()
