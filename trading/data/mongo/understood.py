"""Rows as the facts that they mean. A row that is read again just as it was is not taken apart again."""

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from trading.data.mongo.connection import Document

Fact = TypeVar("Fact")
MOST: Final = 2000  # kept at a time: far more than are ever open


class Understood(Generic[Fact]):
    """What `read` makes of a row; the same fact, which nobody may change, for an equal row."""

    def __init__(self, read: Callable[[Document], Fact]) -> None:
        self._read = read
        self._known: dict[Any, tuple[Document, Fact]] = {}

    def __call__(self, row: Document) -> Fact:
        known = self._known.get(row["_id"])
        if known is not None and known[0] == row:
            return known[1]
        fact = self._read(row)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[row["_id"]] = row, fact
        return fact
