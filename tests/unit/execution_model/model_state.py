"""One state of the small world: what is stored, what the sender is doing, what is on its way, what the broker knows."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from execution_model_facts import CONTRACT, NOW

from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import Fill
from trading.execution.locks import LockCause
from trading.execution.orders import ContractOrder
from trading.risk.order_kind import OrderKind


class Place(NamedTuple):
    """A new-order message."""

    reference: str
    ib_order_id: int
    quantity: int
    epoch: int


class AtBroker(NamedTuple):
    """An order as the broker knows it: the truth."""

    reference: str
    ib_order_id: int
    epoch: int
    quantity: int
    filled: int = 0
    word: str = "Submitted"  # or Cancelled, Filled, Rejected

    @property
    def is_live(self) -> bool:
        return self.word == "Submitted"


class News(NamedTuple):
    """A message of the broker that has not been read. `number` counts executions of one order."""

    kind: str
    reference: str
    ib_order_id: int
    epoch: int
    word: str = ""
    filled: int = 0
    number: int = 0


class Sending(NamedTuple):
    """What the one sender is in the middle of; lost when it dies."""

    order: BrokerOrder
    is_recorded: bool
    is_placed: bool


class Locked(NamedTuple):
    """A lock of the one instrument."""

    cause: LockCause
    subject: str


@dataclass(frozen=True)
class Stored:
    """What is durable. Many states share it, so its hash is kept."""

    legs: tuple[ContractOrder, ...]
    orders: tuple[BrokerOrder, ...] = ()
    fills: tuple[Fill, ...] = ()
    locks: tuple[Locked, ...] = ()

    @cached_property
    def _hash(self) -> int:
        return hash((self.legs, self.orders, self.fills, self.locks))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class State:
    """Everything. `faults` are those that may still happen."""

    stored: Stored
    faults: int
    sending: Sending | None = None
    is_linked: bool = True
    epoch: int = 1
    offered: int = 1
    next_id: int = 1
    wire: tuple[Place, ...] = ()
    cancels: frozenset[str] = frozenset()
    broker: tuple[AtBroker, ...] = ()
    news: frozenset[News] = frozenset()
    passes: tuple[tuple[str, int], ...] = ()  # empty answers of the broker, by order
    placed: tuple[tuple[str, int], ...] = ()  # every new-order message that ever left: reference and id

    @property
    def legs(self) -> tuple[ContractOrder, ...]:
        return self.stored.legs

    @property
    def orders(self) -> tuple[BrokerOrder, ...]:
        return self.stored.orders

    @property
    def locks(self) -> tuple[Locked, ...]:
        return self.stored.locks


def begin(lots: tuple[int, ...], faults: int) -> State:
    """A contract order for each of `lots`, of one contract, and nothing sent."""
    legs = tuple(ContractOrder(
        id=f"IO-{place}-C1", parent=f"IO-{place}", account="DU1", strategy="s", instrument="SP500", contract=CONTRACT,
        kind=OrderKind.STRATEGY, quantity=each, trading_day="2026-03-02", created=NOW)
        for place, each in enumerate(lots, 1))
    return State(stored=Stored(legs), faults=faults)
