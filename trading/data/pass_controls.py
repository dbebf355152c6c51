"""The controls of the intent, for orders that are looked at and stored together: what all of them share is read once.

Nothing is judged by what is older than the look at those few contract orders, and each order counts those that were
noted before it. What cannot be read of one instrument harms no order of another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Final

from trading.data.data_blob import DataBlob
from trading.data.mongo.grouped import Grouped
from trading.data.mongo.sent_lately import SentTogether
from trading.data.risk.intent_controls import IntentControls
from trading.data.risk.intent_facts import Flow
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import Fill
from trading.execution.orders import ContractOrder
from trading.risk.kill_level import KillState

_FILLS: Final = timedelta(days=31)


@dataclass
class SeenOnce:
    """What is stored, read at the first question after a look."""

    data: DataBlob
    _legs: Sequence[ContractOrder] = ()
    noted: list[BrokerOrder] = field(default_factory=list)

    def look_at(self, legs: Sequence[ContractOrder]) -> None:
        """Forget everything: what follows is about `legs`."""
        self._legs, self.noted = legs, []
        self._forget("kill", "locks", "positions", "sent", "fills")

    def forget_rules(self) -> None:
        self._forget("kill", "locks")

    @cached_property
    def kill(self) -> KillState:
        return self.data.db_kill_state.load()

    @cached_property
    def locks(self) -> dict[str, str]:
        return self.data.db_locks.reasons()

    @cached_property
    def positions(self) -> dict[str, int]:
        return self.data.db_books.contract_positions()

    @cached_property
    def sent(self) -> SentTogether:
        return self.data.db_orders.sent_together(self._instruments, {leg.trading_day for leg in self._legs})

    @cached_property
    def fills(self) -> Grouped[Fill]:
        return self.data.db_books.fills_together(self.data.clock.now() - _FILLS, self._instruments)

    @property
    def _instruments(self) -> set[str]:
        return {leg.instrument for leg in self._legs}

    def _forget(self, *names: str) -> None:
        for name in names:
            self.__dict__.pop(name, None)


@dataclass(frozen=True, kw_only=True)
class PassControls(IntentControls):
    """See trading.execution.stack_handler.child_orders.Controls."""

    seen: SeenOnce

    def look_at(self, legs: Sequence[ContractOrder]) -> None:
        self.seen.look_at(legs)

    def note(self, order: BrokerOrder) -> None:
        """It leaves before anything else is looked at, so it counts as what is on its way."""
        self.seen.noted.append(replace(order, lifecycle=BrokerLifecycle.SENT, sent=order.created))

    def heed_new_rules(self) -> None:
        self.seen.forget_rules()

    def flow(self, leg: ContractOrder) -> Flow:
        """What was sent and filled up to the look, and what was noted since."""
        seen, noted = self.seen, self.seen.noted
        sent = seen.sent.of(leg.instrument, leg.trading_day)
        orders = (*sent.of_instrument, *(order for order in noted if order.instrument == leg.instrument))
        return Flow(
            live=tuple(order for order in orders if order.may_be_alive),
            today=tuple(order for order in orders if order.trading_day == leg.trading_day),
            siblings=tuple(order for order in orders if order.parent == leg.id),
            open_orders=sent.open_orders + len(noted), in_flight=sent.in_flight + len(noted),
            day_orders=sent.day_orders + sum(order.trading_day == leg.trading_day for order in noted),
            kill=seen.kill, locks=seen.locks, fills=tuple(seen.fills.of(leg.instrument)),
            positions=positions_in(leg.instrument, seen.positions))


def positions_in(instrument: str, positions: dict[str, int]) -> dict[str, int]:
    """Those of its contracts."""
    return {key: lots for key, lots in positions.items() if key.rpartition("/")[0] == instrument}
