"""A firm at its desk for the order benchmarks: two hundred generated instruments, prices, capital, open markets.

Only the broker is missing: quotes stand still, and what is handed over to be sent is not. Stores, controls, algos and
orders are the real ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from benchmarks.stored_system import stored
from trading.broker.facts import ContractDetails
from trading.clock import Clock, clock_as_of
from trading.data.csv.sample_markets import write_sample_markets
from trading.data.data_blob import DataBlob
from trading.data.import_pysystemtrade import PysystemtradeImport
from trading.data.mongo.connection import MongoStore
from trading.data.risk.decision_facts import DecisionFacts
from trading.data.risk.intent_controls import IntentControls
from trading.data.risk.intent_facts import IntentFacts
from trading.data.risk.seen_once import SeenOnce
from trading.data.risk.settings import DEFAULTS, for_account
from trading.data.roll_watch import RollWatch
from trading.execution.broker_messages import BrokerMessage
from trading.execution.quotes import Touch
from trading.objects.capital import Capital
from trading.objects.contracts import Contract
from trading.objects.instruments import BrokerInstrument
from trading.risk.settings import RiskSettings

INSTRUMENTS = 200
EVENING = datetime(2023, 6, 30, 18, tzinfo=UTC)  # the last day of the generated prices
DAY = date(2023, 6, 30)
OPEN = "20230630:0000-20230630:2359"


@dataclass
class Firm:
    """What a job has in hand."""

    data: DataBlob
    clock: Clock
    decision: DecisionFacts
    settings: RiskSettings
    controls: IntentControls
    watch: RollWatch
    market: "StillMarket"


@contextmanager
def firm(folder: Path) -> Iterator[Firm]:
    """A firm over an embedded store in `folder`."""
    with stored(folder) as opened:
        store = replace(opened, clock=clock_as_of(EVENING))
        furnish(store, folder)
        yield opened_firm(store, folder)


def furnish(store: MongoStore, folder: Path) -> None:
    """The sixteen generated markets, and each of them again under other names."""
    write_sample_markets(folder / "markets", seed=1)
    list(PysystemtradeImport(store, folder / "markets", ZoneInfo("Europe/London"), 20).run())
    data = DataBlob(store=store, clock=store.clock, socket=folder / "none.sock")
    known = data.db_instruments.load_all()
    originals = sorted(known)
    series = {code: (data.db_adjusted_prices.load(code), data.db_multiple_prices.load(code)) for code in originals}
    for number in range(len(originals), INSTRUMENTS):
        original = originals[number % len(originals)]
        code, record = f"{original}{number}", known[original]
        broker = None if record.broker is None else replace(record.broker, code=code)
        known[code] = replace(record, instrument=replace(record.instrument, code=code), broker=broker)
        data.db_adjusted_prices.append(code, series[original][0])
        data.db_multiple_prices.append(code, series[original][1])
    for pair in data.db_fx_prices.pairs():
        newest = data.db_fx_prices.load(pair).rates.tail(1)
        if newest.index[-1].date() < DAY:
            data.db_fx_prices.append(pair, newest.set_axis(pd.DatetimeIndex([EVENING]).as_unit("ms").floor("D")))
    data.db_instruments.save_all(known)
    data.db_capital.save(DAY.isoformat(), Capital.opened_with(500_000_000.0))


def opened_firm(store: MongoStore, folder: Path) -> Firm:
    """One job's view of it."""
    data = DataBlob(store=store, clock=store.clock, socket=folder / "none.sock")
    decision = DecisionFacts(
        data=data, settings=replace(DEFAULTS, automatic=replace(DEFAULTS.automatic, risk_target=0.2)),
        base_currency="USD", weights={"bench": 1.0}, vol_target=0.2, now=store.clock.now(), trading_day=DAY,
        epoch_is_reconciled=True)
    settings = for_account(decision.settings, decision.risks)
    settings = replace(settings, size=replace(settings.size, class_risk_share=1.0))  # the markets are few, repeated
    watch = RollWatch(data, DAY, who="bench", is_recorded=True)
    contracts = {code: watch.contracts(code) for code in decision.records}
    market = StillMarket(data, {each.front.key: number for number, each in enumerate(contracts.values())})
    for code, each in contracts.items():
        market.describe(each.front.key, decision.records[code].broker, decision)
    facts = IntentFacts(
        decision=decision, settings=settings, details=market.tradable, trading_day=DAY,
        approved_months=lambda code: frozenset({contracts[code].front.key}))
    return Firm(data=data, clock=store.clock, decision=decision, settings=settings, watch=watch, market=market,
                controls=IntentControls(data=data, facts=facts, settings=settings, seen=SeenOnce(data)))


@dataclass
class StillMarket:
    """Contracts that are open, and whose quote is always fresh and never moves."""

    data: DataBlob
    con_ids: dict[str, int]
    _details: dict[str, ContractDetails] = field(default_factory=dict)
    _mids: dict[str, Decimal] = field(default_factory=dict)

    def describe(self, contract: str, broker: BrokerInstrument | None, decision: DecisionFacts) -> None:
        risk = decision.risks[Contract.parse(contract).instrument]
        assert risk.settlement is not None
        assert risk.median_spread is not None
        tick = risk.median_spread
        self._mids[contract] = round(risk.settlement / tick) * tick
        self._details[contract] = ContractDetails(
            con_id=self.con_ids[contract], symbol="X", local_symbol="X",
            exchange="CME" if broker is None else broker.exchange, time_zone="UTC",
            currency=risk.instrument.currency, multiplier=broker.multiplier if broker is not None else "1",
            price_magnifier=1, min_tick=tick, contract_month=contract.rpartition("/")[2][:6],
            last_trade_date="20231230", trading_hours=OPEN)

    def tradable(self, contract: str) -> ContractDetails:
        return self._details[contract]

    def touch(self, contract: str) -> Touch:
        mid, tick = self._mids[contract], self._details[contract].min_tick
        return Touch(bid=mid, ask=mid + tick, at=self.data.clock.now())

    def contract_of(self, con_id: int) -> str | None:
        return next((key for key, number in self.con_ids.items() if number == con_id), None)


class DeafSender:
    """Hands nothing over."""

    def submit(self, order_id: str) -> str:
        return order_id

    def change(self, order_id: str, limit: Decimal) -> str:  # noqa: ARG002 (the port's)
        return order_id

    def cancel(self, order_id: str) -> None: ...
    def refresh(self) -> None: ...

    def messages(self, after: int, wait_s: float) -> list[BrokerMessage]:  # noqa: ARG002 (the port's)
        return []
