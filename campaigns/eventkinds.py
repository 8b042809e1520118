"""What acts there are beside purchases, and how often each counts (SEMANTICS 1.9). Pure."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

TYPES = (
    "sign_up", "profile_completed", "check_in", "birthday", "review", "share", "referral_qualified", "survey_completed",
    "app_installed",
)  # fmt: skip
CUSTOM = re.compile(r"custom:[a-z0-9][a-z0-9_.-]{0,39}")
# What only the house can know: a key may not claim it.
OF_THE_HOUSE = frozenset({"sign_up", "birthday", "referral_qualified"})
CLAIMED = tuple(one for one in TYPES if one not in OF_THE_HOUSE)
# Once ever in a member's life, or once for each subject that `data.subject` names.
ONCE_A_SUBJECT = frozenset({"profile_completed", "review", "share", "survey_completed", "app_installed"})


def is_known(type_: str) -> bool:
    return type_ in TYPES or bool(CUSTOM.fullmatch(type_))


def once(type_: str, day: date, data: Mapping[str, Any]) -> str:
    """What an act counts once as, for one member; empty where each counts by itself."""
    match type_:
        case "check_in":
            return f"{type_}:{day}"
        case "birthday":
            return f"{type_}:{day.year}"
        case "sign_up":
            return type_
    return f"{type_}:{data.get('subject', '')}" if type_ in ONCE_A_SUBJECT else ""
