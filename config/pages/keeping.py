"""Rewards through the API: put and read whole, by whoever keeps the catalogue."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status

from catalog import keeping, showing
from catalog.models import Reward
from catalog.schemas import RewardIn
from config.pages.contracts import CONFIGURE, of_programme
from loyalty import terms
from loyalty.endpoints import write

router = Router(tags=["Configuration"])


@router.get("/rewards/{code}", auth=CONFIGURE)
def read(request: HttpRequest, code: str) -> Any:
    """A reward as it stands, with what is left of it."""
    return _item(keeping.find(code))


@router.put("/rewards/{code}", auth=CONFIGURE, response={200: Any, 201: Any})
def put(request: HttpRequest, response: HttpResponse, code: str, body: RewardIn) -> Status[Any]:
    """Make the reward, or replace it. Stock that is left out stays as it is; pictures are kept in the admin."""

    def act() -> tuple[int, Any]:
        one, is_new = keeping.put(code, body, actor=of_programme(request), now=timezone.now())
        return 201 if is_new else 200, _item(one)

    return write(request, response, act)


def _item(one: Reward) -> dict[str, Any]:
    return showing.kept(one, terms.current(timezone.now()))
