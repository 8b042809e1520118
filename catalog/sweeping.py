"""Pictures that no reward shows any more go from the disk, a day after they were uploaded at the earliest."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from catalog import pictures
from catalog.models import Reward

# A picture waits so long in a form that has to be mended.
WAITS = timedelta(days=1)


def sweep(*, now: datetime) -> int:
    """Remove what is unused; returns how many pictures.

    Nobody writes a reward meanwhile: whoever has chosen such a picture finds it gone and is told (keeping.put), so none is lost.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("lock table catalog_reward in share mode")
        shown = set(Reward.objects.exclude(picture="").values_list("picture", flat=True))
        unused = [name for name in pictures.older_than(now - WAITS) if name not in shown]
        for name in unused:
            pictures.remove(name)
    return len(unused)
