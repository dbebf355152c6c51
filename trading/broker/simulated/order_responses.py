"""openOrder and completedOrder, the two long messages (ib_wire.md 2.5). Pure.

The echo is not what was sent: the gateway fills in defaults, so they are written out here in their order.
"""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated import hours
from trading.broker.simulated.listing import ContractFacts
from trading.broker.simulated.orders import Order, OrderStatus
from trading.broker.simulated.responses import UNSET_DOUBLE, UNSET_INTEGER, UNSET_LONG, Message, number

FA_PROFILE_UNTIL: Final = 177
NOTHING: Final = ""
UNSET_MARGINS: Final = (UNSET_DOUBLE,) * 9


@dataclass(frozen=True)
class Costs:
    """The money part of an order's state: nine margins, then commission, its range and its currency."""

    margins: Message
    commission: Message
    what_if: bool = False


def open_order(order: Order, facts: ContractFacts, version: int, *, commission_known: bool = False) -> Message:
    """The state of an order; the commission appears in a second message after the fill."""
    commission = number(order.commission) if commission_known else ""
    currency = order.commission_currency if commission_known else ""
    return _open_order(order, facts, version, Costs(UNSET_MARGINS, (commission, "", "", currency)))


def what_if_order(order: Order, facts: ContractFacts, version: int, margin: float, commission: float) -> Message:
    """What the margins would become; numbers, never empty, or the libraries fail (ib_wire.md 2.8)."""
    change = number(round(margin, 2))
    margins = ("0", "0", "0", change, change, "0", change, change, "0")
    known = number(commission)
    return _open_order(order, facts, version, Costs(margins, (known, known, known, facts.currency), what_if=True))


def _open_order(order: Order, facts: ContractFacts, version: int, costs: Costs) -> Message:
    return (
        "5", str(order.order_id), *_contract(facts), *_terms(order), str(order.client_id), str(order.perm_id),
        _flag(order.outside_rth), "0", "0", NOTHING,
        f"{order.perm_id}.0/{order.account}/{order.quantity}", *_advisor(version),
        NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, "0", NOTHING, "-1", "0",  # modelCode to auctionStrategy
        NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, UNSET_INTEGER, "0", "0", "0",  # startingPrice to allOrNone
        NOTHING, "3", "0", "0", NOTHING, "0", "0",  # minQty to triggerMethod
        NOTHING, "0", "None", NOTHING, "0", NOTHING, NOTHING, NOTHING, "?", "0", "0", NOTHING,  # volatility
        "0", "0", NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, "0", "0", "0",  # continuousUpdate to routing
        UNSET_INTEGER, UNSET_INTEGER, NOTHING, NOTHING, "0", NOTHING, "IB", "0", "0", NOTHING, "0",  # scale on
        _flag(costs.what_if), order.status, *costs.margins, *costs.commission, NOTHING,
        "0", "0", "0", "None", *(UNSET_DOUBLE,) * 6, "0", NOTHING, NOTHING, NOTHING, "0", "1", "0", "0", "0",
        *_gated(version))


def completed_order(order: Order, facts: ContractFacts, zone: ZoneInfo, version: int) -> Message:
    """An order that ended today. A filled one shows quantity 0; only filledQuantity tells the size."""
    quantity = 0 if order.status is OrderStatus.FILLED else order.quantity
    finished = hours.zoned_stamp(order.finished_at or order.placed_at, zone)
    return (
        "101", *_contract(facts), *_terms(order, quantity), str(order.perm_id), _flag(order.outside_rth), "0", "0",
        NOTHING, *_advisor(version),
        NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, "0", NOTHING, "-1",  # modelCode to exemptCode
        NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, UNSET_INTEGER, "0", "0",  # startingPrice to allOrNone
        NOTHING, "3", "0", NOTHING, "0", "None", NOTHING, "0", "0", "0", NOTHING,  # minQty to deltaNeutral
        "0", "0", NOTHING, NOTHING, NOTHING, "0", "0", "0",  # continuousUpdate to routing
        UNSET_INTEGER, UNSET_INTEGER, NOTHING, NOTHING, NOTHING, "IB", "0", "0", NOTHING, "0",  # scale to solicited
        order.status, "0", "0", "0", UNSET_DOUBLE, UNSET_DOUBLE, "0", "1", "0", NOTHING, str(order.filled),
        UNSET_INTEGER, "0", "Not an insider or substantial shareholder", "0", "0", UNSET_LONG, finished,
        completed_status(order), *_pegged(version))


def completed_status(order: Order) -> str:
    if order.status is OrderStatus.FILLED:
        return f"Filled Size: {order.filled}"
    return order.reason or order.status


def _contract(facts: ContractFacts) -> Message:
    return (str(facts.con_id), facts.symbol, facts.sec_type, facts.expiry, "0", "?", facts.multiplier, facts.exchange,
            facts.currency, facts.local_symbol, facts.trading_class)


def _terms(order: Order, quantity: int | None = None) -> Message:
    limit = "0.0" if order.limit_price is None else number(order.limit_price)
    size = order.quantity if quantity is None else quantity
    return (order.action, str(size), order.order_type, limit, "0.0", order.tif, NOTHING, order.account, NOTHING, "0",
            order.order_ref)


def _advisor(version: int) -> Message:
    """faGroup, faMethod, faPercentage, and faProfile for clients that still read it."""
    return ("",) * (4 if version < FA_PROFILE_UNTIL else 3)


def _gated(version: int) -> Message:
    """duration, postToAts, autoCancelParent, then the five pegged fields."""
    gates = ((158, NOTHING), (160, UNSET_INTEGER), (162, "0"))
    return (*(value for since, value in gates if version >= since), *_pegged(version))


def _pegged(version: int) -> Message:
    return ("",) * 5 if version >= 170 else ()


def _flag(value: bool) -> str:
    return "1" if value else "0"
