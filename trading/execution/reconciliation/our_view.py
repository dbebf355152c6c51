"""What our own books say at one moment, with what earlier looks had noticed. Pure values; collected by whoever reads.

`fills` and `ended` must reach back at least as far as the executions and completed orders that the broker lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from trading.execution.adjustments import Positions
from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import Fill
from trading.execution.locks import Lock
from trading.execution.reconciliation.broker_view import ContractTerms


@dataclass(frozen=True, kw_only=True)
class ContractFacts:
    """What we know of a contract; None: not known."""

    con_id: int
    must_be_out_by: date | None = None  # the last day on which our side may be held
    last_trade: date | None = None
    settlement_price: Decimal | None = None
    terms: ContractTerms | None = None  # as configured


@dataclass(frozen=True, kw_only=True)
class Leading:
    """Under which fencing token we act, and what the store says of it."""

    token: int
    token_in_store: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """Something strange that was seen by earlier looks, and since when; not yet a break. `gap` is theirs - ours."""

    subject: str  # "position CONTRACT", "order ID" or "query PART"
    gap: int
    since: datetime
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class BreakSettings:
    """When a difference is one, and how large one of money must be (orders_and_risk.md 4.1)."""

    apart: timedelta = timedelta(seconds=15)  # between two looks that see the same difference
    quiet: timedelta = timedelta(seconds=10)  # since the newest fill of the contract
    commission_within: timedelta = timedelta(days=1)
    cash_units: Decimal = Decimal(1)
    cash_share: Decimal = Decimal("0.0001")  # of net liquidation
    cash_critical: Decimal = Decimal("0.005")
    made_after: timedelta = timedelta(seconds=60)  # clocks of two machines differ


@dataclass(frozen=True, kw_only=True)
class OurView:
    """Our side.

    `held_then` gives, by lock id, the lots that we know by now to have held when that lock was opened. `external` gives
    what nobody's order traded by instrument and contract: one month bought and another sold sum to nothing, and are
    nobody's all the same.
    """

    at: datetime
    today: date
    positions: Positions
    live: tuple[BrokerOrder, ...] = ()
    ended: tuple[BrokerOrder, ...] = ()
    fills: tuple[Fill, ...] = ()
    newest_fill: Mapping[str, datetime] = field(default_factory=dict)
    locks: tuple[Lock, ...] = ()
    contracts: Mapping[str, ContractFacts] = field(default_factory=dict)
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    held_then: Mapping[str, int] = field(default_factory=dict)
    external: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    cash: Mapping[str, Decimal] = field(default_factory=dict)  # by currency; only what we keep an account of
    leading: Leading | None = None

    @property
    def strangers(self) -> tuple[Fill, ...]:
        """Fills that no order of ours in the store asked for."""
        return tuple(fill for fill in self.fills if fill.is_foreign)

    def order(self, reference: str) -> BrokerOrder | None:
        """The order that we sent under `reference`, alive or not."""
        return next((order for order in (*self.live, *self.ended) if order.id == reference), None)
