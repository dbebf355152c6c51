"""The recorded exchange: accepts, changes, fills and ends orders. Pure: every function returns Changes.

A market order fills at the touch; a limit order fills at the touch as soon as the touch is at or through its
limit, so never worse than the limit. The whole size fills at once. An order meets the touch that stands when it
becomes active, and then every later print; so it fills the same whether or not the gateway was running then.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from trading.broker.simulated import hours
from trading.broker.simulated.listing import FUTURE, ContractFacts, ListedContract, Touch
from trading.broker.simulated.orders import Action, Book, Changes, Execution, Order, OrderStatus
from trading.broker.simulated.place_order import PlaceOrder
from trading.broker.simulated.recorded_market import Prints, instant_of
from trading.broker.simulated.refusals import Refusal

MARGIN: Final = 0.1


@dataclass(frozen=True)
class Venue:
    """Whose orders these are, and by which zone's days the exchange opens and closes."""

    account: str
    zone: ZoneInfo


@dataclass(frozen=True)
class Identity:
    """Who owns a new order, and its number for ever."""

    client_id: int
    perm_id: int


@dataclass(frozen=True)
class Fill:
    """When an order fills, and at what price."""

    time: datetime
    price: float


def accept(request: PlaceOrder, contract: ListedContract, identity: Identity, venue: Venue,
           now: datetime) -> Changes:
    """A new order, held until the next match; its terms were checked before."""
    active_from = hours.next_open(now, venue.zone)
    tif = request.tif or "DAY"
    order = Order(
        perm_id=identity.perm_id, client_id=identity.client_id, order_id=request.order_id, con_id=contract.facts.con_id,
        account=venue.account, action=Action(request.action), quantity=int(request.quantity),
        order_type=request.order_type, limit_price=_limit(request), tif=tif, order_ref=request.order_ref,
        outside_rth=request.outside_rth, status=OrderStatus.PRE_SUBMITTED, placed_at=now, active_from=active_from,
        expires_at=_expires_at(contract.facts, tif, now, venue.zone))
    return Changes(orders=(order,), contracts=(contract.facts,))


def reject(accepted: Changes, refusal: Refusal, now: datetime) -> Changes:
    """The order exists, but never worked."""
    rejected = tuple(replace(order, status=OrderStatus.INACTIVE, finished_at=now, reason=refusal.text)
                     for order in accepted.orders)
    return replace(accepted, orders=rejected)


def modify(order: Order, request: PlaceOrder, contract: ListedContract, venue: Venue, now: datetime) -> Changes:
    """New terms for an open order; they meet the market from now on, not from when it was placed."""
    tif = request.tif or "DAY"
    changed = replace(order, quantity=int(request.quantity), limit_price=_limit(request), tif=tif,
                      order_ref=request.order_ref or order.order_ref, outside_rth=request.outside_rth,
                      active_from=hours.next_open(now, venue.zone),
                      expires_at=_expires_at(contract.facts, tif, now, venue.zone))
    return Changes(orders=(changed,))


def cancel(order: Order, reason: str, now: datetime) -> Changes:
    return Changes(orders=(replace(order, status=OrderStatus.CANCELLED, finished_at=now, reason=reason),))


def advance(order: Order, contract: ListedContract, book: Book, venue: Venue, now: datetime) -> Changes | None:
    """What the record did to an open order up to `now`; None when nothing."""
    fill = first_fill(order, contract, _horizon(order, now), venue.zone)
    if fill is not None:
        return _filled(order, contract, book, fill)
    if order.expires_at is not None and order.expires_at <= now:
        return cancel(order, "Expired", order.expires_at)
    if order.status is OrderStatus.PRE_SUBMITTED and order.active_from <= now:
        return Changes(orders=(replace(order, status=OrderStatus.SUBMITTED),))
    return None


def first_fill(order: Order, contract: ListedContract, until: datetime, zone: ZoneInfo) -> Fill | None:
    """The first moment from `active_from` to `until` at which the touch satisfies the order."""
    if order.active_from > until:
        return None
    standing = contract.prints.until(order.active_from).last()
    if standing is not None and (price := _fill_price(order, contract.touch(standing))) is not None:
        return Fill(order.active_from, float(price))
    fill = _first_crossing(order, contract, contract.prints.after(order.active_from).until(until), zone)
    return fill if fill is not None and fill.time <= until else None


def what_if_margin(order: Order, contract: ListedContract, price: float) -> float:
    """A tenth of the order's value, in the contract's currency; a plausible figure, no model of any exchange."""
    return abs(order.quantity * price * contract.facts.point_value) * MARGIN


def _first_crossing(order: Order, contract: ListedContract, prints: Prints, zone: ZoneInfo) -> Fill | None:
    """Prints outside the session cannot be traded before the next opening."""
    for at in np.flatnonzero(_may_cross(order, contract, prints)):
        price = _fill_price(order, contract.touch(float(prints.prices[at])))
        if price is not None:
            return Fill(hours.next_open(instant_of(int(prints.times[at])), zone), float(price))
    return None


def _may_cross(order: Order, contract: ListedContract, prints: Prints) -> "np.ndarray[tuple[int], np.dtype[np.bool]]":
    """A quick look with a tick of slack; the exact touch decides afterwards."""
    if order.limit_price is None:
        return np.ones(len(prints), dtype=np.bool_)
    reach = float(order.limit_price + order.action.sign * (contract.tick - contract.half_spread))
    crossing = prints.prices <= reach if order.action is Action.BUY else prints.prices >= reach
    return np.asarray(crossing, dtype=np.bool_)


def _fill_price(order: Order, touch: Touch) -> Decimal | None:
    """The touch if it satisfies the order, else None."""
    price = touch.ask if order.action is Action.BUY else touch.bid
    limit = order.limit_price
    if limit is None or (order.action.sign * (limit - price) >= 0):
        return price
    return None


def _filled(order: Order, contract: ListedContract, book: Book, fill: Fill) -> Changes:
    commission = contract.commission(order.remaining, fill.price)
    execution = Execution(
        exec_id=book.next_exec_id(), perm_id=order.perm_id, client_id=order.client_id, order_id=order.order_id,
        con_id=order.con_id, account=order.account, action=order.action, shares=order.remaining, price=fill.price,
        time=fill.time, commission=commission, currency=contract.facts.currency, realised=None,
        order_ref=order.order_ref)
    done = replace(order, status=OrderStatus.FILLED, filled=order.quantity, average_price=fill.price,
                   commission=commission, commission_currency=contract.facts.currency, finished_at=fill.time)
    realised = _realised(execution, contract.facts, book)
    return Changes(orders=(done,), executions=(replace(execution, realised=realised),))


def _realised(execution: Execution, facts: ContractFacts, book: Book) -> float | None:
    held = book.holding(execution.con_id)
    if facts.sec_type != FUTURE or not held.closing_part(execution.signed_shares):
        return None
    value = execution.signed_shares * execution.price * facts.point_value
    return held.after(execution.signed_shares, value, execution.commission).realised - held.realised


def _limit(request: PlaceOrder) -> Decimal | None:
    return request.limit_price if request.order_type == "LMT" else None


def _horizon(order: Order, now: datetime) -> datetime:
    return now if order.expires_at is None else min(now, order.expires_at)


def _expires_at(facts: ContractFacts, tif: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """A day order ends with its session; every order ends with its contract."""
    ends = [hours.session_close(now, zone)] if tif == "DAY" else []
    if facts.expiry:
        last_day = date(int(facts.expiry[:4]), int(facts.expiry[4:6]), int(facts.expiry[6:8]))
        ends.append(datetime.combine(last_day, hours.CLOSE, zone).astimezone(ZoneInfo("UTC")))
    return min(ends, default=None)
