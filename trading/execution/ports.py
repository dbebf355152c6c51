"""What the stack handler needs from outside, as Protocols. The adapters live in data and broker."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from trading.execution.broker_messages import BrokerMessage
from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import Commission, Fill
from trading.execution.locks import Lock
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.quotes import Touch
from trading.execution.spreads import Spread


class Spawned(NamedTuple):
    """New contract orders, and the instrument order that counts them."""

    parent: InstrumentOrder
    children: tuple[ContractOrder, ...]


class Intent(NamedTuple):
    """A new broker order, and the contract order that counts it."""

    parent: ContractOrder
    order: BrokerOrder


class BrokerOrders(Protocol):
    """Broker orders of some parents. One that cannot be understood is told to whoever asks for its parent."""

    def of(self, parent: str) -> list[BrokerOrder]: ...


class OrderStore(Protocol):
    """The three tiers, durable."""

    def open_instrument_orders(self) -> list[InstrumentOrder]: ...
    def open_contract_orders(self) -> list[ContractOrder]: ...
    def parents_of_open_legs(self) -> set[str]:
        """The instrument orders that have an open contract order."""

    def live_broker_orders(self) -> list[BrokerOrder]: ...
    def contract_orders_of(self, parent: str) -> list[ContractOrder]: ...
    def broker_orders_of(self, parent: str) -> list[BrokerOrder]: ...
    def broker_orders_under(self, parents: Collection[str]) -> BrokerOrders: ...
    def broker_order(self, order_id: str) -> BrokerOrder: ...
    def find_broker_order(self, reference: str, perm_id: int, ib_order_id: int, epoch: str) -> BrokerOrder | None: ...
    def spawned_all(self, families: Sequence[Spawned]) -> list[Exception | None]:
        """Store many families at once; one that cannot be stored stops no other, and its exception says why."""

    def add_broker_orders(self, intents: Sequence[Intent]) -> list[BrokerOrder | Exception]:
        """The same of intents, each of another parent, before anything is sent."""

    def save_broker_order(self, order: BrokerOrder) -> BrokerOrder: ...
    def save_contract_order(self, order: ContractOrder) -> None: ...
    def save_instrument_order(self, order: InstrumentOrder) -> None: ...


class Books(Protocol):
    """Fills and what they add up to."""

    def apply(self, heard: Sequence[Fill | Commission]) -> list[bool]:
        """Book fills and commissions in their order; whether each was news."""

    def contract_positions(self) -> dict[str, int]: ...


class Journal(Protocol):
    """What the broker said, in order."""

    def after(self, sequence: int, limit: int = 1000) -> list[BrokerMessage]: ...
    def applied(self) -> int: ...
    def mark_applied(self, sequence: int) -> None: ...


class Locks(Protocol):
    """Instruments that must not be traded."""

    def all(self) -> list[Lock]: ...
    def reasons(self) -> dict[str, str]: ...
    def lock(self, lock: Lock) -> bool: ...
    def unlock(self, lock_id: str, reason: str, now: datetime) -> None: ...


class Market(Protocol):
    """Contracts and their prices at the broker."""

    def tradable(self, contract: str) -> "Tradable":
        """How the broker knows `contract`, or a spread by its key; raises NotFound when it was never described."""

    def touch(self, contract: str) -> Touch | None:
        """The best bid and offer now, with the volume of the day; None when the broker gives no bid and offer.

        Of a spread, those of its own market: what the months' quotes imply is wider, and no price to work by.
        """

    def spread(self, near: str, far: str) -> Spread:
        """Two contracts as one that is traded; raises NotFound when one was never described."""

    def contract_of(self, con_id: int) -> str | None:
        """Our key of the broker's contract."""


class Tradable(Protocol):
    """What an order needs to know of its contract."""

    @property
    def con_id(self) -> int: ...
    @property
    def exchange(self) -> str: ...
    @property
    def min_tick(self) -> Decimal: ...


class Sender(Protocol):
    """The way to the broker. Raises BrokerUnavailable when nothing was sent."""

    def submit(self, order_id: str) -> str: ...
    def change(self, order_id: str, limit: Decimal) -> str: ...
    def cancel(self, order_id: str) -> None: ...
    def refresh(self) -> None: ...
    def messages(self, after: int, wait_s: float) -> list[BrokerMessage]: ...


class Margins(Protocol):
    """Questions to the broker about margins, which no other order waits for."""

    @property
    def is_awaited(self) -> bool:
        """Whether an answer may still come."""

    def wait(self, wait_s: float) -> bool:
        """Whether an answer has come since this was last asked; waits for one, at most `wait_s`."""
