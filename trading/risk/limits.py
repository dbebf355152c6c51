"""Limits as they are set: for an instrument, or for one strategy in it; in lots. Pure.

A limit that nobody set is no permission: more risk is denied without one, less is allowed (orders_and_risk.md 3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trading.errors import ConfigError


class LimitKind(StrEnum):
    """What is limited."""

    POSITION = "position"  # lots held, either side
    TRADE = "trade"  # lots traded within so many days
    ORDER = "order"  # lots of one broker order


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit. `strategy` None: all strategies together. `days` counts for TRADE only and is 0 otherwise."""

    kind: LimitKind
    instrument: str
    lots: int
    strategy: str | None = None
    days: int = 0
    who: str = ""
    reason: str = ""
    is_automatic: bool = False  # computed, and computed again; one that a person set stays
    at: datetime | None = None

    def __post_init__(self) -> None:
        if type(self.lots) is not int or self.lots < 0:
            raise ConfigError(f"A {self.kind} limit of {self.lots!r} lots is not possible; it is a whole number, "
                              f"0 or more. Nothing was changed.")
        if (self.kind is LimitKind.TRADE) is not (self.days > 0):
            raise ConfigError(f"A {self.kind} limit counts over days only for trades; got {self.days} days. "
                              f"Nothing was changed.")

    @property
    def id(self) -> str:
        days = f"/{self.days}d" if self.days else ""
        return f"{self.kind}/{self.instrument}/{self.strategy or '*'}{days}"


def limit_of(limits: Iterable[Limit], kind: LimitKind, instrument: str, strategy: str | None = None) -> int | None:
    """The lots that are set for `instrument`, or for `strategy` in it; the least of several; None when nobody did."""
    found = [each.lots for each in limits
             if (each.kind, each.instrument, each.strategy) == (kind, instrument, strategy)]
    return min(found, default=None)
