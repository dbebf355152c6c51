"""Our books beside the broker's: where they differ, nothing is traded until a person knows why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from trading.execution.locks import Lock


@dataclass(frozen=True, kw_only=True)
class PositionBreak:
    """One contract in which the two sides disagree."""

    contract: str
    ours: int
    theirs: int

    @property
    def instrument(self) -> str:
        return self.contract.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.contract}: our books hold {self.ours:+d}, the broker {self.theirs:+d}"


def position_breaks(ours: Mapping[str, int], theirs: Mapping[str, int]) -> list[PositionBreak]:
    """Every contract (our key, or the broker's number if we do not know it) whose lots differ."""
    return [PositionBreak(contract=key, ours=ours.get(key, 0), theirs=theirs.get(key, 0))
            for key in sorted({*ours, *theirs}) if ours.get(key, 0) != theirs.get(key, 0)]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A lock whose cause is known, and how."""

    lock: Lock
    how: str
