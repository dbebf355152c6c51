"""What the deeds read and write: the repositories over one store, in the name of one person, and what is known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NewType
from zoneinfo import ZoneInfo

from pymongo.client_session import ClientSession

from trading.broker.facts import ContractDetails
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.contracts import MongoContracts
from trading.data.mongo.controls import MongoKillState, MongoLimits, MongoOverrides
from trading.data.mongo.instruments import MongoInstruments
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.mongo.orders import MongoOrders
from trading.data.mongo.roll_states import MongoRollStates
from trading.errors import ConfigError, DataError, NotFound
from trading.execution.adjustments import Entry
from trading.execution.fills import EXTERNAL
from trading.objects.contracts import Contract
from trading.risk.exposure import Holding

LongText = NewType("LongText", str)  # a whole file; a deed's event keeps its digest
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, kw_only=True)
class House:
    """What the desk must be told: whose account, which strategies are configured, when a trading day begins.

    `statement_zone` is that of the times in the broker's statement.
    """

    account: str
    strategies: frozenset[str]
    trading_day: Callable[[datetime], str]
    statement_zone: ZoneInfo = _UTC


class Records:
    """The repositories; `session` is the transaction of the deed, None for a preview."""

    def __init__(self, store: MongoStore, house: House, who: str, session: ClientSession | None) -> None:
        signed = replace(store, author=who)
        self.house, self.session, self.store = house, session, signed
        self.orders, self.books, self.locks = MongoOrders(signed), MongoBooks(signed), MongoInstrumentLocks(signed)
        self.kills, self.overrides, self.limits = MongoKillState(signed), MongoOverrides(signed), MongoLimits(signed)
        self.rolls, self.instruments, self.contracts = (MongoRollStates(signed), MongoInstruments(signed),
                                                        MongoContracts(signed))

    def strategy_positions(self) -> dict[tuple[str, str], int]:
        return self.books.strategy_positions(self.session)

    def external(self, instrument: str) -> list[Entry]:
        """What nobody's order traded in it and nobody was given, by contract."""
        return [each for each in self.books.external(self.session) if each.instrument == instrument]

    def contract_positions(self) -> dict[str, int]:
        return self.books.contract_positions(self.session)

    def check_instrument(self, code: str) -> None:
        """Raises NotFound for one that was never imported and is not held."""
        if code not in {held for _, held in self.strategy_positions()}:
            self.instruments.load(code)

    def check_strategy(self, name: str) -> None:
        """Raises NotFound for one that is neither configured nor holds anything."""
        known = self.house.strategies | {held for held, _ in self.strategy_positions()} | {EXTERNAL}
        if name not in known:
            raise NotFound(f"There is no strategy {name} (known: {', '.join(sorted(known))}). Nothing was changed.")

    def check_taker(self, name: str) -> None:
        """Raises NotFound for a strategy that nobody has configured: nobody would look after its position."""
        if name not in self.house.strategies:
            raise NotFound(f"There is no strategy {name} (known: {', '.join(sorted(self.house.strategies)) or 'none'})."
                           f" Nothing was changed.")

    def described(self, key: str) -> tuple[Contract, ContractDetails]:
        """The contract and how the broker knows it.

        Raises:
            ConfigError: `key` is no contract. NotFound: the broker has not described it.
        """
        try:
            contract = Contract.parse(key)
        except DataError as error:
            raise ConfigError(f"{error} Nothing was changed.") from error
        return contract, self.contracts.load(contract)

    def holding(self, strategy: str | None, instrument: str) -> Holding:
        """Lots held and lots that orders may still trade; `strategy` None: of the whole account."""
        held = sum(lots for (name, code), lots in self.strategy_positions().items()
                   if code == instrument and strategy in (None, name))
        left = [order.residual for order in self.orders.open_instrument_orders()
                if order.instrument == instrument and strategy in (None, order.strategy) and order.quantity]
        return Holding(position=held, working_buys=sum(lots for lots in left if lots > 0),
                       working_sells=-sum(lots for lots in left if lots < 0))


def check_tick(price: Decimal, contract: str, details: ContractDetails) -> None:
    """Raise ConfigError unless `price` lies on the grid of the contract."""
    tick = details.min_tick
    if tick > 0 and price % tick:
        below = price // tick * tick
        low, high = sorted((below, below + (tick if price > 0 else -tick)))
        raise ConfigError(f"{price} is no price of {contract}: its tick is {tick}, so {low} or {high}. "
                          f"Nothing was changed.")
