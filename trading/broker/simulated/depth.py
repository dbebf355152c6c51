"""A plausible book of orders around the touch, and what a client must be told when it changes. Pure.

The record has no book: sizes follow from the price alone, so that the same price level always looks the same.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final

from trading.broker.simulated import responses
from trading.broker.simulated.lines import Row
from trading.broker.simulated.listing import ListedContract
from trading.broker.simulated.quotes import quoted_size

LARGEST: Final = 9  # times the size that is quoted at the touch


class BookSide(IntEnum):
    ASK = 0
    BID = 1


class Operation(IntEnum):
    INSERT = 0
    UPDATE = 1
    DELETE = 2


@dataclass(frozen=True)
class BookChange:
    """One message 12 or 13 without its ends."""

    position: int
    operation: Operation
    side: BookSide
    row: Row


def book(contract: ListedContract, last: float | None, rows: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Bids and asks, the best first, one tick apart; none where nothing was printed yet."""
    if last is None:
        return (), ()
    touch = contract.touch(last)
    return (tuple(_row(contract, price) for price in _levels(contract, touch.bid, -1, rows)),
            tuple(_row(contract, price) for price in _levels(contract, touch.ask, 1, rows)))


def _levels(contract: ListedContract, price: Decimal, sign: int, rows: int) -> Iterator[Decimal]:
    for _ in range(rows):
        yield price
        price = contract.grid.beside(price, sign)


def changes(old: tuple[Row, ...], new: tuple[Row, ...], side: BookSide) -> Iterator[BookChange]:
    """What turns `old` into `new` when it is carried out in order."""
    for position, row in enumerate(new):
        if position >= len(old):
            yield BookChange(position, Operation.INSERT, side, row)
        elif old[position] != row:
            yield BookChange(position, Operation.UPDATE, side, row)
    for position in range(len(old) - 1, len(new) - 1, -1):
        yield BookChange(position, Operation.DELETE, side, ("0", "0"))


def _row(contract: ListedContract, price: Decimal) -> Row:
    text = responses.number(price)
    return text, str(quoted_size(contract) * (1 + zlib.crc32(text.encode()) % LARGEST))
