"""May this order be placed? Pure checks, in the order in which the real gateway makes them (ib_wire.md 3.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from trading.broker.simulated.listing import CASH, ListedContract, Listing
from trading.broker.simulated.orders import Action, Book, Order, OrderStatus
from trading.broker.simulated.place_order import PlaceOrder

ORDER_TYPES: Final = ("MKT", "LMT")
TIMES_IN_FORCE: Final = ("", "DAY", "GTC")
VALIDATION: Final = "Error validating request.-'bN' : cause - "


@dataclass(frozen=True)
class Refusal:
    """Why a request was not carried out, as the error message says it."""

    code: int
    text: str


def resolve(request: PlaceOrder, listing: Listing, now: datetime) -> ListedContract | Refusal:
    """The one contract that the order names; expired ones are found, so that they can be rejected by name."""
    if not request.contract.exchange:
        return Refusal(321, f"{VALIDATION}Missing order exchange")
    if request.contract.sec_type == "BAG":
        return Refusal(321, f"{VALIDATION}Combination orders are not available on the recorded exchange")
    found = (listing.find(request.contract, now, include_expired=False)
             or listing.find(request.contract, now, include_expired=True))
    if len(found) > 1:
        return Refusal(200, f"The contract description specified for {request.contract.symbol} is ambiguous; "
                            f"you must specify the multiplier or trading class.")
    return found[0] if found else Refusal(200, "No security definition has been found for the request")


def check_terms(request: PlaceOrder, contract: ListedContract, account: str) -> Refusal | None:
    """The first thing that is wrong with the terms of an order, new or modified."""
    refusal = next((refusal for check in TERM_CHECKS if (refusal := check(request))), None)
    if refusal is None and request.account not in ("", account):
        refusal = Refusal(321, f"{VALIDATION}Invalid account code '{request.account}'")
    return refusal or _check_price(request, contract)


def check_new_id(request: PlaceOrder, client_id: int, book: Book) -> Refusal | None:
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
    if same != (contract.facts.con_id, request.action, request.order_type):
        return Refusal(105, "Order being modified does not match original order.")
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
    if request.order_type in ORDER_TYPES:
        return None
    return Refusal(387, f"Unsupported order type for this exchange and security type: {request.order_type!r}. "
                        f"The recorded exchange takes MKT and LMT.")


def _check_size(request: PlaceOrder) -> Refusal | None:
    size = request.quantity
    if size == 0:
        return Refusal(434, "The order size cannot be zero.")
    if size < 0 or not size.is_finite() or size != size.to_integral_value():
        return Refusal(388, f"Order size {size} does not conform to the minimum required size of 1.")
    return None


def _check_limit(request: PlaceOrder) -> Refusal | None:
    if request.order_type != "LMT" or (request.limit_price is not None and request.limit_price.is_finite()):
        return None
    return Refusal(321, f"{VALIDATION}A limit order needs a limit price")


def _check_tif(request: PlaceOrder) -> Refusal | None:
    if request.tif in TIMES_IN_FORCE:
        return None
    return Refusal(321, f"{VALIDATION}Invalid time in force '{request.tif}'. The recorded exchange takes DAY and GTC")


def _check_simple(request: PlaceOrder) -> Refusal | None:
    """Orders that depend on other orders would need an exchange that we do not have."""
    wanted = {"transmit=0": not request.transmit, "a parent order": request.parent_id != 0,
              "an OCA group": request.oca_group != "", "conditions": request.conditions > 0,
              f"the algorithm {request.algo_strategy}": request.algo_strategy != ""}
    refused = ", ".join(name for name, asked in wanted.items() if asked)
    return Refusal(321, f"{VALIDATION}The recorded exchange takes no order with {refused}") if refused else None


TERM_CHECKS: Final[tuple[Callable[[PlaceOrder], Refusal | None], ...]] = (
    _check_action, _check_type, _check_size, _check_limit, _check_tif, _check_simple)


def _check_price(request: PlaceOrder, contract: ListedContract) -> Refusal | None:
    price = request.limit_price if request.order_type == "LMT" else Decimal(0)
    if price is not None and contract.conforms(price):
        return None
    return Refusal(110, "The price does not conform to the minimum price variation for this contract.")


def is_odd_lot(request: PlaceOrder, contract: ListedContract) -> bool:
    return contract.facts.sec_type == CASH and request.quantity < 25_000
