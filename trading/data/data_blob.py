"""Everything that a job reads and writes, behind one value. `db_...` is ours, `broker_...` is theirs.

Connections are opened when first used. `add_class_list` adds further sources under the naming rule: the prefix
of a class says whose it is (Mongo, Parquet, Csv: db; Link, Ib: broker), so the two never overwrite each other.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from trading.broker.link import BrokerLink
from trading.clock import Clock
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.broker_journal import MongoBrokerJournal
from trading.data.mongo.capital import MongoCapital
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.contracts import MongoContracts
from trading.data.mongo.controls import MongoKillState, MongoLimits, MongoOverrides
from trading.data.mongo.events import MongoEvents
from trading.data.mongo.instruments import MongoInstruments
from trading.data.mongo.limits_in_force import MongoLimitsInForce
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.optimal_positions import MongoOptimalPositions
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.prices import (
    MongoAdjustedPrices,
    MongoFuturesContractPriceData,
    MongoFxPrices,
    MongoMultiplePrices,
)
from trading.data.mongo.processes import MongoProcesses
from trading.data.mongo.reconciliation_runs import MongoReconciliationRuns
from trading.data.mongo.roll_states import MongoRollStates
from trading.data.mongo.strategy_days import MongoStrategyDays

_OURS: Final = ("Mongo", "Parquet", "Csv")
_THEIRS: Final = ("Link", "Ib")


class DataBlob:
    """Lazily opened repositories over one store, and the broker link."""

    def __init__(self, *, store: MongoStore, clock: Clock, socket: Path) -> None:
        self.store = store
        self.clock = clock
        self._socket = socket

    @cached_property
    def db_instruments(self) -> MongoInstruments:
        return MongoInstruments(self.store)

    @cached_property
    def db_contracts(self) -> MongoContracts:
        return MongoContracts(self.store)

    @cached_property
    def db_contract_prices(self) -> MongoFuturesContractPriceData:
        return MongoFuturesContractPriceData(self.store)

    @cached_property
    def db_multiple_prices(self) -> MongoMultiplePrices:
        return MongoMultiplePrices(self.store)

    @cached_property
    def db_adjusted_prices(self) -> MongoAdjustedPrices:
        return MongoAdjustedPrices(self.store)

    @cached_property
    def db_fx_prices(self) -> MongoFxPrices:
        return MongoFxPrices(self.store)

    @cached_property
    def db_capital(self) -> MongoCapital:
        return MongoCapital(self.store)

    @cached_property
    def db_optimal_positions(self) -> MongoOptimalPositions:
        return MongoOptimalPositions(self.store)

    @cached_property
    def db_orders(self) -> MongoOrders:
        return MongoOrders(self.store)

    @cached_property
    def db_books(self) -> MongoBooks:
        return MongoBooks(self.store)

    @cached_property
    def db_locks(self) -> MongoInstrumentLocks:
        return MongoInstrumentLocks(self.store)

    @cached_property
    def db_kill_state(self) -> MongoKillState:
        return MongoKillState(self.store)

    @cached_property
    def db_overrides(self) -> MongoOverrides:
        return MongoOverrides(self.store)

    @cached_property
    def db_limits(self) -> MongoLimits:
        return MongoLimits(self.store)

    @cached_property
    def db_limits_in_force(self) -> MongoLimitsInForce:
        return MongoLimitsInForce(self.store)

    @cached_property
    def db_strategy_days(self) -> MongoStrategyDays:
        return MongoStrategyDays(self.store)

    @cached_property
    def db_roll_states(self) -> MongoRollStates:
        return MongoRollStates(self.store)

    @cached_property
    def db_reconciliation_runs(self) -> MongoReconciliationRuns:
        return MongoReconciliationRuns(self.store)

    @cached_property
    def db_events(self) -> MongoEvents:
        return MongoEvents(self.store)

    @cached_property
    def db_journal(self) -> MongoBrokerJournal:
        return MongoBrokerJournal(self.store)

    @cached_property
    def db_processes(self) -> MongoProcesses:
        return MongoProcesses(self.store)

    @cached_property
    def broker(self) -> BrokerLink:
        """The daemon's one connection, shared."""
        return BrokerLink(self._socket)

    def add_class_list(self, classes: Iterable[type[Any]]) -> None:
        """Add an attribute for each class, built over this blob's store: ParquetFxPrices becomes db_fx_prices."""
        for source in classes:
            setattr(self, attribute_name(source), source(self.store))

    def close(self) -> None:
        """Close what was opened."""
        self.store.close()

    close_all_connections = close


def attribute_name(source: type[Any]) -> str:
    """db_... or broker_... and the noun of the class.

    Raises:
        ValueError: the name of the class does not say whose it is.
    """
    words = re.findall(r"[A-Z][a-z0-9]*", source.__name__)
    if not words or words[0] not in (*_OURS, *_THEIRS) or len(words) < 2:
        raise ValueError(f"{source.__name__} does not say whose data it is; begin its name with one of "
                         f"{', '.join((*_OURS, *_THEIRS))}.")
    noun = "_".join(word.lower() for word in words[1:])
    return f"{'db' if words[0] in _OURS else 'broker'}_{noun}"
