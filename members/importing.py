"""Members from a CSV file, by the same door as everybody."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils import timezone

from loyalty.csvfiles import Layout, Record, text_only
from loyalty.problems import Problem
from members.enrolling import Bearers, Enrolled, enrol, judge
from members.schemas import MemberIn

LAYOUT = Layout(
    required=("external_id",),
    optional=("email", "phone", "given_name", "family_name", "birthday", "language", "home_store", "verified", "offers"),
)
TRUE, FALSE = {"1", "true", "yes"}, {"", "0", "false", "no"}


def parse(record: Record) -> MemberIn:
    """Empty fields are left out; `verified` and `offers` say yes or no."""
    [row] = record.rows
    text_only(row)
    given: dict[str, Any] = {name: value for name, value in row.items() if value.strip()}
    for name in ("verified", "offers"):
        if name in given:
            given[name] = _yes(name, given[name])
    if given.pop("offers", False):
        given["consents"] = [{"channel": "email", "purpose": "marketing"}]
    return MemberIn.model_validate(given)


def judging() -> Callable[[Sequence[MemberIn]], list[bool | Problem]]:
    """Judges the batches of one file, keeping the identities that it met: about half a kilobyte a member."""
    met: Bearers = {}

    def judged(applications: Sequence[MemberIn]) -> list[bool | Problem]:
        answers = judge(applications, met=met, now=timezone.now(), again=True)
        return [answer if isinstance(answer, Problem) else not isinstance(answer, Enrolled) for answer in answers]

    return judged


def write(applications: Sequence[MemberIn]) -> list[bool | Problem]:
    answers = enrol(applications, now=timezone.now(), again=True)
    return [answer if isinstance(answer, Problem) else not answer.known for answer in answers]


def _yes(name: str, text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise Problem("validation", f"{name}: write yes or no.")
    return word in TRUE
