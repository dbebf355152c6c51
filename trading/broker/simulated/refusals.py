"""May this order be placed? Pure checks, in the order in which the real gateway makes them (ib_wire.md 3.4)."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from trading.broker.simulated.adaptive import CROSSES_AFTER, PRIORITY, STRATEGY
from trading.broker.simulated.book import Book
from trading.broker.simulated.listing import CASH, ListedContract
from trading.broker.simulated.order_types import OrderType, TimeInForce, order_type
from trading.broker.simulated.orders import Action, Order, OrderStatus
from trading.broker.simulated.place_order import PlaceOrder
from trading.broker.simulated.price_grid import PriceGrid
from trading.broker.simulated.triggers import KNOWN_CONDITIONS

LARGEST_ORDER_ID: Final = 2**31 - 1
WORKING_ORDERS: Final = 20  # a contract, side and account
VALIDATION: Final = "Error validating request.-'bN' : cause - "


@dataclass(frozen=True)
class Refusal:
    """Why a request was not carried out, as the error message says it."""

    code: int
    text: str


def check_terms(request: PlaceOrder, contract: ListedContract, accounts: Collection[str]) -> Refusal | None:
    """The first thing that is wrong with the terms of an order, new or modified."""
    refusal = next((refusal for check in TERM_CHECKS if (refusal := check(request))), None)
    if refusal is None and request.account not in ("", *accounts):
        refusal = Refusal(321, f"{VALIDATION}Invalid account code '{request.account}'")
    return refusal or _check_price(request, contract)


def check_new_id(request: PlaceOrder, client_id: int, book: Book) -> Refusal | None:
    if request.order_id > LARGEST_ORDER_ID:
        return Refusal(320, f"Error reading request. Unable to parse data. The order id {request.order_id} is too big.")
    if 0 < request.order_id >= book.next_order_id(client_id):
        return None
    return Refusal(103, "Duplicate order id")


def check_modification(order: Order, request: PlaceOrder, contract: ListedContract) -> Refusal | None:
    """May `request` change `order`? Side, contract and type must stay."""
    if order.status is OrderStatus.FILLED:
        return Refusal(104, "Cannot modify a filled order.")
    if not order.status.is_open:
        return Refusal(103, "Duplicate order id")
    same = (order.con_id, order.action, order.order_type)
    if same != (contract.facts.con_id, request.action, order_type(request.order_type)):
        return Refusal(105, "Order being modified does not match original order.")
    if (order.algo, order.algo_params) != (request.algo_strategy, json.dumps(request.algo_params)):
        return Refusal(440, "Order modify failed. Algorithm cannot be modified.")
    return None


def check_expiry(contract: ListedContract, today: date) -> Refusal | None:
    """An expired contract is rejected after it was accepted as an order: 201, then Inactive."""
    if not contract.facts.is_expired(today):
        return None
    return Refusal(201, f"Order rejected - reason:The contract {contract.facts.local_symbol} is not available "
                        f"for trading; it expired on {contract.facts.expiry}.")


def check_cancel(order: Order | None, order_id: int) -> Refusal | None:
    if order is None:
        return Refusal(10147, f"OrderId {order_id} that needs to be cancelled is not found.")
    if order.status is OrderStatus.FILLED:
        return Refusal(161, f"Cancel attempted when order is not in a cancellable state.  "
                            f"Order permId = {order.perm_id}")
    if not order.status.is_open:
        return Refusal(10148, f"OrderId {order_id} that needs to be cancelled cannot be cancelled, "
                              f"state: {order.status}.")
    return None


def _check_action(request: PlaceOrder) -> Refusal | None:
    if request.action in list(Action):
        return None
    return Refusal(321, f"{VALIDATION}Invalid side '{request.action}'. Allowed: BUY, SELL")


def _check_type(request: PlaceOrder) -> Refusal | None:
    if order_type(request.order_type) is not None:
        return None
    return Refusal(387, f"Unsupported order type for this exchange and security type: {request.order_type!r}. "
                        f"Allowed: {', '.join(OrderType)}")


def _check_size(request: PlaceOrder) -> Refusal | None:
    size = request.quantity
    if size == 0:
        return Refusal(434, "The order size cannot be zero.")
    if size < 0 or not size.is_finite() or size != size.to_integral_value():
        return Refusal(388, f"Order size {size} does not conform to the minimum required size of 1.")
    return None


def _check_limit(request: PlaceOrder) -> Refusal | None:
    kind = order_type(request.order_type)
    if kind is None or not kind.has_limit or kind.trails or _is_number(request.limit_price):
        return None
    return Refusal(321, f"{VALIDATION}An order of type {kind} needs a limit price")


def _check_trigger(request: PlaceOrder) -> Refusal | None:
    kind = order_type(request.order_type)
    if kind is None or not kind.has_trigger or _is_number(request.aux_price):
        return None
    if kind.trails and _is_number(request.trailing_percent):
        return None
    return Refusal(321, f"{VALIDATION}An order of type {kind} needs "
                        f"{'a trailing amount' if kind.trails else 'a stop price'}")


def _check_tif(request: PlaceOrder) -> Refusal | None:
    if request.tif not in ("", *TimeInForce):
        return Refusal(321, f"{VALIDATION}Invalid time in force '{request.tif}'. Allowed: {', '.join(TimeInForce)}")
    if request.tif == TimeInForce.UNTIL_DATE and not request.good_till:
        return Refusal(321, f"{VALIDATION}An order that is good until a date needs goodTillDate")
    return None


def _check_conditions(request: PlaceOrder) -> Refusal | None:
    unknown = [str(each.kind) for each in request.conditions if each.kind not in KNOWN_CONDITIONS]
    if not unknown:
        return None
    return Refusal(321, f"{VALIDATION}Order conditions of type {', '.join(unknown)} are not supported here: "
                        f"only on price (1) and time (3)")


def _check_algo(request: PlaceOrder) -> Refusal | None:
    if not request.algo_strategy:
        return None
    if request.algo_strategy != STRATEGY:
        return Refusal(439, "The order processing failed. Algorithm definition not found.")
    is_plain = order_type(request.order_type) in (OrderType.MARKET, OrderType.LIMIT)
    if not is_plain or request.tif not in ("", TimeInForce.DAY):
        return Refusal(442, "Specified algorithm is not allowed for this order.")
    unknown = [tag for tag, _ in request.algo_params if tag != PRIORITY]
    if unknown:
        return Refusal(443, f"Order processing failed. Unknown algo attribute: {unknown[0]}")
    wrong = [value for _, value in request.algo_params if value not in CROSSES_AFTER]
    return Refusal(441, f"Algo attributes validation failed: {PRIORITY} {wrong[0]!r}") if wrong else None


def _check_what_if(request: PlaceOrder) -> Refusal | None:
    if not request.what_if or request.transmit:
        return None
    return Refusal(413, "What-if order should have the transmit flag set to true.")


TERM_CHECKS: Final[tuple[Callable[[PlaceOrder], Refusal | None], ...]] = (
    _check_action, _check_type, _check_size, _check_limit, _check_trigger, _check_tif, _check_conditions, _check_algo,
    _check_what_if)


def _check_price(request: PlaceOrder, contract: ListedContract) -> Refusal | None:
    """How far a stop trails is a distance: any number of the finest ticks."""
    kind, grid = order_type(request.order_type), contract.grid
    aux = request.aux_price if kind is not None and kind.has_trigger else None
    aux_grid = PriceGrid.even(grid.finest) if kind is not None and kind.trails else grid
    checks = [(request.limit_price if kind is not None and kind.has_limit else None, grid), (aux, aux_grid),
              (request.trail_stop_price, grid)]
    if all(price is None or allowed.conforms(price) for price, allowed in checks):
        return None
    return Refusal(110, "The price does not conform to the minimum price variation for this contract.")


def check_place(order: Order, book: Book) -> Refusal | None:
    """What only shows beside the other orders: a missing parent is refused, too many orders are rejected."""
    if order.parent_id and book.order_of(order.client_id, order.parent_id) is None:
        return Refusal(10006, "Missing parent order.")
    same = [other for other in book.open_orders()
            if (other.con_id, other.action, other.account) == (order.con_id, order.action, order.account)]
    if len(same) < WORKING_ORDERS:
        return None
    return Refusal(201, f"Order rejected - reason:The limit of {WORKING_ORDERS} working orders on the same side of a "
                        f"contract is reached.")


def check_margin(needed: float, available: float, currency: str) -> Refusal | None:
    """May an order that asks for `needed` more margin be placed with `available` funds, both in `currency`?"""
    if needed <= available or needed <= 0:
        return None
    return Refusal(201, f"Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION "
                        f"YOUR AVAILABLE FUNDS [{available:.2f} {currency}] MUST EXCEED THE INITIAL MARGIN "
                        f"[{needed:.2f} {currency}]")


def _is_number(price: Decimal | None) -> bool:
    return price is not None and price.is_finite()


def is_odd_lot(request: PlaceOrder, contract: ListedContract) -> bool:
    return contract.facts.sec_type == CASH and request.quantity < 25_000
