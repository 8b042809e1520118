"""Fixtures for all tests."""

from tests.committing import admin, committing_db, django_db_setup, live_site

__all__ = ["admin", "committing_db", "django_db_setup", "live_site"]
