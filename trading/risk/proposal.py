"""An order that somebody wants to make, as plain values for the controls. Pure.

The same type serves all three places: when the decision is made the contract is not chosen yet, when the intent is made
it is, and at the gate the attributes of the message are known too. None means: not known, or not chosen yet.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.risk.kill_level import Scope
from trading.risk.order_kind import OrderKind


class Action(StrEnum):
    """What the message does at the broker; a cancel is no proposal, it always passes."""

    NEW = "NEW"
    MODIFY = "MODIFY"


class OrderType(StrEnum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """One contract of a combination; `ratio` is signed lots per unit of a bought combination."""

    contract: str
    ratio: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RollSides:
    """Of a roll: its months, the sum of abs(position) over both without it, and the lots of one unit of it."""

    front: str
    forward: str
    total_before: int
    unit: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Attributes:
    """What must stand explicitly in the message; None: left to a preset of the broker's program, which is refused."""

    time_in_force: str | None = None
    outside_hours: bool | None = None
    account: str | None = None
    transmit: bool | None = None
    non_guaranteed: bool | None = None     # combinations only
    good_till: datetime | None = None
    venue_knows_good_till: bool = True
    deadline: datetime | None = None       # of the algo


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """One order. `quantity` is signed lots, or signed units of a combination when there are `legs`."""

    account: str
    strategy: str
    instrument: str
    kind: OrderKind
    quantity: int
    key: str                               # the idempotency key: the same decision, the same key
    parent: str = ""                       # the order that this one is a child of
    contract: str | None = None
    legs: tuple[Leg, ...] = ()             # the front month first
    roll: RollSides | None = None
    target: int | None = None              # lots that the strategy wants to hold in the end, before overrides
    previous_target: int | None = None
    decided_at: datetime | None = None
    price_at: datetime | None = None       # of the price that the decision used
    reduce_only: bool = False
    reason: str = ""                       # of a manual order
    approved_by: str = ""                  # who gave the second confirmation
    action: Action = Action.NEW
    order_type: OrderType = OrderType.LIMIT
    limit_price: Decimal | None = None
    is_passive: bool = False
    attributes: Attributes | None = None

    @property
    def net(self) -> int:
        """Signed lots by which the position in the instrument changes: 0 for a calendar spread."""
        return self.quantity * sum(leg.ratio for leg in self.legs) if self.legs else self.quantity

    @property
    def lots(self) -> int:
        """Lots of its largest leg, never negative."""
        return abs(self.quantity) * max((abs(leg.ratio) for leg in self.legs), default=1)

    @property
    def trades(self) -> tuple[tuple[str, int], ...]:
        """Each contract with its signed lots; empty while no contract is chosen."""
        if self.legs:
            return tuple((leg.contract, leg.ratio * self.quantity) for leg in self.legs)
        return () if self.contract is None else ((self.contract, self.quantity),)

    @property
    def scope(self) -> Scope:
        return Scope(strategy=self.strategy, instrument=self.instrument, account=self.account)

    @property
    def only_reduces(self) -> bool:
        """Whether it was promised that it only reduces."""
        return self.reduce_only or self.kind in (OrderKind.CLOSE_OUT, OrderKind.FLATTEN)
