"""What went wrong, in the caller's words: the API's problem answer, and the same text on pages and in error files."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from psycopg import errors
from pydantic import ValidationError

# Steps of pydantic's locations that name a validator or the key of an object.
INSIDE = re.compile(r"\[key\]|constrained-[a-z]+|[a-z-]+\[.*\]", re.DOTALL)
OBJECTS = {"dict_type", "model_type", "model_attributes_type", "dataclass_type"}


# What PostgreSQL says to whom others kept waiting: for one lock, or in sum.
BUSY = (errors.LockNotAvailable, errors.QueryCanceled)


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


def is_busy(error: BaseException | None) -> bool:
    """Whether the database let it wait too long; nothing of its transaction stands, and it can be done again."""
    return error is not None and isinstance(error.__cause__, BUSY)


def problem_of(error: ValidationError) -> Problem:
    """Each wrong field with its reason."""
    return invalid(error.errors())


def invalid(errors: Iterable[Mapping[str, Any]], *, below: int = 0) -> Problem:
    """The problem that tells pydantic's `errors`; the first `below` steps to a field are not part of the body."""
    faults = [Fault(pointer(_steps(one["loc"][below:])), _words(one)) for one in errors]
    return Problem("validation", "Some fields need another value.", faults=list(dict.fromkeys(faults)))


def pointer(steps: Iterable[object]) -> str:
    """The JSON pointer (RFC 6901) that leads by these steps to a value."""
    return "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _steps(steps: Iterable[object]) -> Iterable[object]:
    """Without what is no step in the body but the name of a validator."""
    return (step for step in steps if not INSIDE.fullmatch(str(step)))


def _words(error: Mapping[str, Any]) -> str:
    """What to do, without the names of our classes."""
    bounds = {
        "less_than_equal": ("le", _("Give at most %(limit)s.")), "less_than": ("lt", _("Give less than %(limit)s.")),
        "greater_than_equal": ("ge", _("Give at least %(limit)s.")), "greater_than": ("gt", _("Give more than %(limit)s.")),
    }  # fmt: skip
    if error["type"] in bounds:
        name, text = bounds[error["type"]]
        return text % {"limit": error["ctx"][name]}
    if error["type"] in OBJECTS:
        return _("Give an object.")
    if error["type"] == "list_type":
        return _("Give a list.")
    return str(error["msg"]).removeprefix("Value error, ")
