"""How often sign-in codes may be sent and compared. Counted in PostgreSQL: neither parallel calls nor a lost cache add a try."""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from django.db import connection
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from loyalty import terms
from loyalty.problems import Problem
from members.models import CodesSent

TRIES = 3
SOON, LONG = timedelta(minutes=10), timedelta(days=1)
SENT_SOON, SENT_LONG = 3, 10

COUNT = """
insert into members_codessent as known (address, sent_at) values (%(address)s, array[%(now)s::timestamptz])
on conflict (address) do update set sent_at = excluded.sent_at || array(
    select sent from unnest(known.sent_at) sent where sent > %(now)s - %(long)s order by sent desc)
where (select count(*) from unnest(known.sent_at) sent where sent > %(now)s - %(soon)s) < %(sent_soon)s
  and (select count(*) from unnest(known.sent_at) sent where sent > %(now)s - %(long)s) < %(sent_long)s
returning address
"""


def count_sending(email: str, *, now: datetime) -> None:
    """Count one code to this address, a member's or a stranger's, before it is sent.

    Raises Problem `rate-limited`, which says when the next one may be asked for.
    """
    address = salted_hmac("members.codes", email.lower(), algorithm="sha256").hexdigest()
    limits: dict[str, Any] = {"soon": SOON, "long": LONG, "sent_soon": SENT_SOON, "sent_long": SENT_LONG}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, limits | {"address": address, "now": now})
        if cursor.fetchone():
            return
    sent = CodesSent.objects.get(address=address).sent_at
    waits = [sent[most - 1] + period for most, period in ((SENT_SOON, SOON), (SENT_LONG, LONG)) if len(sent) >= most]
    raise _too_many(max(waits), now)


def _too_many(again_at: datetime, now: datetime) -> Problem:
    """The time is told to the minute, and is never too early."""
    zone = terms.current(now).zone
    told = (again_at + timedelta(seconds=59)).astimezone(zone)
    spelt = date_format(told, "TIME_FORMAT" if told.date() == now.astimezone(zone).date() else "DATETIME_FORMAT")
    detail = _("Too many codes were asked for with this address. Try again at %(time)s.") % {"time": spelt}
    return Problem("rate-limited", detail, status=429, retry_after=int((again_at - now).total_seconds()) + 1)


def to_spend(spend_code: UUID) -> str:
    """The six digits of a SpendCode: of its id and a key of the server, so that the table alone holds no code."""
    digest = salted_hmac("members.codes.spend", str(spend_code), algorithm="sha256").hexdigest()
    return f"{int(digest, 16) % 10**6:06}"


def may_try(process: LoginCodeVerificationProcess) -> bool:
    """Count one comparison of this code, before it is made, so that a hundred parallel guesses are three."""
    code = hashlib.sha256(f"{process.state.get('user_id')}:{process.code}:{process.state['at']}".encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into members_codeattempt as a (code, tries, at) values (%s, 1, now()) "
            "on conflict (code) do update set tries = a.tries + 1 where a.tries < %s returning tries",
            [code, TRIES],
        )
        return cursor.fetchone() is not None


def forget(older_than: datetime) -> int:
    """Delete addresses to which nothing was sent since; how many."""
    return CodesSent.objects.filter(sent_at__0__lte=older_than).delete()[0]
