"""What went wrong, in the caller's words: the API's problem answer, and the same text on pages and in error files."""

from dataclasses import dataclass, field


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
