"""Connections to PostgreSQL are kept in a pool, not opened for each request."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection


def server_process() -> int:
    """Ask as a request does: in a thread's own connection, closed at its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [process] = cursor.fetchone()
    connection.close()
    return int(process)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_serves_the_next_request_too():
    processes = set()
    for _ in range(5):  # each time another thread
        with ThreadPoolExecutor(1) as thread:
            processes.add(thread.submit(server_process).result())
    assert len(processes) == 1
