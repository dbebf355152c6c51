"""The nightly proof: what is held is the sum of what was traded, and nobody has changed the history. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from trading.execution.adjustments import Positions
from trading.execution.locks import Lock, LockCause


@dataclass(frozen=True, kw_only=True)
class Unproven:
    """A position that is not the sum of its fills and adjustments; `subject` is a contract, or STRATEGY/INSTRUMENT."""

    instrument: str
    subject: str
    stored: int
    summed: int

    def __str__(self) -> str:
        return f"{self.subject}: {self.stored:+d} are stored, its fills and adjustments sum to {self.summed:+d}"


def unproven(stored: Positions, rebuilt: Positions) -> list[Unproven]:
    """Where `stored` is not what was folded from zero (orders_and_risk.md 2.8, V8)."""
    contracts = _differences(stored.contracts, rebuilt.contracts)
    strategies = _differences(_named(stored), _named(rebuilt))
    return [*(Unproven(instrument=key.rpartition("/")[0], subject=key, stored=ours, summed=summed)
              for key, ours, summed in contracts),
            *(Unproven(instrument=key.rpartition("/")[2], subject=key, stored=ours, summed=summed)
              for key, ours, summed in strategies)]


def proof_locks(found: Iterable[Unproven], now: datetime) -> list[Lock]:
    """A lock for each instrument of `found`: nobody knows what is held, so nothing is traded."""
    by_instrument: dict[str, list[str]] = {}
    for each in found:
        by_instrument.setdefault(each.instrument, []).append(str(each))
    return [Lock(instrument=code, cause=LockCause.BOOKS_DIFFER, subject=code, opened_at=now,
                 reason=f"our books do not prove themselves: {'; '.join(lines)}")
            for code, lines in sorted(by_instrument.items())]


def _named(positions: Positions) -> dict[str, int]:
    return {f"{strategy}/{code}": lots for (strategy, code), lots in positions.strategies.items()}


def _differences(one: Mapping[str, int], other: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    for key in sorted({*one, *other}):
        if one.get(key, 0) != other.get(key, 0):
            yield key, one.get(key, 0), other.get(key, 0)
