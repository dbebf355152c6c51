"""What the controls of the intent count, read once for contract orders that are looked at together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Final

from trading.data.data_blob import DataBlob
from trading.data.mongo.grouped import Grouped
from trading.data.mongo.sent_lately import SentTogether
from trading.execution.broker_orders import BrokerOrder
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
