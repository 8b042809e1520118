"""Many rows at once: inserted by COPY in binary, about thirty times faster than bulk_create; deleted a batch at a time."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models
from psycopg.types.json import Jsonb


def insert(model: type[models.Model], rows: Sequence[dict[str, Any]]) -> None:
    """Insert `rows`, each a dict of column names; every row has the columns of the first, the rest take their defaults."""
    if not rows:
        return
    quote, columns = connection.ops.quote_name, list(rows[0])
    kinds = {field.column: str(field.db_type(connection)).partition("(")[0] for field in model._meta.concrete_fields}
    documents = [name for name in columns if kinds[name] == "jsonb"]
    into = f"{quote(model._meta.db_table)} ({', '.join(map(quote, columns))})"
    with connection.cursor() as cursor, cursor.copy(f"copy {into} from stdin (format binary)") as copy:
        copy.set_types([kinds[name] for name in columns])
        for row in rows:
            wrapped = {name: Jsonb(row[name]) for name in documents}
            copy.write_row([wrapped.get(name, row[name]) for name in columns])


def delete(rows: models.QuerySet[Any], batch: int = 5000) -> int:
    """Delete `rows`, each batch in a transaction of its own, so that nobody waits for long. Returns how many."""
    everything: models.QuerySet[Any] = models.QuerySet(rows.model)
    total = 0
    while gone := everything.filter(pk__in=rows.values("pk")[:batch]).delete()[0]:
        total += gone
    return total
