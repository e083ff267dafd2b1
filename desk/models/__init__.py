"""An import of people, and its rows."""

from desk.models.imports import ATTEMPTS, LEASE, Import
from desk.models.rows import ImportRow

__all__ = ["ATTEMPTS", "LEASE", "Import", "ImportRow"]
