"""All that the controls know when a broker order is intended (T2): contract, quote, and what was sent lately."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from trading.broker.facts import ContractDetails
from trading.data.risk.decision_facts import DecisionFacts
from trading.errors import DataError
from trading.execution.broker_orders import SENT_PERHAPS, BrokerLifecycle, BrokerOrder
from trading.execution.fills import Fill
from trading.execution.order_ids import FRONT_LEG, leg_number
from trading.execution.orders import ContractOrder
from trading.execution.quotes import Touch
from trading.execution.spreads import is_spread, months_of, share_a_month
from trading.objects.open_days import OpenDays
from trading.objects.trading_hours import open_hours
from trading.risk.exposure import Holding
from trading.risk.kill_level import KillState
from trading.risk.message_bucket import full_bucket
from trading.risk.order_kind import OrderKind
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import (
    AccountFacts,
    Activity,
    ContractFacts,
    ContractTerms,
    InstrumentFacts,
    PriceStep,
    Quote,
    RecentOrder,
    Snapshot,
    SystemFacts,
    Window,
)
from trading.risk.trade_limits import MONTH, Bucket, TradedLots

OUT_BEFORE_LAST_DAY: Final = 2  # business days; the roll rules know first notice days


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What was sent and filled, read for each broker order: all of its instrument, and of the others how many."""

    live: tuple[BrokerOrder, ...]
    today: tuple[BrokerOrder, ...]  # of this trading day, live or not
    open_orders: int  # live ones of the whole system
    in_flight: int  # of these, those that the broker has not acknowledged
    day_orders: int  # of this trading day, of the whole system
    siblings: tuple[BrokerOrder, ...]  # of the same contract order
    fills: tuple[Fill, ...]  # of the instrument, the last 30 days
    kill: KillState
    locks: dict[str, str]
    positions: dict[str, int]  # by contract of the instrument


@dataclass(frozen=True, kw_only=True)
class Usual:
    """In points; None for what is not known."""

    sigma_d: float | None
    settlement: Decimal | None
    quoted_spread: Decimal | None


@dataclass(frozen=True, kw_only=True)
class IntentFacts:
    """The facts of one run; what changes within it comes as Flow."""

    decision: DecisionFacts
    settings: RiskSettings
    details: Callable[[str], ContractDetails]
    approved_months: Callable[[str], frozenset[str]]  # contract keys that may be opened
    trading_day: date

    def snapshot(self, leg: ContractOrder, touch: Touch | None, flow: Flow, now: datetime,
                 months: Iterable[str]) -> Snapshot:
        """Everything, for one broker order of `leg`; what is held and works in each of `months`, contract keys."""
        mine = tuple(order for order in flow.live if order.instrument == leg.instrument)
        return Snapshot(
            now=now, trading_day=self.trading_day, instrument=self._instrument(leg, touch),
            system=SystemFacts(kill=flow.kill, epoch=1, reconciled_epoch=1, is_day_reconciled=True, locks=flow.locks),
            holding=_holding(_instrument_lots(leg.instrument, flow.positions), mine),
            strategy_holding=_holding(self.decision.held.get((leg.strategy, leg.instrument), 0), [
                order for order in mine if order.strategy == leg.strategy]),
            contract_holdings={month: _holding_of(flow.positions.get(month, 0), [
                order.committed_in(month) for order in mine]) for month in months},
            account=AccountFacts(nav=self.decision.nav, own_margin=self.decision.margin_now()),
            activity=self._activity(leg, flow, now))

    def _instrument(self, leg: ContractOrder, touch: Touch | None) -> InstrumentFacts:
        code, details = leg.instrument, self.details(leg.contract)
        risk, usual = self.decision.risks[code], self.usual(leg.contract)
        return InstrumentFacts(
            currency=risk.instrument.currency, multiplier=risk.instrument.point_size, fx=risk.fx, sigma_d=risk.sigma_d,
            combination_sigma_d=usual.sigma_d if leg.spread else None,
            price_steps=(PriceStep(above=Decimal(0), increment=details.min_tick),),
            settlement=usual.settlement, median_spread=usual.quoted_spread, sessions=sessions_of(details),
            quote=None if touch is None else Quote(bid=touch.bid, ask=touch.ask, at=touch.at, is_live=True),
            contracts={month: self._contract(month) for month in months_of(leg.contract)},
            order_size_limit=self.decision.order_size(code), position_limit=self.decision.instrument_limit(code),
            trade_limits=self.decision.trade_limits(code), strategy_trade_limits=self.decision.trade_limits(code),
            strategy_limit=self.decision.limit_of(leg.strategy, code),
            override=self.decision.override_of(leg.strategy, code))

    def usual(self, contract: str) -> "Usual":
        """What is usual for a contract, or for a spread by its key, whose market is no wider than that of a month.

        A spread may have stood still for weeks; a collar of less than some ticks would forbid every price of it.
        """
        risk = self.decision.risks[contract.rpartition("/")[0]]
        if not is_spread(contract):
            return Usual(sigma_d=risk.sigma_d, settlement=risk.settlement, quoted_spread=risk.median_spread)
        least = self.settings.price.collar_ticks * float(self.details(contract).min_tick)
        sigma = None if risk.spread_sigma_d is None else max(risk.spread_sigma_d, least)
        return Usual(sigma_d=sigma, settlement=risk.spread_settlement, quoted_spread=risk.median_spread)

    def _contract(self, month: str) -> ContractFacts:
        """Our terms come from the configuration, the broker's from what it described."""
        details, instrument = self.details(month), month.rpartition("/")[0]
        last = date.fromisoformat(details.last_trade_date) if details.last_trade_date else None
        days, days_left = OpenDays(), None
        out_by = None if last is None else days.before(last, OUT_BEFORE_LAST_DAY)
        if last is not None:
            days_left = days.between(self.trading_day, last) if last > self.trading_day else 0
        terms = ContractTerms(con_id=details.con_id, instrument=instrument, month=details.contract_month,
                              exchange=details.exchange, currency=details.currency,
                              multiplier=Decimal(details.multiplier or 1), tick=details.min_tick)
        return ContractFacts(
            terms=self._our_terms(month, terms), broker_terms=terms, verified_on=self.trading_day,
            last_trading_day=last, must_be_out_by=out_by, days_to_close_out=days_left, has_permission=True,
            is_close_only=False, is_approved=month in self.approved_months(instrument),
            position_limit=self.decision.instrument_limit(instrument))

    def _our_terms(self, month: str, theirs: ContractTerms) -> ContractTerms:
        record = self.decision.records[theirs.instrument]
        if record.broker is None:
            return theirs
        return ContractTerms(
            con_id=theirs.con_id, instrument=theirs.instrument, month=month.rpartition("/")[2][:6],
            exchange=record.broker.exchange, currency=record.broker.currency, tick=theirs.tick,
            multiplier=Decimal(record.broker.multiplier or theirs.multiplier))

    def _activity(self, leg: ContractOrder, flow: Flow, now: datetime) -> Activity:
        on_contract = [order for order in flow.live if share_a_month(order.contract, leg.contract)]
        ended = [order for order in flow.siblings if not order.may_be_alive]
        return Activity(
            is_known_key=False, traded=_traded(leg.instrument, flow, now),
            strategy_traded=_traded(leg.instrument, flow, now, leg.strategy),
            recent=tuple(RecentOrder(contract=order.contract, quantity=order.quantity, limit_price=order.limit_price,
                                     parent=order.parent, sent_at=order.sent) for order in flow.today
                         if order.sent is not None),
            open_buys=sum(order.quantity > 0 for order in on_contract),
            open_sells=sum(order.quantity < 0 for order in on_contract), open_orders=flow.open_orders,
            in_flight_contract=sum(order.lifecycle in SENT_PERHAPS for order in on_contract),
            in_flight=flow.in_flight,
            unknown_contract=sum(order.lifecycle is BrokerLifecycle.UNKNOWN for order in on_contract),
            parent_sent_at=tuple(order.sent for order in flow.siblings if order.sent is not None),
            parent_unfilled_at=_unfilled_in_a_row(ended), parent_fill=leg.filled, parent_quantity=leg.quantity,
            bucket=full_bucket(now, self.settings.flow),
            instrument_day_orders=sum(order.instrument == leg.instrument for order in flow.today),
            system_day_orders=flow.day_orders, chase=0.0, day_chase=0.0)


def _traded(instrument: str, flow: Flow, now: datetime, strategy: str | None = None) -> tuple[TradedLots, ...]:
    """Lots filled within 30 days, and lots that may still fill; of a roll those of its front month only."""
    filled = [TradedLots(at=fill.at, lots=abs(fill.quantity), bucket=_bucket(fill.kind))
              for fill in flow.fills if fill.instrument == instrument and fill.at > now - MONTH
              and strategy in (None, fill.strategy)
              and not fill.is_behind and not _is_behind(fill.kind, fill.broker_order or "")]
    live = [TradedLots(at=now, lots=abs(order.committed), bucket=_bucket(order.kind), is_live=True)
            for order in flow.live if order.instrument == instrument and strategy in (None, order.strategy)
            and not _is_behind(order.kind, order.id)]
    return (*filled, *live)


def _is_behind(kind: OrderKind | None, broker_order: str) -> bool:
    """Whether it opened the next month of a roll: lots that were counted when the front month was closed."""
    return kind is OrderKind.ROLL and leg_number(broker_order) != FRONT_LEG


def _bucket(kind: OrderKind | None) -> Bucket:
    return Bucket.ROLLS if kind is OrderKind.ROLL else Bucket.TRADES


def _unfilled_in_a_row(ended: Iterable[BrokerOrder]) -> tuple[datetime, ...]:
    """When the newest orders in a row ended without a fill, as far as it is known when they were sent."""
    found: list[datetime] = []
    for order in reversed(list(ended)):
        if order.filled or order.sent is None:
            break
        found.append(order.sent)
    return tuple(found)


def _holding(position: int, orders: Iterable[BrokerOrder]) -> Holding:
    """Of an instrument: a spread changes nothing in it."""
    return _holding_of(position, [order.net_committed for order in orders])


def _holding_of(position: int, committed: Sequence[int]) -> Holding:
    return Holding(position=position, working_buys=sum(lots for lots in committed if lots > 0),
                   working_sells=-sum(lots for lots in committed if lots < 0))


def _instrument_lots(instrument: str, positions: dict[str, int]) -> int:
    return sum(lots for key, lots in positions.items() if key.rpartition("/")[0] == instrument)


def sessions_of(details: ContractDetails) -> tuple[Window, ...] | None:
    """When the contract trades. None when the broker's words cannot be understood: then only reductions pass."""
    try:
        found = open_hours(details.trading_hours, details.time_zone)
    except DataError:
        return None
    return tuple(Window(start=each.start, end=each.end) for each in found) or None

