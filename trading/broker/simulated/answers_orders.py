"""Answers about orders and executions: place, change, cancel, list."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import bars, exchange, hours, order_reports, responses
from trading.broker.simulated.bars import BarRequestError
from trading.broker.simulated.book import Changes
from trading.broker.simulated.exchange import Identity, Market
from trading.broker.simulated.faults.fault import Fault, FaultKind
from trading.broker.simulated.faults.message_names import WHAT_IF
from trading.broker.simulated.fill_responses import commission_report, execution
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.linked_orders import released
from trading.broker.simulated.listing import BAG, FUTURE, ListedContract
from trading.broker.simulated.order_contract import UNKNOWN, named
from trading.broker.simulated.order_responses import WhatIfCosts, completed_order, what_if_order
from trading.broker.simulated.orders import Execution, Order, OrderStatus
from trading.broker.simulated.place_order import PlaceOrder
from trading.broker.simulated.refusals import (
    Refusal,
    check_cancel,
    check_expiry,
    check_margin,
    check_modification,
    check_new_id,
    check_place,
    check_terms,
    is_odd_lot,
)
from trading.broker.simulated.requests import (
    CancelOrder,
    GlobalCancel,
    RequestAllOpenOrders,
    RequestAutoOpenOrders,
    RequestCompletedOrders,
    RequestExecutions,
    RequestIds,
    RequestOpenOrders,
)
from trading.broker.simulated.settlement import NO_ORDER

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

log = logging.getLogger(__name__)

CANCELLED_BY_CLIENT: Final = "Cancelled by Trader"
REJECTED: Final = 201


def place_order(gateway: Gateway, session: "Session", request: PlaceOrder) -> None:
    """A new order, new terms for an open one, or only the question what it would cost."""
    if request.left_over:
        log.error("placeOrder %s: %d fields are left over; the client speaks a dialect that this gateway does not "
                  "know: %s", request.order_id, len(request.left_over), request.left_over)
    market = named(request.contract, request.legs, gateway.listing, gateway.now())
    refusal = market if isinstance(market, Refusal) else check_terms(request, market.contract,
                                                                     gateway.settings.accounts)
    if isinstance(market, Refusal) or refusal is not None:
        session.refuse(request.order_id, refusal or UNKNOWN)
    elif request.what_if:
        _what_if(gateway, session, request, market)
    else:
        _place_or_modify(gateway, session, request, market.contract)


def reference_of(gateway: Gateway, session: "Session", request: Any) -> str:
    """The reference of the order that `request` is about; empty when it is about none."""
    if isinstance(request, PlaceOrder):
        return request.order_ref
    if isinstance(request, CancelOrder) and session.client_id is not None:
        order = gateway.book.order_of(session.client_id, request.order_id)
        return "" if order is None else order.order_ref
    return ""


def number_of(request: Any, number: str) -> str:
    """`number` of a message, or the one that faults and counts know a question by."""
    return WHAT_IF if isinstance(request, PlaceOrder) and request.what_if else number


def order_id_of(request: Any) -> int:
    """The order that `request` is about; NO_REQUEST when it is about none."""
    return request.order_id if isinstance(request, PlaceOrder | CancelOrder) else responses.NO_REQUEST


def cancel_order(gateway: Gateway, session: "Session", request: CancelOrder) -> None:
    order = gateway.book.order_of(_client(session), request.order_id)
    refusal = check_cancel(order, request.order_id)
    if order is None or refusal is not None:
        session.refuse(request.order_id, refusal or Refusal(10147, "The order is not found."))
        return
    _cancel(gateway, session, order)


def global_cancel(gateway: Gateway, _session: "Session", _request: GlobalCancel) -> None:
    for order in gateway.book.open_orders():
        gateway.record(exchange.cancel(order, CANCELLED_BY_CLIENT, gateway.now()))


def open_orders(gateway: Gateway, session: "Session", _request: RequestOpenOrders) -> None:
    _send_open(gateway, session, (order for order in gateway.book.open_orders()
                                  if order.client_id == session.client_id))


def all_open_orders(gateway: Gateway, session: "Session", _request: RequestAllOpenOrders) -> None:
    _send_open(gateway, session, gateway.book.open_orders())


def auto_open_orders(_gateway: Gateway, session: "Session", _request: RequestAutoOpenOrders) -> None:
    """There are no manual orders to bind, so client 0 hears nothing."""
    if session.client_id != 0:
        session.refuse(responses.NO_REQUEST, Refusal(327, "Only the default client (i.e 0) can auto bind orders."))


def completed_orders(gateway: Gateway, session: "Session", _request: RequestCompletedOrders) -> None:
    """The orders that ended on this local day; the gateway forgets them at midnight."""
    today = hours.local_date(gateway.now(), gateway.zone)
    for order in () if gateway.is_empty() else gateway.book.orders.values():
        if order.finished_at is not None and hours.local_date(order.finished_at, gateway.zone) == today:
            session.send(completed_order(order, gateway.book.contracts[order.con_id], gateway.zone, session.version))
    session.send(("102",))


def executions(gateway: Gateway, session: "Session", request: RequestExecutions) -> None:
    """Today's fills that match the filter, the end marker, then their commissions, as in the capture."""
    try:
        found = _todays(gateway, request)
    except BarRequestError as error:
        session.refuse(request.req_id, Refusal(error.code or 321, str(error)))
        return
    session.send(*(execution(request.req_id, fill, gateway.book.contracts[fill.con_id], gateway.stamps,
                             session.version) for fill in found),
                 responses.end("55", str(request.req_id)),
                 *(commission_report(fill) for fill in found
                   if gateway.book.contracts[fill.con_id].sec_type != BAG))


def next_ids(gateway: Gateway, session: "Session", _request: RequestIds) -> None:
    session.send(responses.next_valid_id(gateway.book.next_order_id(_client(session))))


def _cancel(gateway: Gateway, session: "Session", order: Order) -> None:
    fault = gateway.faults.take({FaultKind.FILL_ON_CANCEL}, lambda each: each.strikes_order(order.order_ref))
    if fault is None:
        gateway.record(exchange.cancel(order, CANCELLED_BY_CLIENT, gateway.now()))
    elif 0 < fault.size < order.remaining:
        gateway.fill_now(order, fault.size)
        gateway.record(exchange.cancel(gateway.book.orders[order.perm_id], CANCELLED_BY_CLIENT, gateway.now()))
    else:
        session.refuse(order.order_id, Refusal(10148, f"OrderId {order.order_id} that needs to be cancelled cannot "
                                                      f"be cancelled, state: PendingCancel."))
        gateway.fill_now(order, order.remaining)


def _place_or_modify(gateway: Gateway, session: "Session", request: PlaceOrder, contract: ListedContract) -> None:
    order = gateway.book.order_of(_client(session), request.order_id)
    refusal = (check_new_id(request, _client(session), gateway.book) if order is None
               else check_modification(order, request, contract))
    if refusal is not None:
        session.refuse(request.order_id, refusal)
    elif order is None:
        _place(gateway, session, request, contract)
    else:
        _modify(gateway, order, request, contract)


def _modify(gateway: Gateway, order: Order, request: PlaceOrder, contract: ListedContract) -> None:
    if gateway.faults.take({FaultKind.TWIN}, lambda each: each.strikes_order(order.order_ref)):
        gateway.record(Changes(orders=(replace(order, perm_id=gateway.book.next_perm_id()),)))
    gateway.record(exchange.modify(order, request, contract, gateway.venue, gateway.now()))
    _release(gateway, order.perm_id)


def _place(gateway: Gateway, session: "Session", request: PlaceOrder, contract: ListedContract) -> None:
    now = gateway.now()
    accepted = exchange.accept(request, contract, _identity(gateway, session), gateway.venue, now)
    order = accepted.orders[0]
    refusal = check_place(order, gateway.book)
    if refusal is not None and refusal.code != REJECTED:
        session.refuse(request.order_id, refusal)
        return
    refusal = (refusal or check_expiry(contract, hours.local_date(now, gateway.zone))
               or _check_funds(gateway, order, contract))
    fault = gateway.faults.take({FaultKind.REJECT, FaultKind.INACTIVE_FIRST},
                                lambda each: each.strikes_order(order.order_ref))
    if fault is not None and fault.kind is FaultKind.REJECT:
        _reject(gateway, session, accepted, fault)
        return
    if refusal is not None:
        gateway.record(exchange.reject(accepted, refusal, now))
        return
    if fault is not None:
        session.send(*order_reports.state(replace(order, status=OrderStatus.INACTIVE), contract.facts,
                                          session.version))
    parent = gateway.book.order_of(order.client_id, order.parent_id) if order.parent_id else None
    waits = parent is not None and parent.status is not OrderStatus.FILLED
    gateway.record(replace(accepted, orders=(replace(order, waits_for_parent=waits),)))
    _release(gateway, order.perm_id)
    _warn(gateway, session, request, gateway.book.orders[order.perm_id], contract)


def _reject(gateway: Gateway, session: "Session", accepted: Changes, fault: Fault) -> None:
    """A rejection in one of the ways in which the real gateway tells it (ib_wire.md 3.1)."""
    refusal = Refusal(fault.code or REJECTED, fault.text or "Order rejected - reason:The order cannot be accepted.")
    gateway.record(exchange.reject(accepted, refusal, gateway.now()), silent=True)
    order = gateway.book.orders[accepted.orders[0].perm_id]
    facts = gateway.book.contracts[order.con_id]
    shown = replace(order, status=OrderStatus.CANCELLED) if fault.style == "cancelled_only" else order
    told, said = order_reports.state(shown, facts, session.version), responses.error(order.order_id, refusal,
                                                                                      session.version)
    session.send(*{"error_first": [said, *told], "status_first": [*told, said]}.get(fault.style, told))


def _release(gateway: Gateway, perm_id: int) -> None:
    """The rest of a bracket goes to the market with its last order."""
    family = released(gateway.book.orders[perm_id], gateway.book, gateway.now())
    if family is not None:
        gateway.record(family)
    gateway.is_match_due = True


def _check_funds(gateway: Gateway, order: Order, contract: ListedContract) -> Refusal | None:
    """Only what makes a position larger needs margin."""
    if contract.facts.sec_type != FUTURE:
        return None
    return check_margin(max(0.0, _margin_change(gateway, order, Market(contract))),
                        gateway.statement(order.account).available_funds, gateway.settings.base_currency)


def _margin_change(gateway: Gateway, order: Order, market: Market) -> float:
    """What the account needs more for `order`, in its base currency; less than nothing for one that closes."""
    contract, facts = market.contract, market.contract.facts
    held = gateway.book.account(order.account).holding(facts.con_id).quantity if facts.sec_type == FUTURE else 0
    larger = abs(held + order.action.sign * order.quantity) - abs(held)
    price = contract.prints.until(gateway.now()).last() or 0.0
    margin = exchange.what_if_margin(replace(order, quantity=abs(larger)), contract, price)
    return math.copysign(margin, larger) * gateway.rate(facts.currency)


def _warn(gateway: Gateway, session: "Session", request: PlaceOrder, order: Order, contract: ListedContract) -> None:
    if not request.tif and gateway.settings.tif_preset:
        session.refuse(order.order_id, Refusal(10349, "Order TIF was set to DAY based on order preset."))
    if order.active_from > order.placed_at and not order.is_held and not order.order_type.is_on_close:
        session.refuse(order.order_id, order_reports.held_until(order, contract.facts, gateway.zone))
    elif is_odd_lot(request, contract):
        session.refuse(order.order_id, order_reports.odd_lot(order, contract.facts))


def _what_if(gateway: Gateway, session: "Session", request: PlaceOrder, market: Market) -> None:
    """Nothing is recorded: no order comes into being."""
    now, contract = gateway.now(), market.contract
    if contract.facts.sec_type == BAG and contract.facts.exchange == "SMART":
        session.refuse(request.order_id, Refusal(360, "What-if orders are not supported for smart combinations."))
        return
    order = exchange.accept(request, contract, _identity(gateway, session), gateway.venue, now).orders[0]
    price = contract.prints.until(now).last() or 0.0
    statement = gateway.statement(order.account)
    costs = WhatIfCosts(before=statement.margin, change=_margin_change(gateway, order, market),
                        equity=statement.net_liquidation, commission=_commission(order, market, price))
    fault = gateway.faults.take({FaultKind.MARGIN}, lambda each: each.client in (None, session.client_id))
    session.outgoing.asks(request.order_id)
    session.send(what_if_order(order, contract.facts, session.version, costs, "" if fault is None else fault.style))


def _commission(order: Order, market: Market, price: float) -> float:
    if not market.legs:
        return market.contract.commission(order.quantity, price)
    return sum(leg.contract.commission(order.quantity * leg.leg.ratio, price) for leg in market.legs)


def _send_open(gateway: Gateway, session: "Session", orders: Iterable[Order]) -> None:
    for order in () if gateway.is_empty() else orders:
        session.send(*order_reports.state(order, gateway.book.contracts[order.con_id], session.version))
    session.send(responses.end("53"))


def _todays(gateway: Gateway, request: RequestExecutions) -> list[Execution]:
    now = gateway.now()
    since = bars.parse_end(request.since, hours.midnight(hours.local_date(now, gateway.zone), gateway.zone),
                           gateway.zone)
    today = hours.local_date(now, gateway.zone)
    if gateway.is_empty():
        return []
    return [fill for fill in gateway.book.effective()
            if fill.perm_id != NO_ORDER and hours.local_date(fill.time, gateway.zone) == today and fill.time >= since
            and _is_wanted(gateway, fill, request)]


def _is_wanted(gateway: Gateway, fill: Execution, request: RequestExecutions) -> bool:
    facts = gateway.book.contracts[fill.con_id]
    filters = ((request.account, fill.account), (request.symbol, facts.symbol), (request.sec_type, facts.sec_type),
               (request.exchange, facts.exchange), (request.side, fill.action))
    return request.client_id in (0, fill.client_id) and all(asked in ("", known) for asked, known in filters)


def _identity(gateway: Gateway, session: "Session") -> Identity:
    return Identity(_client(session), gateway.book.next_perm_id())


def _client(session: "Session") -> int:
    assert session.client_id is not None  # a session answers nothing before startApi
    return session.client_id


ANSWERS: Final[Mapping[Any, Callable[[Gateway, "Session", Any], None]]] = {
    PlaceOrder: place_order,
    CancelOrder: cancel_order,
    GlobalCancel: global_cancel,
    RequestOpenOrders: open_orders,
    RequestAllOpenOrders: all_open_orders,
    RequestAutoOpenOrders: auto_open_orders,
    RequestCompletedOrders: completed_orders,
    RequestExecutions: executions,
    RequestIds: next_ids,
}
