"""Rows that are read together and understood one group at a time: a row that cannot be harms no other group."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from trading.data.mongo.connection import Document

Fact = TypeVar("Fact")


@dataclass(frozen=True)
class Grouped(Generic[Fact]):
    """Rows by one of their fields, in the order in which they came; nothing is said of a key that was not read."""

    rows: dict[str, list[Document]]
    understood: Callable[[Document], Fact]

    @classmethod
    def by(cls, name: str, keys: Iterable[str], rows: Iterable[Document],
           understood: Callable[[Document], Fact]) -> "Grouped[Fact]":
        found: dict[str, list[Document]] = {key: [] for key in keys}
        for row in rows:
            found[row[name]].append(row)
        return cls(found, understood)

    def of(self, key: str) -> list[Fact]:
        """Those of one group.

        Raises:
            KeyError: it was not among the keys, so that "none" would be a guess.
        """
        return [self.understood(row) for row in self.rows[key]]
