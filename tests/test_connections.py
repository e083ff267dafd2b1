"""Connections to PostgreSQL are kept in a pool, not opened for each request."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection


def ask() -> None:
    """Ask as a request does: in a thread's own connection, closed at its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.close()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_serves_the_next_request_too():
    ask()
    opened = connection.pool.get_stats()["connections_num"]
    for _ in range(5):  # each time another thread
        with ThreadPoolExecutor(1) as thread:
            thread.submit(ask).result()
    assert connection.pool.get_stats()["connections_num"] == opened
