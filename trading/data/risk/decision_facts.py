"""All that the controls know when an instrument order is decided (T1), read once a run. What is not known is None."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Final

from trading.config import Config
from trading.data.data_blob import DataBlob
from trading.data.mongo.controls import StoredOverride
from trading.data.mongo.instruments import InstrumentRecord
from trading.data.risk.instrument_risk import DAYS_A_YEAR, InstrumentRisk
from trading.data.risk.portfolio_risk import PortfolioRisk
from trading.data.risk.settings import risk_settings, vol_target
from trading.errors import NotFound
from trading.execution.orders import InstrumentOrder
from trading.risk.automatic_limits import SizingFacts, order_size_limit, strategy_limit, trade_limit, usual_lots_of_risk
from trading.risk.exposure import Holding
from trading.risk.kill_level import KillState
from trading.risk.limits import Limit, LimitKind, limit_of
from trading.risk.overrides import Override, combined
from trading.risk.proposal import Proposal
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import (
    AccountFacts,
    Activity,
    InstrumentFacts,
    Margin,
    Snapshot,
    SystemFacts,
    TradeLimits,
    Window,
)
from trading.risk.trade_limits import DAY, MONTH, Bucket

MARGIN_DAYS: Final = 4.0  # our own table: the initial margin of a lot is so many of its daily standard deviations
MAINTENANCE: Final = 0.8  # of the initial margin
_SESSIONS: Final = 8


@dataclass
class DecisionFacts:
    """One run's view. Positions and orders are those of its beginning, plus what `note` is told."""

    data: DataBlob
    settings: RiskSettings
    base_currency: str
    weights: Mapping[str, float]  # of the strategies in the capital, summing to one
    vol_target: float
    now: datetime
    trading_day: date
    epoch_is_reconciled: bool

    @cached_property
    def records(self) -> dict[str, InstrumentRecord]:
        return self.data.db_instruments.load_all()

    @cached_property
    def risks(self) -> dict[str, InstrumentRisk]:
        return {code: InstrumentRisk(self.data, record.instrument, self.base_currency, self.now)
                for code, record in self.records.items()}

    @cached_property
    def _portfolio(self) -> PortfolioRisk:
        return PortfolioRisk(self.risks, self.vol_target)

    @cached_property
    def kill(self) -> KillState:
        return self.data.db_kill_state.load()

    @cached_property
    def locks(self) -> dict[str, str]:
        return self.data.db_locks.reasons()

    @cached_property
    def limits(self) -> list[Limit]:
        return self.data.db_limits.all()

    @cached_property
    def overrides(self) -> list[StoredOverride]:
        return self.data.db_overrides.all()

    @cached_property
    def held(self) -> dict[tuple[str, str], int]:
        return dict(self.data.db_books.strategy_positions())

    @cached_property
    def working(self) -> list[InstrumentOrder]:
        return self.data.db_orders.open_instrument_orders()

    @cached_property
    def contracts_held(self) -> dict[str, int]:
        return self.data.db_books.contract_positions()

    @cached_property
    def nav(self) -> float | None:
        capital = self.data.db_capital.latest()
        return None if capital is None else float(capital.total)

    def note(self, order: InstrumentOrder) -> None:
        """Count a new order among those that work."""
        self.working.append(order)

    def override_of(self, strategy: str, code: str) -> Override:
        return combined(each.override for each in self.overrides if each.covers(strategy, code))

    def limit_of(self, strategy: str, code: str) -> int | None:
        """The lots that `strategy` may hold: a limit of its own, or its share of the instrument's."""
        own = limit_of(self.limits, LimitKind.POSITION, code, strategy)
        return own if own is not None else strategy_limit(self.instrument_limit(code), self.weights.get(strategy, 1.0))

    def instrument_limit(self, code: str) -> int | None:
        """The limit that somebody has set, or the automatic one; None for an instrument that nobody knows."""
        manual = limit_of(self.limits, LimitKind.POSITION, code)
        if manual is not None or code not in self.risks:
            return manual
        return usual_lots_of_risk(self._sizing(code), len(self.risks), self.settings.automatic)

    def instrument_limits(self) -> dict[str, int]:
        """Those of all instruments that have one; of the others not enough is known to compute it."""
        found = {code: self.instrument_limit(code) for code in self.risks}
        return {code: lots for code, lots in found.items() if lots is not None}

    def daily_vol(self, lots: Mapping[str, int]) -> float | None:
        """A day's standard deviation of the money that `lots`, by instrument, make; None when one is not known."""
        held = {code for code, size in lots.items() if size}
        if not held <= self.risks.keys() or any(self.risks[code].annual_risk is None for code in held):
            return None
        return self._portfolio.volatility(lots) / math.sqrt(DAYS_A_YEAR)

    def snapshot(self, proposal: Proposal, usual_change: float | None, batch: Mapping[str, int],
                 own: str = "") -> Snapshot:
        """The facts for one order; `batch` is what all strategies want to hold after this run, lots by instrument.

        `own` is the id of the order itself, which may be stored already and must not count beside itself; one that no
        control has seen counts beside none, for it will be judged beside all that was judged before it.
        """
        others = [order for order in self.working if order.id != own]
        judged = [order for order in others if not order.is_unjudged]
        code, strategy = proposal.instrument, proposal.strategy
        now_held = self._by_instrument()
        settled = {**now_held, **batch}
        return Snapshot(
            now=self.now, trading_day=self.trading_day, instrument=self._instrument(strategy, code, usual_change),
            system=SystemFacts(kill=self.kill, epoch=1, reconciled_epoch=1 if self.epoch_is_reconciled else None,
                               is_day_reconciled=self.epoch_is_reconciled, locks=self.locks),
            holding=self._holding(code, judged), strategy_holding=self._holding(code, judged, strategy),
            contract_holdings={} if proposal.contract is None else {
                proposal.contract: self._month(proposal.contract, judged)},
            account=AccountFacts(nav=self.nav, own_margin=self._margin(settled)),
            activity=Activity(is_known_key=any(order.idempotency_key == proposal.key for order in others),
                              recent=()),
            portfolio=self._portfolio.facts(code, now_held, settled, self.nav or 0.0))

    def _instrument(self, strategy: str, code: str, usual_change: float | None) -> InstrumentFacts:
        if code not in self.risks:
            raise NotFound(f"There is no instrument {code}; nothing is traded in it. Import it: "
                           f"tradectl import pysystemtrade DIR")
        risk = self.risks[code]
        return InstrumentFacts(
            currency=risk.instrument.currency, multiplier=risk.instrument.point_size, fx=risk.fx,
            sigma_d=risk.sigma_d, settlement=risk.settlement, median_spread=risk.median_spread,
            sessions=_weekdays_before(self.now), position_limit=self.instrument_limit(code),
            strategy_limit=self.limit_of(strategy, code), order_size_limit=self.order_size(code),
            trade_limits=self.trade_limits(code), override=self.override_of(strategy, code),
            target_change_std=usual_change, contracts={})

    def order_size(self, code: str) -> int | None:
        manual = limit_of(self.limits, LimitKind.ORDER, code)
        return manual if manual is not None else order_size_limit(self._sizing(code), self.settings.automatic)

    def trade_limits(self, code: str) -> TradeLimits:
        """Lots a day and a month: set by somebody, or from the limit of the position."""
        usual, automatic = self.instrument_limit(code), self.settings.automatic
        day, month = (self._trade_limit(code, window) for window in (DAY, MONTH))
        rolls = trade_limit(usual, Bucket.ROLLS, DAY, automatic)
        return TradeLimits(day=day, month=month, rolls_day=rolls, rolls_month=rolls)

    def _trade_limit(self, code: str, window: timedelta) -> int | None:
        set_by_hand = [each.lots for each in self.limits if each.kind is LimitKind.TRADE and each.instrument == code
                       and each.strategy is None and timedelta(days=each.days) == window]
        return min(set_by_hand, default=trade_limit(self.instrument_limit(code), Bucket.TRADES, window,
                                                    self.settings.automatic))

    def _sizing(self, code: str) -> SizingFacts:
        """By risk; what the volume or the exchange allow is for a person to set, while nobody records it."""
        risk = self.risks[code]
        return SizingFacts(capital=self.nav, annual_risk_per_contract=risk.annual_risk,
                           notional_per_contract=risk.notional, adv=float("inf"), exchange_limit=float("inf"),
                           top_of_book=float("inf"))

    def _holding(self, code: str, orders: Iterable[InstrumentOrder], strategy: str | None = None) -> Holding:
        mine = [order for order in orders if order.instrument == code and strategy in (None, order.strategy)]
        return Holding(
            position=sum(lots for (whose, each), lots in self.held.items() if each == code and strategy in (
                None, whose)),
            working_buys=sum(max(0, order.residual) for order in mine),
            working_sells=sum(max(0, -order.residual) for order in mine))

    def _month(self, contract: str, others: Iterable[InstrumentOrder]) -> Holding:
        """Of a contract that an order names: what is held, and what works there or is about to."""
        legs = [leg.lots_in(contract, leg.residual) for leg in self.data.db_orders.open_contract_orders()]
        planned = [order.residual for order in others if order.contract == contract and order.next_child == 1]
        lots = (*legs, *planned)
        return Holding(position=self.contracts_held.get(contract, 0), working_buys=sum(max(0, each) for each in lots),
                       working_sells=sum(max(0, -each) for each in lots))

    def _by_instrument(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for (_, code), lots in self.held.items():
            found[code] = found.get(code, 0) + lots
        return found

    def settled_with(self, order: InstrumentOrder) -> dict[str, int]:
        """Lots by instrument once everything that was judged, and `order`, is filled."""
        found = self._by_instrument()
        others = [each for each in self.working if each.id != order.id and not each.is_unjudged]
        for each in (*others, order):
            found[each.instrument] = found.get(each.instrument, 0) + each.residual
        return found

    def margin_now(self) -> Margin | None:
        """What all positions and working orders of the beginning need."""
        lots = self._by_instrument()
        for order in self.working:
            lots[order.instrument] = lots.get(order.instrument, 0) + order.residual
        return self._margin(lots)

    def _margin(self, lots: Mapping[str, int]) -> Margin | None:
        """Our own estimate of what the positions need, all together without any relief."""
        needs = [self._margin_of(code) for code, size in lots.items() if size]
        if self.nav is None or any(need is None for need in needs):
            return None
        initial = sum(abs(size) * (self._margin_of(code) or 0.0) for code, size in lots.items() if size)
        return Margin(initial_after=initial, maintenance_after=MAINTENANCE * initial, equity_after=self.nav,
                      currency=self.base_currency)

    def _margin_of(self, code: str) -> float | None:
        risk = self.risks.get(code)
        if risk is None or risk.sigma_d is None or risk.money_per_point is None:
            return None
        return MARGIN_DAYS * risk.sigma_d * risk.money_per_point


def _weekdays_before(now: datetime) -> tuple[Window, ...]:
    """Sessions for the age of a decision: each weekday from midnight to midnight, UTC."""
    days = (now.date() - timedelta(days=back) for back in range(2 * _SESSIONS, -1, -1))
    return tuple(Window(start=datetime.combine(day, time(0), UTC), end=datetime.combine(
        day + timedelta(days=1), time(0), UTC)) for day in days if day.weekday() < 5)


def decision_facts(data: DataBlob, config: Config, trading_day: date) -> DecisionFacts:
    """What the controls know on `trading_day`."""
    weights = {name: strategy.weight for name, strategy in config.strategies.items()}
    whole = sum(weights.values()) or 1.0
    return DecisionFacts(
        data=data, settings=risk_settings(config), base_currency=config.service.base_currency,
        weights={name: weight / whole for name, weight in weights.items()}, vol_target=vol_target(config),
        now=data.clock.now(), trading_day=trading_day, epoch_is_reconciled=True)
