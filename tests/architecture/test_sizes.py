"""Files, functions and pages that a person can hold in the head."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.doors import endpoints, views
from tests.architecture.source import ROOMS, files, functions, modules, name_of, nothing, place, tree

FILE, FUNCTION, DOOR, TASK, TEMPLATE, SETTINGS, STATIC = 400, 70, 15, 5, 60, 450, 150
# A page that replaces one of the admin's own may be as long as that one asks, and says so on top:
STATED_LIMIT = re.compile(r"\A\{# at most (\d+) lines: .+ #\}")


def too_long(path: Path, limit: int) -> list[str]:
    text = path.read_text()
    if path.parts[-2] in ("admin", "unfold") and (stated := STATED_LIMIT.match(text)):
        limit = int(stated[1])
    lines = text.count("\n")
    return [f"{place(path)} has {lines} lines, {limit} are allowed"] if lines > limit else []


def long_functions(path: Path) -> Iterator[str]:
    for one in functions(tree(path)):
        length = (one.end_lineno or 0) - one.lineno + 1
        if length > FUNCTION:
            yield f"{place(path, one.lineno)} {one.name} has {length} lines, {FUNCTION} are allowed"


def body_lines(one: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines with code, signature and docstring apart."""
    body = one.body[1:] if ast.get_docstring(one) else one.body
    nodes = [node for statement in body for node in ast.walk(statement) if isinstance(node, ast.stmt | ast.expr)]
    return len({node.lineno for node in nodes} | {node.end_lineno for node in nodes})


def long_tasks(path: Path) -> Iterator[str]:
    for one in functions(tree(path)):
        decorators = {name_of(each).rpartition(".")[2] for each in one.decorator_list}
        if decorators & {"shared_task", "task"} and body_lines(one) > TASK:
            yield f"{place(path, one.lineno)} task {one.name} has {body_lines(one)} lines, {TASK} are allowed: call a verb"


def long_doors(path: Path, lines: set[int]) -> Iterator[str]:
    """Functions and methods of `path` that begin, decorators included, on one of `lines`."""
    for one in functions(tree(path)):
        first = min([one.lineno, *(each.lineno for each in one.decorator_list)])
        if first in lines and body_lines(one) > DOOR:
            yield f"{place(path, one.lineno)} {one.name} has {body_lines(one)} lines of body, {DOOR} are allowed: call a verb"


@pytest.mark.parametrize(
    ("limit", "patterns"),
    [
        (TEMPLATE, ["templates/**/*.html", "templates/**/*.txt"]),
        (SETTINGS, ["config/settings.py"]),
        (STATIC, ["static/css/*.css", "static/js/*.js"]),
        (FILE, [*(f"{room}/**/*.sql" for room in ROOMS), ".ci/*", "manage.py"]),
    ],
)
def test_files_are_short(limit: int, patterns: list[str]) -> None:
    found = files(*patterns)
    assert found
    nothing(complaint for path in found for complaint in too_long(path, limit))


def test_modules_and_functions_are_short() -> None:
    settings = files("config/settings.py")
    found = modules(tests=True)
    nothing(complaint for path in found if path not in settings for complaint in too_long(path, FILE))
    nothing(complaint for path in found for complaint in long_functions(path))


def test_tasks_only_call_verbs() -> None:
    nothing(complaint for path in modules() for complaint in long_tasks(path))


def test_views_and_endpoints_only_call_verbs() -> None:
    begins: dict[Path, set[int]] = {}
    for code in (*views(), *endpoints()):
        begins.setdefault(Path(code.co_filename), set()).add(code.co_firstlineno)
    assert len(begins) > 3
    nothing(complaint for path, lines in begins.items() for complaint in long_doors(path, lines))


def test_what_is_too_long_is_noticed(tmp_path: Path) -> None:
    body = "\n".join(f"    a{i} = {i}" for i in range(FUNCTION))
    module = tmp_path / "admin" / "long.py"
    module.parent.mkdir()
    module.write_text(f"@shared_task\ndef long():\n    '''Says what.'''\n\n{body}\n")
    assert too_long(module, 50)
    assert list(long_functions(module))
    assert list(long_tasks(module))
    assert list(long_doors(module, {1}))
    module.write_text("{# at most 90 lines: so is the page it stands for #}\n" + "line\n" * 70)
    assert not too_long(module, TEMPLATE)
