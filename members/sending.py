"""Mails from message rows: claim, commit, then talk to the mail server, so that no two senders send the same row."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Case, F, Q, When

from loyalty import terms
from loyalty.terms import Terms
from members.messaging import address, rendered
from members.models import Message

# Longer than the mail server may take for one mail: a few answers of at most the time-out in settings.MAILERS each.
CLAIM = timedelta(minutes=10)
TRIES = 8
# At a counter, for ten minutes: a code for the till goes before thousands of reminders of the same morning.
WAITED_FOR = Case(When(kind=Message.Kind.TILL_CODE, then=0), default=1)
log = structlog.get_logger(__name__)


class Batch(NamedTuple):
    """How many rows were claimed, and how many mails went out."""

    claimed: int
    sent: int


def send_due(*, now: datetime, limit: int = 200) -> Batch:
    """Send up to `limit` mails that are due. One that fails is tried again after the claim, up to `TRIES` times."""
    started, versions, sent = time.monotonic(), terms.published(), 0
    mine = _claim(now, limit)
    for id_ in mine:
        at = now + timedelta(seconds=time.monotonic() - started)
        if message := _take(id_, claimed_at=now, at=at):
            sent += _send(message, versions, at)
    return Batch(len(mine), sent)


def _claim(now: datetime, limit: int) -> list[UUID]:
    """Mark due mails as ours and commit, so that two senders never hold the same one; first what somebody waits for."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM)
    due = Message.objects.filter(free, channel=Message.Channel.EMAIL, sent_at=None, failed_at=None, due_at__lte=now)
    with transaction.atomic():
        rows = due.select_for_update(skip_locked=True).order_by(WAITED_FOR, "due_at", "id")
        mine = list(rows.values_list("id", flat=True)[:limit])
        Message.objects.filter(id__in=mine).update(claimed_at=now)
    return mine


def _take(id_: UUID, *, claimed_at: datetime, at: datetime) -> Message | None:
    """Renew the claim and count the try; None when those before took so long that another sender has the row."""
    ours = Message.objects.filter(pk=id_, claimed_at=claimed_at, sent_at=None, failed_at=None)
    if not ours.update(claimed_at=at, tries=F("tries") + 1):
        return None
    return Message.objects.select_related("member", "user").filter(pk=id_).first()


def _send(message: Message, versions: Sequence[Terms], at: datetime) -> bool:
    """Send if whom it is for can still be reached, and mark the row: sent, given up, or left to be tried again."""
    row = Message.objects.filter(pk=message.pk)
    to = address(message)
    if message.tries > TRIES or to is None:
        row.update(failed_at=at)
        return False
    try:
        _mail(message, to, versions, at)
    except Exception as error:  # noqa: BLE001 — whatever is wrong with this one, the others go out
        # The kind of error alone: its text may hold the address.
        log.warning("mail failed", message=str(message.pk), tries=message.tries, error=type(error).__name__)
        if message.tries >= TRIES:
            row.update(failed_at=at)
        return False
    row.update(sent_at=at)
    return True


def _mail(message: Message, to: str, versions: Sequence[Terms], at: datetime) -> None:
    subject, text, html = rendered(message, versions, at)
    host = urlsplit(settings.ORIGIN).hostname
    mail = EmailMultiAlternatives(subject, text, to=[to], headers={"Message-ID": f"<{message.pk}@{host}>"})
    mail.attach_alternative(html, "text/html")
    mail.send()
