"""Every way in: URL patterns, operations of the API, classes of the admin."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import Operation

from config.api import api
from tests.architecture.source import BASE


@dataclass(frozen=True, slots=True)
class Door:
    """A URL pattern: its whole route, its name with namespaces, what answers."""

    route: str
    name: str
    callback: Callable[..., Any]


def doors(resolver: URLResolver | None = None, route: str = "", space: str = "") -> Iterator[Door]:
    """Every pattern below `resolver`, the project's own by default."""
    for one in (resolver or get_resolver()).url_patterns:
        here = route + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from doors(one, here, f"{space}{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern):
            yield Door(here, f"{space}{one.name or ''}", one.callback)


def operations() -> Iterator[tuple[str, Operation]]:
    """Every operation of the API, with its address."""
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                yield f"{'/'.join(operation.methods)} {prefix}{path}", operation


def endpoints() -> Iterator[CodeType]:
    """The functions behind the API."""
    return (inspect.unwrap(operation.view_func).__code__ for _, operation in operations())


def views() -> Iterator[CodeType]:
    """The project's own functions, and methods of its own classes, behind the pages."""
    for door in doors():
        view_class = getattr(door.callback, "view_class", None)
        found = vars(view_class).values() if view_class else [inspect.unwrap(door.callback)]
        for one in found:
            code = getattr(inspect.unwrap(one), "__code__", None) if callable(one) else None
            if code and code.co_filename.startswith(str(BASE)) and "/.venv/" not in code.co_filename:
                yield code
