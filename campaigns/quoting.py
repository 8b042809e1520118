"""A quote holds the rules and terms of its moment for 15 minutes, whatever is bought then; a signed token, nothing stored."""

from datetime import datetime, timedelta

from django.core import signing

VALID = timedelta(minutes=15)
SALT = "quote"


def token(at: datetime, store: str, member: str) -> str:
    """Names the moment, the store and the member that were quoted."""
    return signing.dumps([at.isoformat(), store, member], salt=SALT)


def moment(text: str, *, store: str, member: str, now: datetime) -> datetime | None:
    """The moment whose rules the quote holds; None when it is not ours, for another store or member, or over."""
    try:
        at, quoted_store, quoted_member = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return None
    given = datetime.fromisoformat(at)
    return given if (quoted_store, quoted_member) == (store, member) and now < given + VALID else None
