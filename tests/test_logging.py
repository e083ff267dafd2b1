"""What is written to the log opens nothing, and each event is one line (T2, T16)."""

import logging

import pytest

from procore_site.logging import MaskTokens
from tests.steps import link_of


def written(message, *args):
    record = logging.LogRecord("x", logging.WARNING, "x", 1, message, args, None)
    MaskTokens().filter(record)
    return record.getMessage()


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("GET /invitations/WyJhIiwxXQ:1abc:xyz/ 302", "GET /invitations/…/ 302"),
        ("/invitations/WyJhIiwxXQ:1abc:xyz/?decline", "/invitations/…/?decline"),
        ("/invitations/WyJhIiwxXQ:1abc:xyz", "/invitations/…"),
        ("/invitations/join/?i=abc", "/invitations/join/?i=abc"),
        ("/invitations/waiting/", "/invitations/waiting/"),
        ("/accounts/confirm-email/MQ:1abc:xyz/", "/accounts/confirm-email/…/"),
        (
            "/accounts/password/reset/key/1-abc-def/ x",
            "/accounts/password/reset/key/…/ x",
        ),
        ("/accounts/newsletter/MQ:1abc/ x", "/accounts/newsletter/…/ x"),
        ("/accounts/newsletter/ x", "/accounts/newsletter/ x"),
        ("/accounts/password/reset/key/done/", "/accounts/password/reset/key/done/"),
        (
            "http://testserver/invitations/a:b:c/ /invitations/d:e:f/",
            "http://testserver/invitations/…/ /invitations/…/",
        ),
    ],
)
def test_tokens_are_masked(message, line):
    """T2."""
    assert written("%s", message) == line


@pytest.mark.parametrize("control", ["\r\n", "\n", "\x1b[2J", "\x85", "\u2028", "\0"])
def test_an_event_is_one_line(control):
    """T16: nobody forges a second one, nor moves the cursor of a terminal."""
    line = written("refused: %s", f"x{control}2026-01-01 INFO all is well")
    assert line.isprintable()
    assert "\\" in line


def test_a_refused_link_is_logged_without_its_token(client, ivo, settings, caplog):
    """T2: through the handler that the settings name."""
    link = link_of(ivo).rstrip("/") + "x/"
    handler = logging.StreamHandler()
    handler.addFilter(MaskTokens())
    lines = []
    handler.emit = lambda record: lines.append(handler.format(record))
    logging.getLogger("django.request").addHandler(handler)
    try:
        assert client.get(link).status_code == 404
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert lines == ["Not Found: /invitations/…/"]
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["no_tokens"]
