"""Costs of many orders by instrument, algo, hour or size, and where they are more than the backtest charges. Pure.

A median stands with an interval from resampling the orders; what was not known is counted, never taken for 0. A seed
in, the same interval out. Source: orders_and_risk.md 5.5.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Final

import numpy as np

from trading.execution.cost_analysis import OrderCost, Unit
from trading.execution.shortfall import EXACT, PARTS, Part
from trading.risk.order_kind import OrderKind

SAMPLES: Final = 500
COVERAGE: Final = 0.9
_AT_ONCE: Final = 1_000_000  # values in memory
TOO_DEAR: Final = Decimal("1.5")  # times what the backtest charges
_SIZES: Final = ((1, "1 lot"), (5, "2 to 5 lots"), (20, "6 to 20 lots"))


class Grouping(StrEnum):
    """What orders are told apart by."""

    ALL = "all"
    INSTRUMENT = "instrument"
    ALGO = "algo"
    HOUR = "hour"  # UTC, of the first sending
    SIZE = "size"


@dataclass(frozen=True, kw_only=True)
class Typical:
    """The median of one part and its interval; None when no order knows the part. `missing` orders do not."""

    median: float | None
    low: float | None
    high: float | None
    known: int
    missing: int


@dataclass(frozen=True, kw_only=True)
class GroupCost:
    """The orders of one group."""

    group: str
    orders: int
    lots: int  # filled
    fill_ratio: float  # of all lots
    passive_share: float | None  # of the lots of which it is known
    parts: Mapping[Part, Typical]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What an instrument's trading cost, in points a filled lot, beside what the backtest charges for it."""

    instrument: str
    orders: int
    lots: int
    paid: Decimal
    charged: Decimal

    @property
    def is_finding(self) -> bool:
        return self.charged > 0 and self.paid > TOO_DEAR * self.charged

    def sentence(self) -> str:
        """For a person: what, which, and the next step."""
        return (f"{self.instrument} cost {self.paid:.5g} points a lot over {self.orders} orders ({self.lots} lots), "
                f"{self.paid / self.charged:.1f} times the {self.charged:.5g} that the backtest charges. Raise "
                f"its slippage, or trade it more patiently.")


def summary(found: Iterable[OrderCost], by: Grouping, unit: Unit, seed: int) -> list[GroupCost]:
    """One line a group, by name."""
    groups: dict[str, list[OrderCost]] = defaultdict(list)
    for cost in found:
        groups[group_of(cost, by)].append(cost)
    return [_group(name, groups[name], unit, seed) for name in sorted(groups, key=_by_number)]


def group_of(cost: OrderCost, by: Grouping) -> str:
    """The name of the group that an order belongs to."""
    if by is Grouping.INSTRUMENT:
        return cost.instrument
    if by is Grouping.ALGO:
        return cost.algo
    if by is Grouping.HOUR:
        return "never sent" if cost.started_at is None else f"{cost.started_at.hour:02}:00"
    return size_of(abs(cost.quantity)) if by is Grouping.SIZE else "all"


def size_of(lots: int) -> str:
    """The bucket of an order of so many lots (unsigned)."""
    return next((name for most, name in _SIZES if lots <= most), f"more than {_SIZES[-1][0]} lots")


def typical(values: Sequence[float], missing: int, seed: int) -> Typical:
    """The median of `values`, and the interval in which 90 % of the medians of resampled values lie."""
    if not values:
        return Typical(median=None, low=None, high=None, known=0, missing=missing)
    known, draw = np.asarray(values), np.random.default_rng(seed)
    rows = max(1, min(SAMPLES, _AT_ONCE // len(known)))  # of resampled values, one sample each
    medians = np.concatenate([
        np.median(known[draw.integers(0, len(known), (min(rows, SAMPLES - done), len(known)))], axis=1)
        for done in range(0, SAMPLES, rows)])
    low, high = np.quantile(medians, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Typical(median=float(np.median(known)), low=float(low), high=float(high), known=len(known), missing=missing)


def compared(found: Iterable[OrderCost], charged: Mapping[str, Decimal]) -> list[Comparison]:
    """By instrument: the mean over the filled lots of every outright order whose quotes are known.

    Args:
        charged: half of the usual spread in points, for each instrument (Instrument.slippage).
    """
    known: dict[str, list[OrderCost]] = defaultdict(list)
    for cost in found:
        is_outright = cost.filled != 0 and cost.kind is not OrderKind.ROLL
        if is_outright and cost.trading_points is not None and cost.instrument in charged:
            known[cost.instrument].append(cost)
    return [_comparison(code, costs, charged[code]) for code, costs in sorted(known.items())]


def _comparison(code: str, costs: list[OrderCost], charged: Decimal) -> Comparison:
    lots = sum(abs(cost.filled) for cost in costs)
    with localcontext(EXACT):
        points = sum((cost.trading_points or Decimal(0) for cost in costs), Decimal(0))
        return Comparison(instrument=code, orders=len(costs), lots=lots, paid=points / lots, charged=charged)


def _group(name: str, costs: list[OrderCost], unit: Unit, seed: int) -> GroupCost:
    told = [cost.in_unit(unit) for cost in costs]
    values = {part: [float(each[part]) for each in told if each[part] is not None]  # type: ignore[arg-type]
              for part in PARTS}
    passive = [(cost.passive_share, abs(cost.filled)) for cost in costs if cost.passive_share is not None]
    lots = sum(size for _, size in passive)
    return GroupCost(
        group=name, orders=len(costs), lots=sum(abs(cost.filled) for cost in costs),
        fill_ratio=sum(abs(cost.filled) for cost in costs) / sum(abs(cost.quantity) for cost in costs),
        passive_share=sum(share * size for share, size in passive) / lots if lots else None,
        parts={part: typical(known, len(costs) - len(known), seed) for part, known in values.items()})


def _by_number(name: str) -> tuple[int, str]:
    """2 to 5 lots before 6 to 20, which come before more."""
    sizes = [each for _, each in _SIZES]
    return (sizes.index(name) if name in sizes else len(sizes), name)
