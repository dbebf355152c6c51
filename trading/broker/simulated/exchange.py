"""The exchange: accepts, changes, wakes, fills and ends orders. Pure: every function returns Changes.

An order meets the touch that stands when it becomes active, and then every later print; so it fills the same whether
or not the gateway was running then. One call of `advance` is one event; call it until nothing more happens.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from heapq import merge
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from trading.broker.simulated import bars, hours
from trading.broker.simulated.account import MARGIN
from trading.broker.simulated.adaptive import improvements, working_limit
from trading.broker.simulated.book import Book, Changes
from trading.broker.simulated.combination import PricedLeg, leg_prices
from trading.broker.simulated.exchange_hours import ExchangeHours, Timetable
from trading.broker.simulated.listing import BAG, CASH, FUTURE, ContractFacts, ListedContract
from trading.broker.simulated.matching import Offer, Slice, sweep
from trading.broker.simulated.order_types import OrderType, TimeInForce, order_type
from trading.broker.simulated.orders import Action, Execution, Order, OrderStatus
from trading.broker.simulated.place_order import PlaceOrder
from trading.broker.simulated.recorded_market import NO_PRINTS, Prints, instant_of, nanoseconds
from trading.broker.simulated.refusals import Refusal
from trading.broker.simulated.triggers import (
    PricesOf,
    conditions_text,
    met_at,
    stop_limit,
    trigger,
)

FOR_EVER: Final = 2**63 - 1
NEVER: Final = datetime.max.replace(tzinfo=UTC)
EXPIRED: Final = "Expired"
NOT_FILLED_AT_ONCE: Final = "The order could not be filled at once."


def _no_prices(_con_id: int) -> Prints:
    return NO_PRINTS


@dataclass(frozen=True)
class Venue:
    """Whose orders these are, when each exchange opens, and how much it offers at a price.

    `zone` is that of times which a client writes without one.
    """

    account: str
    zone: ZoneInfo
    timetable: Timetable
    lots: int = 100
    prices_of: PricesOf = field(default=_no_prices, compare=False)

    def hours(self, contract: ListedContract) -> ExchangeHours:
        return self.timetable.of(contract.facts.exchange)


@dataclass(frozen=True)
class Identity:
    """Who owns a new order, and its number for ever."""

    client_id: int
    perm_id: int


@dataclass(frozen=True)
class Market:
    """One contract as an order meets it; a combination brings its legs."""

    contract: ListedContract
    legs: tuple[PricedLeg, ...] = ()


@dataclass(frozen=True)
class Moment:
    """A time to trade, the last price then, and between which nanoseconds that price is the last one."""

    at: datetime
    price: float
    printed: int
    replaced: int


def accept(request: PlaceOrder, contract: ListedContract, identity: Identity, venue: Venue,
           now: datetime) -> Changes:
    """A new order, held until the next match; its terms were checked before."""
    order = Order(
        perm_id=identity.perm_id, client_id=identity.client_id, order_id=request.order_id, con_id=contract.facts.con_id,
        account=request.account or venue.account, action=Action(request.action), quantity=int(request.quantity),
        order_type=order_type(request.order_type) or OrderType.MARKET, limit_price=None, tif=TimeInForce.DAY,
        order_ref=request.order_ref, outside_rth=request.outside_rth, status=OrderStatus.PRE_SUBMITTED, placed_at=now,
        active_from=now, expires_at=None, parent_id=request.parent_id, oca_group=request.oca_group,
        oca_type=request.oca_type, algo=request.algo_strategy, algo_params=json.dumps(request.algo_params),
        routing=json.dumps(request.routing), conditions=conditions_text(request.conditions),
        conditions_met=not request.conditions, conditions_cancel=request.conditions_cancel)
    return Changes(orders=(_with_terms(order, request, contract, venue, now),), contracts=(contract.facts,))


def reject(accepted: Changes, refusal: Refusal, now: datetime) -> Changes:
    """The order exists, but never worked."""
    rejected = tuple(replace(order, status=OrderStatus.INACTIVE, finished_at=now, reason=refusal.text)
                     for order in accepted.orders)
    return replace(accepted, orders=rejected)


def modify(order: Order, request: PlaceOrder, contract: ListedContract, venue: Venue, now: datetime) -> Changes:
    """New terms for an open order; they meet the market from now on, not from when it was placed."""
    changed = replace(order, quantity=int(request.quantity), order_ref=request.order_ref or order.order_ref,
                      outside_rth=request.outside_rth)
    return Changes(orders=(_with_terms(changed, request, contract, venue, now),))


def cancel(order: Order, reason: str, now: datetime) -> Changes:
    return Changes(orders=(replace(order, status=OrderStatus.CANCELLED, finished_at=now, reason=reason),))


def advance(order: Order, market: Market, book: Book, venue: Venue, now: datetime) -> Changes | None:
    """The next thing that the record did to an open order by `now`; None when nothing."""
    until = now if order.expires_at is None else min(now, order.expires_at)
    if order.is_held:
        return ended(order, now)
    if not order.conditions_met:
        return _awaited(order, venue, until) or ended(order, now)
    if order.order_type.has_trigger and not order.triggered:
        return _woken(order, market.contract, until) or ended(order, now)
    return _fill(order, market, book, venue, until) or ended(order, now) or _working(order, now)


def what_if_margin(order: Order, contract: ListedContract, price: float) -> float:
    """A tenth of the order's value, in the contract's currency; a plausible figure, no model of any exchange."""
    return abs(order.quantity * price * contract.facts.point_value) * MARGIN


def _with_terms(order: Order, request: PlaceOrder, contract: ListedContract, venue: Venue, now: datetime) -> Order:
    """`order` with those terms of `request` that a modification may change."""
    tif, own = TimeInForce(request.tif or "DAY"), venue.hours(contract)
    active_from = _active_from(order.order_type, tif, own, now)
    return replace(
        order, tif=tif, limit_price=request.limit_price if order.order_type.has_limit else None,
        aux_price=request.aux_price, trail_stop=request.trail_stop_price, trailing_percent=request.trailing_percent,
        limit_offset=request.limit_offset, transmit=request.transmit, good_till=request.good_till,
        active_from=active_from, expires_at=_expires_at(contract.facts, _end_of(request, tif, venue), active_from, own))


def _active_from(kind: OrderType, tif: TimeInForce, own: ExchangeHours, now: datetime) -> datetime:
    if kind.is_on_close:
        return own.session_close(now)
    if tif is TimeInForce.AT_OPEN and own.is_open(now):
        return own.next_open(own.session_close(now))
    return own.next_open(now)


def _awaited(order: Order, venue: Venue, until: datetime) -> Changes | None:
    moment = met_at(order, venue.prices_of, lambda text: bars.parse_end(text, order.placed_at, venue.zone), until)
    if moment is None:
        return None
    if order.conditions_cancel:
        return cancel(order, "A condition was met.", moment)
    return Changes(orders=(replace(order, conditions_met=True, active_from=max(moment, order.active_from)),))


def _woken(order: Order, contract: ListedContract, until: datetime) -> Changes | None:
    found = trigger(order, contract.prints, until)
    if found is None:
        return None
    moment, level = found
    return Changes(orders=(replace(order, triggered=True, active_from=moment, status=OrderStatus.SUBMITTED,
                                   limit_price=stop_limit(order, level, contract.grid)),))


def _fill(order: Order, market: Market, book: Book, venue: Venue, until: datetime) -> Changes | None:
    for moment in _moments(order, market.contract, until, venue.hours(market.contract)):
        slices = sweep(order.action, order.remaining, _limit_at(order, market.contract, moment),
                       _offer(order, market.contract, moment, book, venue.lots))
        whole = sum(part.shares for part in slices) == order.remaining
        if slices and (whole or order.tif is not TimeInForce.ALL_OR_NOTHING):
            return filled(order, market, book, slices[0], moment.at)
        if _is_at_once(order):
            return cancel(order, NOT_FILLED_AT_ONCE, moment.at)
    return None


def _limit_at(order: Order, contract: ListedContract, moment: Moment) -> Decimal | None:
    """The worst price at which the order trades then."""
    return working_limit(order, contract, moment.at) if order.algo else order.limit_price


def _offer(order: Order, contract: ListedContract, moment: Moment, book: Book, lots: int) -> Offer:
    if contract.facts.sec_type == CASH:
        return Offer(touch=contract.touch(moment.price), grid=contract.grid, lots=None)
    taken = sum(fill.shares for fill in book.fills_of.get(order.con_id, ())
                if fill.action is order.action and moment.printed <= nanoseconds(fill.time) < moment.replaced)
    return Offer(touch=contract.touch(moment.price), grid=contract.grid, lots=lots, taken=taken)


def _moments(order: Order, contract: ListedContract, until: datetime, own: ExchangeHours) -> Iterator[Moment]:
    """When the order may trade up to `until`, in the order of time."""
    if not order.algo:
        return _at_prints(order, contract, until, own)
    return merge(_at_prints(order, contract, until, own), _at_improvements(order, contract, until, own),
                 key=lambda moment: moment.at)


def _at_improvements(order: Order, contract: ListedContract, until: datetime, own: ExchangeHours) -> Iterator[Moment]:
    """When an order that is worked by an algorithm stands at another price."""
    for at in improvements(order, contract.prints, until):
        number = len(contract.prints.until(at)) - 1
        if number >= 0 and at > (order.last_fill_at or order.active_from) and own.is_open(at):
            yield _moment(at, contract.prints, number)


def _at_prints(order: Order, contract: ListedContract, until: datetime, own: ExchangeHours) -> Iterator[Moment]:
    """When it becomes active, and at every print then; one outside the session is traded at the next opening."""
    start = max(order.active_from, order.last_fill_at or order.active_from)
    if start > until:
        return
    prints = contract.prints
    first = len(prints.until(start)) - 1
    if first >= 0:
        yield _moment(start, prints, first)
    for offset in np.flatnonzero(_may_trade(order, contract, prints.after(start).until(until))):
        at = first + 1 + int(offset)
        opening = own.next_open(instant_of(int(prints.times[at])))
        if opening <= until:
            yield _moment(opening, prints, at)


def _moment(at: datetime, prints: Prints, number: int) -> Moment:
    replaced = int(prints.times[number + 1]) if number + 1 < len(prints) else FOR_EVER
    return Moment(at, float(prints.prices[number]), int(prints.times[number]), replaced)


def _may_trade(order: Order, contract: ListedContract, prints: Prints) -> "np.ndarray[tuple[int], np.dtype[np.bool]]":
    """A quick look with a tick of slack, the largest; the exact touch decides afterwards."""
    if order.limit_price is None:
        return np.ones(len(prints), dtype=np.bool_)
    reach = float(order.limit_price + order.action.sign * (contract.grid.coarsest - contract.half_spread))
    crossing = prints.prices <= reach if order.action is Action.BUY else prints.prices >= reach
    return np.asarray(crossing, dtype=np.bool_)


def ended(order: Order, now: datetime) -> Changes | None:
    """The end of an order whose time is over; None while it is not."""
    if order.expires_at is None or order.expires_at > now:
        return None
    return cancel(order, EXPIRED, order.expires_at)


def _working(order: Order, now: datetime) -> Changes | None:
    if order.status is not OrderStatus.PRE_SUBMITTED or order.active_from > now:
        return None
    return Changes(orders=(replace(order, status=OrderStatus.SUBMITTED),))


def _is_at_once(order: Order) -> bool:
    at_once = (TimeInForce.AT_ONCE, TimeInForce.ALL_OR_NOTHING, TimeInForce.AT_OPEN)
    return order.tif in at_once or order.order_type.is_on_close


def filled(order: Order, market: Market, book: Book, part: Slice, moment: datetime) -> Changes:
    """`part` of `order` trades."""
    contract, price = market.contract, float(part.price)
    total = order.filled + part.shares
    average = (order.average_price * order.filled + price * part.shares) / total
    row = Execution(
        exec_id=book.next_exec_id(), perm_id=order.perm_id, client_id=order.client_id, order_id=order.order_id,
        con_id=order.con_id, account=order.account, action=order.action, shares=part.shares, price=price, time=moment,
        commission=0.0, currency=contract.facts.currency, realised=None, order_ref=order.order_ref,
        cumulative=total, average=average)
    rows = _leg_rows(row, market, book, moment) if contract.facts.sec_type == BAG else (_costed(row, contract, book),)
    commission = order.commission + sum(each.commission for each in rows)
    done = replace(order, status=OrderStatus.SUBMITTED if total < order.quantity else OrderStatus.FILLED,
                   filled=total, average_price=average, commission=commission, last_fill_at=moment,
                   last_fill_price=price, commission_currency=contract.facts.currency,
                   finished_at=None if total < order.quantity else moment)
    return Changes(orders=(done,), executions=rows,
                   contracts=tuple(leg.contract.facts for leg in market.legs))


def _leg_rows(row: Execution, market: Market, book: Book, moment: datetime) -> tuple[Execution, ...]:
    """The combination itself, without commission, then each leg with its own."""
    last = [leg.contract.prints.until(moment).last() or 0.0 for leg in market.legs]
    prices = leg_prices(market.legs, last, row.price)
    rows = [row]
    for part, (leg, price) in enumerate(zip(market.legs, prices, strict=True), 2):
        bought = leg.weight * row.action.sign > 0
        rows.append(_costed(replace(
            row, exec_id=book.next_exec_id(part), con_id=leg.contract.facts.con_id, price=price,
            action=Action.BUY if bought else Action.SELL, shares=row.shares * leg.leg.ratio,
            cumulative=row.cumulative * leg.leg.ratio, average=price), leg.contract, book))
    return tuple(rows)


def _costed(row: Execution, contract: ListedContract, book: Book) -> Execution:
    with_cost = replace(row, commission=contract.commission(row.shares, row.price), currency=contract.facts.currency)
    return replace(with_cost, realised=_realised(with_cost, contract.facts, book))


def _realised(execution: Execution, facts: ContractFacts, book: Book) -> float | None:
    held = book.account(execution.account).holding(execution.con_id)
    if facts.sec_type != FUTURE or not held.closing_part(execution.signed_shares):
        return None
    value = execution.signed_shares * execution.price * facts.point_value
    return held.after(execution.signed_shares, value, execution.commission).realised - held.realised


def _end_of(request: PlaceOrder, tif: TimeInForce, venue: Venue) -> datetime | None:
    """When the order ends by its own terms: None for those of a session, the end of time for those without an end."""
    if tif is TimeInForce.UNTIL_CANCELLED:
        return NEVER
    return bars.parse_end(request.good_till, NEVER, venue.zone) if tif is TimeInForce.UNTIL_DATE else None


def _expires_at(facts: ContractFacts, ends: datetime | None, active_from: datetime,
                own: ExchangeHours) -> datetime | None:
    """A day order ends with its session; every order ends with its contract."""
    first = ends or (own.session_close(active_from) if own.is_open(active_from) else active_from)
    last = min(first, _last_close(facts, own)) if facts.expiry else first
    return None if last == NEVER else last


def _last_close(facts: ContractFacts, own: ExchangeHours) -> datetime:
    """The end of the last trading day of a contract."""
    day = date(int(facts.expiry[:4]), int(facts.expiry[4:6]), int(facts.expiry[6:8]))
    closes = [session.closes for session in own.sessions(day, day)]
    return max(closes, default=hours.midnight(day + timedelta(days=1), own.tz))
