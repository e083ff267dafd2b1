"""The doors of a developer and an operator, ./dev and manage.py: what they refuse."""

import os
import subprocess
import sys

import pytest
from django.conf import settings


def ended(*command, **environ):
    return subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("setup --help", "./dev setup takes no arguments, but was given: --help"),
        ("demo x y", "./dev demo takes no arguments, but was given: x y"),
        ("serve", "There is no ./dev serve."),
    ],
)
def test_what_was_misused_is_named(command, sentence):
    process = ended("./dev", *command.split())
    assert process.returncode == 2
    assert process.stderr.splitlines()[0] == sentence
    assert "Usage: ./dev setup" in process.stderr


@pytest.mark.parametrize("port", ["abc", "0", "99999", "8000x", "-1"])
def test_what_is_no_port_is_called_so(port):
    """Nobody looks for another program that listens there."""
    process = ended("./dev", "demo", PORT=port)
    assert process.returncode == 1
    sentence = f"PORT={port} is no port: give a number from 1 to 65535.\n"
    assert process.stderr == sentence


@pytest.mark.parametrize("command", ["check_invariants", "demo", "work --batch"])
def test_a_database_without_its_tables_leads_to_migrate(tmp_path, command):
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    arguments = [sys.executable, "manage.py", *command.split()]
    process = ended(*arguments, DATABASE_URL=url)
    assert process.returncode == 1
    assert process.stderr.endswith(
        "The database is behind the code: run the command ‘migrate’ first.\n"
    )
    assert "Traceback" not in process.stderr
