"""What the gate looks at, read fresh for every message that is about to leave."""

from trading.data.mongo.chained import values_of
from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.controls import MongoKillState
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.reconciliation_runs import MongoReconciliationRuns
from trading.execution.broker_orders import TERMINAL, BrokerOrder
from trading.execution.gate import GateFacts
from trading.execution.reconciliation.run import may_trade

_LIVE = {"$nin": [state.value for state in TERMINAL]}


class MongoGate:
    """Reads; decides nothing."""

    def __init__(self, store: MongoStore) -> None:
        self._database, self._clock = store.database, store.clock
        self._runs = MongoReconciliationRuns(store)
        self._orders, self._kill, self._locks = MongoOrders(store), MongoKillState(store), MongoInstrumentLocks(store)

    def facts(self, order: BrokerOrder, epoch: str) -> GateFacts:
        """Everything stored that may forbid sending `order` over connection `epoch`."""
        return GateFacts(
            kill=self._kill.load(), is_halted_by_flag=False, locks=self._locks.reasons(),
            unreconciled=may_trade(self._runs.last(), epoch),
            parent=self._orders.contract_order(order.parent), position=self._position(order.instrument),
            siblings=tuple(self._those({"parent": order.parent})),
            others=tuple(each for each in self._those({"instrument": order.instrument, "lifecycle": _LIVE})
                         if each.id != order.id),
            now=self._clock.now())

    def _those(self, query: Document) -> list[BrokerOrder]:
        """By an index each: joined by $or, the embedded server reads every order that there ever was."""
        return [BrokerOrder.from_dict(values_of(row)) for row in self._database.broker_orders.find(query)]

    def _position(self, instrument: str) -> int:
        rows = self._database.strategy_positions.find({"instrument": instrument})
        return sum(int(row["quantity"]) for row in rows)
