"""Fixtures for all tests."""

from collections.abc import Iterator

import pytest
from django.utils import translation

from tests.committing import admin, committing_db, django_db_setup, live_site

__all__ = ["admin", "committing_db", "django_db_setup", "live_site"]


@pytest.fixture(autouse=True)
def speak_english() -> Iterator[None]:
    """A test leaves no language behind for the next."""
    with translation.override("en"):
        yield
