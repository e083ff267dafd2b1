"""Django's commands that make a log-in or set its password, held to our rules."""

from getpass import getpass
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import User
from audit.models import AuditEvent
from tests.cast import PASSWORD
from tests.steps import CHOSEN

ROOT = "root@operator.example"
Kind = AuditEvent.Kind


def run(command, *arguments, **options):
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


@pytest.fixture
def typed(monkeypatch):
    """What is typed at each hidden prompt, in this order."""
    words = []
    monkeypatch.setattr(f"{getpass.__module__}.getpass", lambda *_, **__: words.pop(0))
    return words


@pytest.fixture
def make_root(db, monkeypatch):
    def make(password):
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
        return run("createsuperuser", email=ROOT, interactive=False)

    return make


def test_an_operator_is_made_and_written_down(olga, make_root):
    """T56: without an actor, since a command has none."""
    assert "created" in make_root(PASSWORD)
    event = AuditEvent.objects.get(kind=Kind.ACCOUNT_CREATED)
    assert event.about_label == ROOT
    assert event.actor is None
    assert event.facts == {"operator": "yes"}


def test_an_operators_password_meets_the_rules_too(make_root):
    """S9: `--noinput` asks no validator by itself."""
    with pytest.raises(CommandError, match="at least 8 characters"):
        make_root("abc")
    assert not User.objects.exists()
    assert not AuditEvent.objects.exists()


def test_nor_can_the_rules_be_passed_by_in_the_dialogue(db, monkeypatch, typed):
    """S9: Django offers to go on all the same."""
    typed += ["abc", "abc"]
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(CommandError, match="at least 8 characters"):
        run("createsuperuser", email=ROOT)
    assert not User.objects.exists()


def test_a_changed_password_is_written_down(olga, typed):
    """T56, S9."""
    typed += ["abc", "abc", CHOSEN, CHOSEN]
    said = run("changepassword", " Olga@Operator.example")
    assert "At least 8 characters" in said or "at least 8 characters" in said
    olga.refresh_from_db()
    assert olga.check_password(CHOSEN)
    event = AuditEvent.objects.get(kind=Kind.PASSWORD_CHANGED)
    assert (event.about_id, event.actor) == (olga.pk, None)


@pytest.mark.parametrize(
    ("username", "sentence"),
    [("bad", "Enter an e-mail address"), ("nobody@acme.example", "does not exist")],
)
def test_whose_password_can_not_be_changed_is_said(olga, username, sentence):
    with pytest.raises(CommandError, match=sentence):
        run("changepassword", username)
    assert not AuditEvent.objects.filter(kind=Kind.PASSWORD_CHANGED).exists()
