"""Who grants points is named at every call: without an actor the ledger takes it for the system, which is not limited."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import modules, name_of, nothing, place, tree

GRANTING = {"posting.accrue", "posting.adjust", "posting.forgive", "posting.reverse", "purchases.record"}
# Files that are loaded from the server's shell, and what does not say yet who acts; whatever does keeps no excuse.
SHELL = {"campaigns/importing.py", "config/management/commands/import_complete_journey.py"}
EXCUSED = SHELL


def unnamed(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and name_of(node) in GRANTING and "actor" not in {one.arg for one in node.keywords}:
            yield f"{place(path, node.lineno)} {name_of(node)}: say who acts, or nobody is limited"


def test_whoever_grants_is_named() -> None:
    found = {place(path): list(unnamed(path)) for path in modules()}
    nothing(complaint for where, complaints in found.items() if where not in EXCUSED for complaint in complaints)
    assert {where for where, complaints in found.items() if complaints} == EXCUSED, "whoever names the actor keeps no excuse"


def test_a_grant_by_nobody_is_noticed(tmp_path: Path) -> None:
    module = tmp_path / "verb.py"
    module.write_text("posting.accrue(acts, now=now)\nposting.adjust(acts, now=now, actor=None)\n")
    assert len(list(unnamed(module))) == 1
