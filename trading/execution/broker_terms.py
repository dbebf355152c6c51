"""What a broker order says beside its lots: where, at which price, for how long, and what was seen then. Pure.

The price that it may be filled at stands here and nowhere else; the reference of the decision is no limit (S-30).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from trading.execution.order_states import AdaptivePriority
from trading.execution.quotes import Touch
from trading.risk.settings import RiskSettings

OUTLIVES_ITS_ALGO: Final = RiskSettings().time.good_till_margin


def good_till(deadline: datetime, closes: datetime | None) -> datetime | None:
    """When an order ends by itself at the broker, should nobody be there to end it: soon after its algo would have.

    None: with its session, because that is sooner, or because nobody knows when its session ends (`closes`).
    """
    ends = (deadline + OUTLIVES_ITS_ALGO).replace(microsecond=0)  # the broker counts whole seconds
    return ends if closes is not None and ends < closes else None


@dataclass(frozen=True, kw_only=True)
class BrokerTerms:
    """The terms of one broker order; a price is on the grid of `tick` already."""

    con_id: int  # resolved at the broker: no symbol or month is guessed
    exchange: str
    limit_price: Decimal
    touch: Touch
    created: datetime
    tick: Decimal | None = None
    collar: tuple[Decimal, Decimal] | None = None
    order_type: str = "LMT"
    good_till: datetime | None = None  # None: its session's end
    adaptive: AdaptivePriority | None = None

    @property
    def time_in_force(self) -> str:
        return "DAY" if self.good_till is None else "GTD"
