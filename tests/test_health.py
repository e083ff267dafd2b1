"""Health checks answer whoever asks: a load balancer, a probe on the machine itself."""

import pytest
from django.db import DatabaseError, connection


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_needs_neither_the_host_nor_tls(client, settings, path):
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(path, headers={"host": "10.0.0.7"})
    assert answer.status_code == 200
    assert client.get("/", headers={"host": "10.0.0.7"}).status_code == 400


@pytest.mark.django_db
def test_a_database_that_is_away_is_not_ready(client):
    """It is named, and the process is well all the same."""

    def is_away(*_):
        raise DatabaseError

    with connection.execute_wrapper(is_away):
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.content == b"not ready: DatabaseError\n"
        assert client.get("/healthz").status_code == 200
