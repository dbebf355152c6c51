"""How a statement of the broker differs from our fills: each difference, what is booked for it, and our side. Facts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import Commission, Fill
from trading.execution.locks import Lock
from trading.execution.reconciliation.statement import StatementTrade


class DifferenceKind(StrEnum):
    """In what way the statement and our books differ."""

    MISSING = "missing here"
    BUSTED = "taken back"
    CORRECTED = "corrected"
    COMMISSION = "commission"
    LACKING = "not in the statement"
    CONFLICT = "contradicts"
    UNKNOWN_CONTRACT = "unknown contract"
    UNCLEAR = "unclear"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One of them: what a person reads, and what is booked because of it, if anything is."""

    kind: DifferenceKind
    subject: str  # the execution, or the row of the statement
    sentence: str
    now: str = ""
    then: str = ""
    heard: tuple[Fill | Commission, ...] = ()
    lock: Lock | None = None

    @property
    def needs_person(self) -> bool:
        """A cost that comes late is no news to anybody."""
        return self.kind is not DifferenceKind.COMMISSION


@dataclass(frozen=True, kw_only=True)
class StatementFindings:
    """All of them, and how many executions were found as they are in our books.

    `left_out`: rows that were not compared, by kind of asset.
    """

    differences: tuple[Difference, ...] = ()
    agreed: int = 0
    left_out: tuple[tuple[str, int], ...] = ()

    @property
    def heard(self) -> tuple[Fill | Commission, ...]:
        """What is to be booked, in this order."""
        return tuple(each for difference in self.differences for each in difference.heard)

    @property
    def locks(self) -> tuple[Lock, ...]:
        return tuple(each.lock for each in self.differences if each.lock is not None)

    @property
    def for_a_person(self) -> tuple[Difference, ...]:
        return tuple(each for each in self.differences if each.needs_person)


@dataclass(frozen=True, kw_only=True)
class KnownContract:
    """A contract that the broker has described: value of a lot is price x multiplier / magnifier."""

    key: str
    multiplier: Decimal
    magnifier: int = 1


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """A trade that a person has booked because the broker had not told of it; `undo` is how to take it back.

    `order` is the broker order that it was booked to, "" for none.
    """

    contract: str
    quantity: int
    at: datetime
    name: str
    undo: str
    order: str = ""

    def may_be(self, row: StatementTrade, contract: str, order: BrokerOrder | None) -> bool:
        """Whether it is what `row` says, perhaps in parts: booked later, of its side, and of no other order."""
        is_of_another = self.order != "" and order is not None and self.order != order.id
        return self.contract == contract and self.quantity * row.quantity > 0 and row.at <= self.at and (
            not is_of_another)


@dataclass(frozen=True, kw_only=True)
class OurFills:
    """Our side: fills by id, as far back as the statement; the orders that its rows name; what is known besides."""

    account: str
    at: datetime
    trading_day: Callable[[datetime], str]
    fills: Mapping[str, Fill] = field(default_factory=dict)
    orders: Mapping[str, BrokerOrder] = field(default_factory=dict)
    contracts: Mapping[int, KnownContract] = field(default_factory=dict)
    by_hand: tuple[ByHand, ...] = ()
