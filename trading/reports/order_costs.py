"""The costs of every order of some trading days, from the store: what each is measured with, and what came out."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.data.mongo.instruments import InstrumentRecord
from trading.data.risk.instrument_risk import InstrumentRisk
from trading.errors import DataError
from trading.execution.broker_orders import BrokerOrder
from trading.execution.cost_analysis import OrderCost, Yardsticks, order_cost
from trading.execution.fills import Fill
from trading.execution.order_ids import child_number
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.rolls.reference_shift import ContractPrice, NoMatchedPrices, Prices, shifted_prices
from trading.execution.spreads import is_spread, months_of
from trading.objects.contracts import Contract
from trading.risk.order_kind import OrderKind


@dataclass(frozen=True, kw_only=True)
class Span:
    """Trading days, both of them included, as in 2026-03-02; `instrument` None for all."""

    first: str
    last: str
    instrument: str | None = None


@dataclass
class OrderCosts:
    """What is read for them is read once. Volatility and rates are those of now, prices those of their day."""

    data: DataBlob
    span: Span
    base_currency: str
    timezone: str

    def __post_init__(self) -> None:
        self._prices: dict[str, Prices] = {}
        self._risks: dict[str, InstrumentRisk] = {}

    def measured(self) -> list[OrderCost]:
        """A cost for every contract order that was ever sent, oldest first."""
        orders: dict[str, list[BrokerOrder]] = defaultdict(list)
        for each in self.data.db_orders.broker_orders_between(self.span.first, self.span.last):
            orders[each.parent].append(each)
        fills: dict[str, list[Fill]] = defaultdict(list)
        for fill in self.data.db_books.fills_between(self.span.first, self.span.last):
            fills[fill.broker_order or ""].append(fill)
        return [order_cost(leg, orders[leg.id], [fill for order in orders[leg.id] for fill in fills[order.id]],
                           self._market(leg, orders[leg.id])) for leg in self._legs() if orders[leg.id]]

    @cached_property
    def records(self) -> dict[str, InstrumentRecord]:
        return self.data.db_instruments.load_all()

    def charged(self) -> dict[str, Decimal]:
        """Half of the usual spread of each instrument, as the backtest charges it, in points."""
        return {code: Decimal(repr(record.instrument.slippage)) for code, record in self.records.items()
                if record.instrument.slippage > 0}

    def _legs(self) -> list[ContractOrder]:
        found = self.data.db_orders.contract_orders_between(self.span.first, self.span.last)
        return [leg for leg in found if self.span.instrument in (None, leg.instrument) and leg.instrument in
                self.records]

    @cached_property
    def _parents(self) -> dict[str, InstrumentOrder]:
        found = self.data.db_orders.instrument_orders_between(self.span.first, self.span.last)
        return {order.id: order for order in found}

    def _market(self, leg: ContractOrder, orders: list[BrokerOrder]) -> Yardsticks:
        instrument, parent = self.records[leg.instrument].instrument, self._parents.get(leg.parent)
        risk = self._risk(leg.instrument)
        sigma = risk.sigma_d if leg.spread is None else risk.spread_sigma_d
        return Yardsticks(
            multiplier=Decimal(repr(instrument.point_size)), currency=instrument.currency, rates=self._rates,
            tick=orders[0].tick, sigma_d=None if sigma is None else Decimal(repr(sigma)),
            decided=self._decided(leg, parent, orders), decided_at=None if parent is None else parent.created,
            unfilled_at=self._close(leg) if leg.residual else None,
            mid_at=lambda at, within: self._price_at(leg.contract, at, within))

    def _decided(self, leg: ContractOrder, parent: InstrumentOrder | None,
                 orders: list[BrokerOrder]) -> Decimal | None:
        """The price that the size was computed with, in this contract; of a roll the mid at which it began.

        Both legs of a roll from their mids is the combination from its mid, which is all that a roll can lose.
        """
        if leg.kind is OrderKind.ROLL:
            first = min(orders, key=lambda order: child_number(order.id))
            return first.mid
        if leg.reference_price is not None or parent is None:
            return leg.reference_price
        return self._moved(parent, leg)

    def _moved(self, parent: InstrumentOrder, leg: ContractOrder) -> Decimal | None:
        if parent.reference_price is None or parent.reference_contract is None or parent.reference_at is None:
            return None
        key = f"{leg.instrument}/{parent.reference_contract}"
        try:
            return shifted_prices(
                ContractPrice(contract=key, price=parent.reference_price, known_at=parent.reference_at),
                [leg.contract], {name: self._prices_of(name) for name in (key, leg.contract)})[leg.contract]
        except NoMatchedPrices:
            return None

    def _prices_of(self, contract: str) -> Prices:
        """The stored prices of a contract or spread, by aware times, oldest first."""
        if contract not in self._prices:
            self._prices[contract] = self._spread_prices(contract) if is_spread(contract) else self._read(contract)
        return self._prices[contract]

    def _read(self, contract: str) -> Prices:
        known = self.data.db_contract_prices.load(Contract.parse(contract))["FINAL"].dropna()
        times = pd.DatetimeIndex(known.index).to_pydatetime()
        return {at: Decimal(repr(float(price))) for at, price in zip(times, known, strict=True)}

    def _spread_prices(self, spread: str) -> Prices:
        """Whenever both months have a price."""
        near, far = map(self._prices_of, months_of(spread))
        return {at: price - near[at] for at, price in far.items() if at in near}

    def _close(self, leg: ContractOrder) -> Decimal | None:
        """The last price of the order's trading day; None when that day has none."""
        start = pd.Timestamp(leg.trading_day, tz=self.timezone)
        end = (start + pd.Timedelta(days=1)).to_pydatetime()
        known = [price for at, price in self._prices_of(leg.contract).items() if start.to_pydatetime() <= at < end]
        return known[-1] if known else None

    def _price_at(self, contract: str, at: datetime, within: timedelta) -> Decimal | None:
        """The first stored price at or soon after `at`: one much later says nothing about it."""
        return next((price for when, price in self._prices_of(contract).items() if at <= when <= at + within), None)

    def _risk(self, code: str) -> InstrumentRisk:
        if code not in self._risks:
            self._risks[code] = InstrumentRisk(self.data, self.records[code].instrument, self.base_currency,
                                               self.data.clock.now())
        return self._risks[code]

    @cached_property
    def _rates(self) -> dict[str, Decimal]:
        """Into the base currency, of every currency that is traded."""
        found = {self.base_currency: Decimal(1)}
        for currency in {record.instrument.currency for record in self.records.values()} - {self.base_currency}:
            try:
                known = self.data.db_fx_prices.rate(currency, self.base_currency).dropna()
            except DataError:
                continue
            if len(known):
                found[currency] = Decimal(repr(float(known.iloc[-1])))
        return found
