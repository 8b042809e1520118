"""The shape of an act as the API takes it."""

from math import isfinite
from typing import Annotated, Any

from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import AfterValidator, Field, StringConstraints

from campaigns import eventkinds
from campaigns.events import API, Happened
from campaigns.schemas import NUMBER_LENGTH, AwardOut, Moment
from members.schemas import Strict, no_nul

SUBJECT_LENGTH, WORDS_LENGTH, FIELDS_MAX, WHOLE_MAX = 120, 500, 20, 2**53


def _type(text: str) -> str:
    if not eventkinds.is_known(text):
        raise ValueError(_("Choose one of: %(codes)s.") % {"codes": ", ".join((*eventkinds.CLAIMED, "custom:<name>"))})
    if text in eventkinds.OF_THE_HOUSE:
        raise ValueError(_("The programme records this event itself."))
    return text


def _with_subject(data: dict[str, Any]) -> dict[str, Any]:
    subject = data.get("subject", "")
    if not isinstance(subject, str) or len(subject) > SUBJECT_LENGTH:
        raise ValueError(_("Write the subject as a text of at most %(most)s characters.") % {"most": SUBJECT_LENGTH})
    return data


def _plain(value: Any) -> Any:
    """A value that JSON and the database keep as it is."""
    try:
        match value:
            case None | bool():
                return value
            case str() if len(value) <= WORDS_LENGTH:
                value.encode()  # half a character has no bytes
                return no_nul(value)
            case int() | float() if isfinite(value):
                return value if abs(value) <= WHOLE_MAX else float(value)
    except (UnicodeEncodeError, OverflowError):
        pass
    raise ValueError(_("Give a text of at most %(most)s characters, a number, true, false or null.") % {"most": WORDS_LENGTH})


def _text(length: int) -> Any:
    limits = StringConstraints(strip_whitespace=True, min_length=1, max_length=length)
    return Annotated[str, limits, AfterValidator(no_nul)]


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), AfterValidator(no_nul)]
Data = Annotated[
    dict[Name, Annotated[Any, AfterValidator(_plain)]],
    Field(max_length=FIELDS_MAX),
    AfterValidator(_with_subject),
]


class EventIn(Strict):
    """`id` names the act among all that any key tells; `data` is kept beside it."""

    id: _text(NUMBER_LENGTH)  # type: ignore[valid-type]
    type: Annotated[str, StringConstraints(max_length=48), AfterValidator(_type)]
    member: _text(80)  # type: ignore[valid-type]
    occurred_at: Moment
    store: _text(40) | None = None  # type: ignore[valid-type]
    data: Data = {}

    def happened(self) -> Happened:
        return Happened(
            source=API, number=self.id, type=self.type, member=self.member, occurred_at=self.occurred_at, store=self.store,
            data=self.data,
        )  # fmt: skip


class EventOut(Schema):
    id: str
    points_earned: int
    awards: list[AwardOut]
    explanation: list[str]
    balance: int
