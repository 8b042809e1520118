"""What a reward is called, in the reader's language where the shop has written it, else as it was written first."""

from typing import Literal

from django.utils.translation import get_language

from catalog.models import Category, Reward, RewardPrice

type Field = Literal["title", "description", "picture_text", "name"]


def said(one: Reward | RewardPrice | Category, field: Field) -> str:
    """`translations` holds `{language: {field: text}}`."""
    written = one.translations.get(get_language() or "", {})
    return str(written.get(field) or getattr(one, field))
