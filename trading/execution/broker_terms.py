"""What a broker order says beside its lots: where, at which price, for how long, and what was seen then. Pure.

The price that it may be filled at stands here and nowhere else; the reference of the decision is no limit (S-30).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.execution.order_states import AdaptivePriority
from trading.execution.quotes import Touch


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
    time_in_force: str = "DAY"
    adaptive: AdaptivePriority | None = None
