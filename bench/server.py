"""A PostgreSQL server to measure on, and databases of the benchmark's own in it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql


@contextmanager
def server(url: str) -> Iterator[str]:
    """Yield the server that the environment names, or else a private one's address."""
    if url.startswith(("postgres:", "postgresql:")):
        yield url
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        start(folder)
        try:
            yield f"postgres://postgres@/{folder}/postgres"
        finally:
            postgresql("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")


def start(folder: str) -> None:
    """Start a server that is reached by a socket, with PostgreSQL's own defaults."""
    data, log = f"{folder}/data", f"{folder}/log"
    options = ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
    postgresql("initdb", "-D", data, "-U", "postgres", *options)
    socket = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
    postgresql("pg_ctl", "-D", data, "-l", log, "-o", socket, "-w", "start")


def postgresql(program: str, *options: str) -> None:
    """Run one of PostgreSQL's programs, which refuse to work for root."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    path = str(found[-1]) if found else shutil.which(program)
    if path is None:
        raise SystemExit(
            "No PostgreSQL was found: install one, or name a server in DATABASE_URL."
        )
    user = "postgres" if os.geteuid() == 0 else None
    subprocess.run(  # noqa: S603  PostgreSQL's own programs, from its own folder
        [path, *options], check=True, user=user, cwd="/", stdout=subprocess.DEVNULL
    )


# Databases --------------------------------------------------------------------


def address(name: str) -> dict[str, Any]:
    """What psycopg needs to reach a database of the server."""
    config = connection.settings_dict
    keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    given = {key: config[name] for key, name in keys.items() if config[name]}
    return {**given, "dbname": name}


def connect(name: str) -> psycopg.Connection[Any]:
    """A plain connection: no pool, no limit of time, each statement for itself."""
    return psycopg.connect(
        **address(name), autocommit=True, cursor_factory=psycopg.ClientCursor
    )


def make(name: str) -> None:
    drop(name)
    with connect("postgres") as plain:
        statement = "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0"
        plain.execute(sql.SQL(statement).format(sql.Identifier(name)))


def drop(name: str) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    with connect("postgres") as plain:
        statement = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
        plain.execute(sql.SQL(statement).format(sql.Identifier(name)))


def use(name: str) -> None:
    """Let Django work on this database from here on."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    connection.settings_dict["NAME"] = name
