"""The product's own files, read and parsed once."""

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent.parent
# From the top floor to the ground.
ROOMS = ("config", "campaigns", "catalog", "members", "loyalty")


def files(*patterns: str) -> list[Path]:
    """Files that match, in a stable order."""
    found = (path for pattern in patterns for path in BASE.glob(pattern))
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def modules(*, tests: bool = False, migrations: bool = False) -> list[Path]:
    """Python files of the rooms."""
    found = files(*(f"{room}/**/*.py" for room in ROOMS), *(["tests/**/*.py"] if tests else []))
    return [path for path in found if migrations or "migrations" not in path.parts]


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def functions(module: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def name_of(node: ast.expr) -> str:
    """The dotted name of a decorator, call or attribute: `a.b` of `a.b(c)`; empty for anything else."""
    match node:
        case ast.Call():
            return name_of(node.func)
        case ast.Attribute():
            return f"{name_of(node.value)}.{node.attr}".lstrip(".")
        case ast.Name():
            return node.id
    return ""


def nothing(complaints: Iterable[str]) -> None:
    """Fail with all of them, one a line."""
    found = list(complaints)
    assert not found, "\n" + "\n".join(found)


def place(path: Path, line: int = 0) -> str:
    """How a complaint names a file: relative to the repository, with its line."""
    shown = path.relative_to(BASE) if path.is_relative_to(BASE) else path
    return f"{shown}:{line}" if line else str(shown)
