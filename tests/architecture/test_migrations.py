"""Migrations are reviewed code: nothing is missing, and each can be undone or says why not."""

import inspect
from collections.abc import Iterable

from django.apps import apps
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils import translation

from tests.architecture.source import ROOMS, nothing

# In two parts, so that this module does not excuse its own example.
EXCUSE = "Not " + "reversible:"


def for_ever(migrations: Iterable[Migration]) -> list[str]:
    """Migrations that cannot be undone and whose module does not say why, in a comment or docstring."""
    return [
        f"{one.app_label}.{one.name}"
        for one in migrations
        if not all(operation.reversible for operation in one.operations)
        and EXCUSE not in inspect.getsource(inspect.getmodule(type(one)) or type(one))
    ]


def test_models_and_migrations_agree() -> None:
    loader = MigrationLoader(None)
    with translation.override(None):  # names are compared as they are written, not as they are read
        detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
        missing = detector.changes(graph=loader.graph)
    assert {label: [str(one.operations) for one in found] for label, found in missing.items()} == {}, "run makemigrations"
    assert not loader.detect_conflicts()


def test_each_migration_can_be_undone_or_says_why_not() -> None:
    own = [migration for (label, _), migration in MigrationLoader(None).disk_migrations.items() if label in ROOMS]
    assert own
    nothing(for_ever(own))


class Rash(Migration):
    operations = [RunSQL("drop table members_member"), RunPython(RunPython.noop)]


def test_a_rash_migration_is_noticed() -> None:
    assert for_ever([Rash("rash", "members")]) == ["members.rash"]
