"""Fills of some instruments, read together; a row is understood when its instrument is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trading.data.mongo.chained import values_of
from trading.data.mongo.connection import Document
from trading.execution.fills import Fill


@dataclass(frozen=True)
class FillsTogether:
    """Rows by instrument, oldest first. One that cannot be understood harms no other instrument."""

    rows: Mapping[str, Sequence[Document]]

    def of(self, instrument: str) -> tuple[Fill, ...]:
        return tuple(Fill.from_dict(values_of(row)) for row in self.rows.get(instrument, ()))
