"""What a broker tells us, in our own terms. Plain values that travel over the broker link."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from trading.execution.broker_messages import BrokerMessage
from trading.execution.quotes import Traded

COMBINATION: Final = 28812380  # what the broker calls every combination (ib_wire.md 2.8)


@dataclass(frozen=True, kw_only=True)
class ContractDetails:
    """One tradable contract. `contract_month` is YYYYMM; `last_trade_date` YYYYMMDD; hours are the broker's text."""

    con_id: int
    symbol: str
    local_symbol: str
    exchange: str
    currency: str
    multiplier: str
    price_magnifier: int
    min_tick: Decimal
    contract_month: str
    last_trade_date: str
    trading_hours: str
    time_zone: str

    def spread_to(self, far: "ContractDetails") -> "ContractDetails":
        """The calendar spread from here to `far`, which the broker is never asked to describe (pst #1659).

        Its prices lie on the finer grid of both months; all else is as of the near one.
        """
        return replace(self, con_id=COMBINATION, local_symbol=f"{self.local_symbol}-{far.local_symbol}",
                       min_tick=min(self.min_tick, far.min_tick))


@dataclass(frozen=True, kw_only=True)
class SpreadContract:
    """A calendar spread as the broker is asked for it: `near` and `far` are con ids."""

    symbol: str
    currency: str
    exchange: str
    near: int
    far: int


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One historical bar; `at` is its start (a daily bar: the day's midnight in UTC)."""

    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, kw_only=True)
class Quote:
    """Best prices at a moment, and the volume of the day; None: the broker gave none."""

    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    at: datetime
    traded: Traded | None = None


@dataclass(frozen=True, kw_only=True)
class QuoteChanges:
    """The newest quote, by con id, of each contract that changed; ask again behind `version`."""

    version: int
    quotes: Mapping[int, Quote]


@dataclass(frozen=True, kw_only=True)
class BrokerPosition:
    """Lots of one contract that the broker says we hold."""

    account: str
    con_id: int
    symbol: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class OpenOrder:
    """An order that rests at the broker, whoever sent it.

    `perm_id` is its name for all clients, `ib_order_id` the one that client `client_id` knows it by.
    """

    perm_id: int
    client_id: int
    ib_order_id: int
    reference: str
    con_id: int


@dataclass(frozen=True, kw_only=True)
class BrokerBook:
    """Everything that the broker lists of orders and executions, in one answer over connection `epoch`.

    `messages` are of the kinds OPEN_ORDER, COMPLETED_ORDER and EXECUTION; they were journaled as well.
    """

    epoch: str
    account: str
    messages: tuple[BrokerMessage, ...]


@dataclass(frozen=True, kw_only=True)
class OrderEvidence:
    """Where an order reference was found at the broker, after asking for everything it knows.

    `next_valid_id` is the order id that the broker offered on the first connection after the one over which the order
    was sent, or on this one if there was none: one at or below our order's id proves that the broker never saw it.
    """

    found_open: bool
    found_completed: bool
    found_executed: bool
    next_valid_id: int
    epoch: str  # the connection

    @property
    def found(self) -> bool:
        return self.found_open or self.found_completed or self.found_executed
