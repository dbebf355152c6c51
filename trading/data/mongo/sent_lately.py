"""What was sent lately, as the controls of an intent count it: of one instrument, or of some that are read together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from trading.data.mongo.connection import Document
from trading.data.mongo.grouped import Grouped
from trading.execution.broker_orders import SENT_PERHAPS, TERMINAL, BrokerOrder
from trading.execution.order_ids import child_number

COUNTED = {"instrument": 1, "lifecycle": 1, "trading_day": 1}


@dataclass(frozen=True, kw_only=True)
class SentLately:
    """The broker orders of an instrument that live or are of a trading day, oldest first; of all others the count."""

    of_instrument: tuple[BrokerOrder, ...]
    open_orders: int
    in_flight: int
    day_orders: int


@dataclass(frozen=True, kw_only=True)
class SentTogether:
    """The orders of some instruments, and of every order what is counted."""

    counted: Sequence[Document]
    orders: Grouped[BrokerOrder]  # by instrument

    @cached_property
    def living(self) -> list[str]:
        """The states of all that live."""
        return [row["lifecycle"] for row in self.counted if row["lifecycle"] not in TERMINAL]

    @cached_property
    def in_flight(self) -> int:
        """How many the broker has not acknowledged."""
        return sum(state in SENT_PERHAPS for state in self.living)

    @cached_property
    def days(self) -> Counter[str]:
        """How many are of each trading day."""
        return Counter(row["trading_day"] for row in self.counted)

    def of(self, instrument: str, trading_day: str) -> SentLately:
        found = [order for order in self.orders.of(instrument)
                 if order.may_be_alive or order.trading_day == trading_day]
        return SentLately(
            of_instrument=tuple(sorted(found, key=lambda order: child_number(order.id))),
            open_orders=len(self.living), in_flight=self.in_flight,
            day_orders=self.days[trading_day])
