"""What went wrong, in the caller's words: the API's problem answer, and the same text on pages and in error files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field: `pointer` is its place in the body (RFC 6901), `detail` says what to do."""

    pointer: str
    detail: str


@dataclass(slots=True)
class Problem(Exception):
    """`slug` is one of API.md's stable types. 409: a state forbids the act; 422: the body is wrong in itself."""

    slug: str
    detail: str
    status: int = 422
    faults: list[Fault] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)
    retry_after: int | None = None

    def __str__(self) -> str:
        return self.detail

    @property
    def title(self) -> str:
        return self.slug.replace("-", " ").capitalize()


def problem_of(error: ValidationError) -> Problem:
    """Each wrong field with its reason."""
    return invalid(error.errors())


def invalid(errors: Iterable[Mapping[str, Any]], *, below: int = 0) -> Problem:
    """The problem that tells pydantic's `errors`; the first `below` steps to a field are not part of the body."""
    faults = [Fault(pointer(one["loc"][below:]), one["msg"].removeprefix("Value error, ")) for one in errors]
    return Problem("validation", "Some fields need another value.", faults=faults)


def pointer(steps: Iterable[object]) -> str:
    """The JSON pointer (RFC 6901) that leads by these steps to a value."""
    return "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in steps)
