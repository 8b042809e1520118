"""What was done at tills: written with the act itself, read for undoing and for the report."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.db.models import Sum as Total
from django.utils.translation import gettext as _

from loyalty import posting
from loyalty.problems import Problem
from members import cards
from members.models import Member, Shift, TillAct, TillLimits

Kind = TillAct.Kind
UNDO = timedelta(minutes=2)
# What has no undoing.
FOR_GOOD = (Kind.ENROLMENT, Kind.RETURN)
TWICE = timedelta(minutes=2)
SYMBOLS = 10


@dataclass(frozen=True, slots=True)
class Done:
    """An act: on what, for whom, under which number of the till. `unproved`: points that were used without a code."""

    kind: str
    member: UUID
    thing: UUID
    number: str
    points: int = 0
    amount: Decimal | None = None
    title: str = ""
    unproved: int = 0
    vouched_by: UUID | None = None


def new_number() -> str:
    """A receipt's number where the shop has none, told from a shop's own by its letter."""
    return f"T{cards.new_number(SYMBOLS)}"


def source(store: str) -> str:
    """Under which source receipts of a shop's tills are taken."""
    return f"till:{store}"


def write(shift: Shift, done: Done, *, at: datetime, offline: bool = False) -> TillAct:
    """In the caller's transaction. An act that stands already under this number answers as it stands."""
    known = standing(shift.device.store_id, done.number, done.kind)
    if known:
        return known
    try:
        with transaction.atomic():
            return TillAct.objects.create(
                shift=shift, shop_id=shift.device.store_id, kind=done.kind, member_id=done.member, thing=done.thing,
                number=done.number, points=done.points, amount=done.amount, title=done.title, unproved=done.unproved,
                vouched_by=done.vouched_by, at=at, offline=offline,
            )  # fmt: skip
    except IntegrityError:  # a twin wrote it at the same moment
        return TillAct.objects.get(shop=shift.device.store_id, number=done.number, kind=done.kind)


def standing(store: int, number: str, kind: str) -> TillAct | None:
    return TillAct.objects.select_related("member").filter(shop=store, number=number, kind=kind).first()


def done_meanwhile(member: Member, store: int, number: str, kind: str) -> TillAct | None:
    """What a twin of the same form has done; first in the transaction of an act. The second of two waits here for the first."""
    posting.lock([member.holder])
    return standing(store, number, kind)


def latest(shift: Shift, limit: int = 5) -> list[TillAct]:
    """The last acts of this colleague at this till, newest first."""
    rows = TillAct.objects.filter(shift__staff=shift.staff_id, shift__device=shift.device_id, shop=shift.device.store_id)
    return list(rows.select_related("member").order_by("-id")[:limit])


def sales(store: int, limit: int = 10) -> list[TillAct]:
    """The shop's last sales that were not undone, newest first."""
    rows = TillAct.objects.filter(shop=store, kind=Kind.SALE, undone_at=None)
    return list(rows.select_related("member").order_by("-at")[:limit])


def of_shop(store: int, act: UUID) -> TillAct | None:
    return TillAct.objects.select_related("member", "shift__staff__user", "shop").filter(shop=store, pk=act).first()


def just_sold(store: int, member: UUID, amount: Decimal, *, now: datetime) -> TillAct | None:
    """The same amount for the same member here in the last two minutes."""
    rows = TillAct.objects.filter(shop=store, member=member, kind=Kind.SALE, amount=amount, undone_at=None, at__gt=now - TWICE)
    return rows.order_by("-at").first()


def may_undo(act: TillAct, *, now: datetime) -> bool:
    return act.undone_at is None and act.kind not in FOR_GOOD and now < act.at + UNDO


def mark_undone(act: TillAct, *, by: UUID, now: datetime) -> None:
    """In the transaction of what undoes it; one of two wins. Raises Problem: the two minutes are over, or it has no undoing."""
    rows = TillAct.objects.filter(pk=act.pk, undone_at=None, at__gt=now - UNDO).exclude(kind__in=FOR_GOOD)
    if not rows.update(undone_at=now, undone_by=by):
        raise Problem("expired", _("The two minutes are over. Make a refund instead."), status=409)


@dataclass(frozen=True, slots=True)
class Sum:
    """All acts of one kind, those that were undone apart."""

    kind: str
    undone: bool
    count: int
    points: int
    amount: Decimal | None


def report(shift: Shift, since: datetime) -> list[Sum]:
    """What this colleague did in the shop since then."""
    undone = ExpressionWrapper(Q(undone_at__isnull=False), BooleanField())
    rows = _of(shift, since).annotate(is_undone=undone).values_list("kind", "is_undone").order_by("kind", "is_undone")
    return [Sum(*row) for row in rows.annotate(count=Count("pk"), moved=Total("points"), paid=Total("amount"))]


def acts_of(shift: Shift, since: datetime, limit: int = 200) -> list[TillAct]:
    return list(_of(shift, since).select_related("member").order_by("-id")[:limit])


def limits(store: int) -> TillLimits:
    return TillLimits.objects.filter(pk=store).first() or TillLimits(store_id=store)


def offline_room(store: int, *, first: datetime, until: datetime) -> int:
    """How many receipts a shop's tills may still have taken offline between two instants; locks the shop's counter."""
    TillLimits.objects.get_or_create(store_id=store)
    most = TillLimits.objects.select_for_update().get(pk=store)
    taken = TillAct.objects.filter(shop=store, offline=True, at__gte=first, at__lt=until).count()
    return most.receipts - taken


def _of(shift: Shift, since: datetime) -> QuerySet[TillAct]:
    return TillAct.objects.filter(shift__staff=shift.staff_id, shop=shift.device.store_id, at__gte=since)
