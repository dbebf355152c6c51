"""Answers about orders and executions: place, change, cancel, list."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from trading.broker.simulated import bars, exchange, hours, order_reports, responses
from trading.broker.simulated.bars import BarRequestError
from trading.broker.simulated.exchange import Identity
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.listing import ListedContract
from trading.broker.simulated.order_responses import completed_order, what_if_order
from trading.broker.simulated.orders import Execution, Order
from trading.broker.simulated.place_order import PlaceOrder
from trading.broker.simulated.refusals import (
    Refusal,
    check_cancel,
    check_expiry,
    check_modification,
    check_new_id,
    check_terms,
    is_odd_lot,
    resolve,
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

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

log = logging.getLogger(__name__)

CANCELLED_BY_CLIENT: Final = "Cancelled by Trader"


def place_order(gateway: Gateway, session: "Session", request: PlaceOrder) -> None:
    """A new order, new terms for an open one, or only the question what it would cost."""
    if request.left_over:
        log.error("placeOrder %s: %d fields are left over; the client speaks a dialect that this gateway does not "
                  "know: %s", request.order_id, len(request.left_over), request.left_over)
    contract = resolve(request, gateway.listing, gateway.now())
    refusal = contract if isinstance(contract, Refusal) else check_terms(request, contract, gateway.settings.account)
    if isinstance(contract, Refusal) or refusal is not None:
        session.refuse(request.order_id, refusal or Refusal(200, "No security definition has been found"))
    elif request.what_if:
        _what_if(gateway, session, request, contract)
    else:
        _place_or_modify(gateway, session, request, contract)


def cancel_order(gateway: Gateway, session: "Session", request: CancelOrder) -> None:
    order = gateway.book.order_of(_client(session), request.order_id)
    refusal = check_cancel(order, request.order_id)
    if order is None or refusal is not None:
        session.refuse(request.order_id, refusal or Refusal(10147, "The order is not found."))
        return
    gateway.record(exchange.cancel(order, CANCELLED_BY_CLIENT, gateway.now()))


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
    for order in gateway.book.orders.values():
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
    session.send(*(responses.execution(request.req_id, fill, gateway.book.contracts[fill.con_id], gateway.zone,
                                       session.version) for fill in found),
                 responses.end("55", str(request.req_id)),
                 *(responses.commission_report(fill) for fill in found))


def next_ids(gateway: Gateway, session: "Session", _request: RequestIds) -> None:
    session.send(responses.next_valid_id(gateway.book.next_order_id(_client(session))))


def _place_or_modify(gateway: Gateway, session: "Session", request: PlaceOrder, contract: ListedContract) -> None:
    order = gateway.book.order_of(_client(session), request.order_id)
    refusal = (check_new_id(request, _client(session), gateway.book) if order is None
               else check_modification(order, request, contract))
    if refusal is not None:
        session.refuse(request.order_id, refusal)
    elif order is None:
        _place(gateway, session, request, contract)
    else:
        gateway.record(exchange.modify(order, request, contract, gateway.venue, gateway.now()))
        gateway.is_match_due = True


def _place(gateway: Gateway, session: "Session", request: PlaceOrder, contract: ListedContract) -> None:
    now = gateway.now()
    accepted = exchange.accept(request, contract, _identity(gateway, session), gateway.venue, now)
    expired = check_expiry(contract, hours.local_date(now, gateway.zone))
    if expired is not None:
        gateway.record(exchange.reject(accepted, expired, now))
        return
    gateway.record(accepted)
    gateway.is_match_due = True
    _warn(gateway, session, accepted.orders[0], contract, odd_lot=is_odd_lot(request, contract))


def _warn(gateway: Gateway, session: "Session", order: Order, contract: ListedContract, *, odd_lot: bool) -> None:
    if order.active_from > order.placed_at:
        session.refuse(order.order_id, order_reports.held_until(order, contract.facts, gateway.zone))
    elif odd_lot:
        session.refuse(order.order_id, order_reports.odd_lot(order, contract.facts))


def _what_if(gateway: Gateway, session: "Session", request: PlaceOrder, contract: ListedContract) -> None:
    """Nothing is recorded: no order comes into being."""
    now = gateway.now()
    order = exchange.accept(request, contract, _identity(gateway, session), gateway.venue, now).orders[0]
    price = contract.prints.until(now).last() or 0.0
    session.send(what_if_order(order, contract.facts, session.version, exchange.what_if_margin(order, contract, price),
                               contract.commission(order.quantity, price)))


def _send_open(gateway: Gateway, session: "Session", orders: Iterable[Order]) -> None:
    for order in orders:
        session.send(*order_reports.state(order, gateway.book.contracts[order.con_id], session.version))
    session.send(responses.end("53"))


def _todays(gateway: Gateway, request: RequestExecutions) -> list[Execution]:
    now = gateway.now()
    since = bars.parse_end(request.since, hours.midnight(hours.local_date(now, gateway.zone), gateway.zone),
                           gateway.zone)
    today = hours.local_date(now, gateway.zone)
    return [fill for fill in gateway.book.executions
            if hours.local_date(fill.time, gateway.zone) == today and fill.time >= since
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
