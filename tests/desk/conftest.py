import pytest

from desk import tasks


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """Nobody waits to write while a test works on an import."""
    monkeypatch.setattr(tasks, "PAUSE", 0)
