"""What the house does not do, because it cost others dearly."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

from tests.architecture.source import BASE, ROOMS, files, functions, modules, name_of, nothing, place, tree

LEDGER = {"JournalEntry", "Posting", "Wallet", "Lot", "LotUse"}
WRITES = {"create", "bulk_create", "update", "bulk_update", "delete", "get_or_create", "update_or_create", "insert"}
LEDGER_SQL = re.compile(r"\b(insert\s+into|update|delete\s+from|truncate(?:\s+table)?)\s+(?:only\s+)?\"?loyalty_", re.IGNORECASE)
EMPTY_NAMES = {"utils", "helpers", "services", "signals", "common", "misc"}
# Doors know what time it is and tell the verbs.
CLOCKS = {"timezone.now", "datetime.now", "datetime.utcnow", "date.today", "timezone.localdate"}
DOORS = {"api", "admin", "views", "tasks", "access", "accounts", "importing"}
PRINTS = {"config/onebox/console.py": "the console of `up`", "config/journey/reconcile.py": "a program of its own"}
READS_THE_CLOCK = {
    "members/messaging.py": "the inbox speaks of the terms of this moment",
    "loyalty/sealing.py": "a checkpoint bears the moment of its own snapshot",
}

type Habit = Callable[[Path], Iterator[str]]


def imports_inside_functions(path: Path) -> Iterator[str]:
    for one in functions(tree(path)):
        for node in ast.walk(one):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"{place(path, node.lineno)} imports inside {one.name}: a circle hides here"


def signals(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for name in (module + one.name for one in node.names):
                if name.startswith("django.dispatch") or "signals" in name.split("."):
                    yield f"{place(path, node.lineno)} imports {name}: call it, or write an outbox event"


def tasks_before_commit(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in {"delay", "apply_async"}:
            yield f"{place(path, node.lineno)} .{node.attr}: use delay_on_commit, so that no task starts before its rows stand"


def prints(path: Path) -> Iterator[str]:
    if place(path) in PRINTS:
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and name_of(node) in {"print", "pprint", "breakpoint"}:
            yield f"{place(path, node.lineno)} prints: commands write to self.stdout, everything else to the log"


def clocks(path: Path) -> Iterator[str]:
    inside = path.relative_to(BASE)
    if inside.parts[0] == "config" or DOORS & {*inside.parts, inside.stem} or "management" in inside.parts:
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and name_of(node) in CLOCKS and str(inside) not in READS_THE_CLOCK:
            yield f"{place(path, node.lineno)} reads the clock: take `now`"


def sleeps(path: Path) -> Iterator[str]:
    loops = (node for node in ast.walk(tree(path)) if isinstance(node, ast.While | ast.For))
    waiting = {id(node) for loop in loops for node in ast.walk(loop)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and name_of(node) in {"time.sleep", "sleep"} and id(node) not in waiting:
            yield f"{place(path, node.lineno)} sleeps: look for the condition, in a loop"


def ledger_writes(path: Path) -> Iterator[str]:
    """Only loyalty/posting.py, with batches.py behind it, writes the ledger, by the functions of loyalty/sql."""
    inside = path.relative_to(BASE) if path.is_relative_to(BASE) else path
    if "migrations" in inside.parts or inside.parts[:2] == ("loyalty", "sql"):
        return
    text = path.read_text()
    if inside.parts[0] != "loyalty":
        for match in LEDGER_SQL.finditer(text):
            yield f"{place(path, text.count('\n', 0, match.start()) + 1)} writes tables of the ledger by SQL"
    if path.suffix != ".py" or inside == Path("loyalty/posting.py"):
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and name_of(node).rpartition(".")[2] in WRITES and LEDGER & _names(node):
            yield f"{place(path, node.lineno)} writes the ledger past loyalty/posting.py"


def _names(call: ast.Call) -> set[str]:
    return {node.id for part in (call.func, *call.args) for node in ast.walk(part) if isinstance(node, ast.Name)}


ROOM_HABITS: list[Habit] = [imports_inside_functions, signals, tasks_before_commit, prints, clocks, ledger_writes]


@pytest.mark.parametrize("habit", ROOM_HABITS, ids=lambda habit: habit.__name__)
def test_the_rooms_do_not(habit: Habit) -> None:
    found = [*modules(), *files(*(f"{room}/**/*.sql" for room in ROOMS))]
    nothing(complaint for path in found if _applies(habit, path) for complaint in habit(path))


def _applies(habit: Habit, path: Path) -> bool:
    return path.suffix == ".py" or habit is ledger_writes


def test_tests_do_not_sleep_or_import_inside_functions() -> None:
    found = files("tests/**/*.py")
    nothing(complaint for path in found for habit in (sleeps, imports_inside_functions) for complaint in habit(path))


def test_modules_are_named_by_what_they_do() -> None:
    nothing(place(path) for path in modules(tests=True) if EMPTY_NAMES & {path.stem, *path.parts[len(BASE.parts) :]})


def overrides(found: list[type[models.Model]]) -> list[str]:
    """`save` and `delete` of our models' classes: bulk writes would skip what they do."""
    own = {base for model in found for base in model.__mro__ if base.__module__.partition(".")[0] in (*ROOMS, "tests")}
    return sorted(f"{base.__name__}.{name}" for base in own for name in ("save", "delete") if name in vars(base))


def test_no_model_overrides_save_or_delete() -> None:
    nothing(overrides(apps.get_models()))


@isolate_apps("loyalty")
def test_an_override_is_noticed() -> None:
    class Clever(models.Model):
        class Meta:
            app_label = "loyalty"

        def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
            return 0, {}

    assert overrides([Clever]) == ["Clever.delete"]


BAD = """
from django.db.models.signals import post_save

def verb():
    import json
    print(timezone.now())
    time.sleep(1)
    task.delay()
    Posting.objects.filter(entry=1).update(points=2)
    connection.cursor().execute("update loyalty_wallet set balance = 0")
"""


@pytest.mark.parametrize("habit", [*ROOM_HABITS, sleeps], ids=lambda habit: habit.__name__)
def test_a_bad_habit_is_noticed(habit: Habit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.architecture.test_habits.BASE", tmp_path)
    module = tmp_path / "members" / "verb.py"
    module.parent.mkdir()
    module.write_text(BAD)
    assert list(habit(module))
