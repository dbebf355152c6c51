"""openOrder, orderStatus and completedOrder (ib_wire.md 2.4, 2.5). Pure.

The echo is not what was sent: the gateway fills in defaults, so they are written out here in their order.
"""

import json
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated import hours
from trading.broker.simulated.combination import legs_of
from trading.broker.simulated.fill_responses import wire_con_id
from trading.broker.simulated.listing import BAG, ContractFacts
from trading.broker.simulated.orders import Order, OrderStatus
from trading.broker.simulated.responses import UNSET_DOUBLE, UNSET_INTEGER, UNSET_LONG, Message, number
from trading.broker.simulated.triggers import conditions_of

FA_PROFILE_UNTIL: Final = 177
OUTSIDE_MARGINS_SINCE: Final = 195
NOTHING: Final = ""
UNSET_MARGINS: Final = (UNSET_DOUBLE,) * 9
OPEN_LATER: Final = ((158, NOTHING), (160, UNSET_INTEGER), (162, "0"))  # duration, postToAts, autoCancelParent
PEGGED_SINCE: Final = 170  # minTradeQty to midOffsetAtHalf
OPEN_LAST: Final = ((183, NOTHING), (184, "0"), (185, NOTHING), (189, "0"), (193, NOTHING), (193, NOTHING),
                    (198, NOTHING), (199, "0"))  # customerAccount to imbalanceOnly
COMPLETED_LAST: Final = ((183, NOTHING), (184, "0"), (198, NOTHING))


@dataclass(frozen=True)
class Costs:
    """The money part of an order's state: nine margins, then commission, its range and its currency."""

    margins: Message
    commission: Message
    what_if: bool = False


def order_status(order: Order, status: str | None = None) -> Message:
    """`status` overrides the order's own, for announcements such as PendingCancel."""
    return ("3", str(order.order_id), status or order.status, str(order.filled), str(order.remaining),
            number(order.average_price), str(order.perm_id), str(order.parent_id), number(order.last_fill_price),
            str(order.client_id), "", "0")


def open_order(order: Order, facts: ContractFacts, version: int, *, commission_known: bool = False) -> Message:
    """The state of an order; the commission appears in a second message after the fill."""
    commission = number(order.commission) if commission_known else ""
    currency = order.commission_currency if commission_known else ""
    return _open_order(order, facts, version, Costs(UNSET_MARGINS, (commission, "", "", currency)))


@dataclass(frozen=True, kw_only=True)
class WhatIfCosts:
    """The account before an order and what that changes, in its base currency; the commission in the contract's."""

    before: float
    change: float
    equity: float
    commission: float


def what_if_order(order: Order, facts: ContractFacts, version: int, costs: WhatIfCosts, style: str = "") -> Message:
    """What the margins would become; numbers, never empty, or the libraries fail (ib_wire.md 2.8). Or a fault of it."""
    change = 100 * abs(costs.equity) if style == "large" else costs.change
    before, changed, after, equity = (number(round(each, 2)) for each in (
        costs.before, change, costs.before + change, costs.equity))
    known, currency = number(costs.commission), facts.currency
    margins: Message = (before, before, equity, changed, changed, "0", after, after, equity)
    if style == "sentinel":
        margins = UNSET_MARGINS
    elif style == "empty":
        margins = ("",) * len(margins)
    return _open_order(order, facts, version, Costs(
        margins, (known, known, known, "" if style == "no_currency" else currency), what_if=True))


def _open_order(order: Order, facts: ContractFacts, version: int, costs: Costs) -> Message:
    return (
        "5", str(order.order_id), *_contract(facts), *_terms(order), str(order.client_id), str(order.perm_id),
        _flag(order.outside_rth), "0", "0", NOTHING,
        f"{order.perm_id}.0/{order.account}/{order.quantity}", *_advisor(version),
        NOTHING, order.good_till, NOTHING, NOTHING, NOTHING, "0", NOTHING, "-1", "0",  # modelCode to auctionStrategy
        NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, UNSET_INTEGER, "0", "0", "0",  # startingPrice to allOrNone
        NOTHING, str(order.oca_type or 3), "0", "0", NOTHING, str(order.parent_id), "0",  # minQty to triggerMethod
        NOTHING, "0", "None", NOTHING, "0", NOTHING, NOTHING, NOTHING, "?", "0", "0", NOTHING,  # volatility
        "0", "0", *_trailing(order), NOTHING, NOTHING,  # continuousUpdate to basisPointsType
        *_combination(facts, order),
        UNSET_INTEGER, UNSET_INTEGER, NOTHING, NOTHING, "0", NOTHING, "IB", "0", "0", *_algo(order), "0",  # scale on
        _flag(costs.what_if), order.status, *costs.margins, *costs.commission, *_outside_margins(facts, version),
        NOTHING, "0", "0", *_conditions(order), "None", *(UNSET_DOUBLE,) * 6, "0", NOTHING, NOTHING, NOTHING, "0", "1",
        "0", "0", "0", *_since(OPEN_LATER, version), *_pegged(version), *_since(OPEN_LAST, version))


def completed_order(order: Order, facts: ContractFacts, zone: ZoneInfo, version: int) -> Message:
    """An order that ended today. A filled one shows quantity 0; only filledQuantity tells the size."""
    quantity = 0 if order.status is OrderStatus.FILLED else order.quantity
    finished = hours.zoned_stamp(order.finished_at or order.placed_at, zone)
    return (
        "101", *_contract(facts), *_terms(order, quantity), str(order.perm_id), _flag(order.outside_rth), "0", "0",
        NOTHING, *_advisor(version),
        NOTHING, order.good_till, NOTHING, NOTHING, NOTHING, "0", NOTHING, "-1",  # modelCode to exemptCode
        NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, UNSET_INTEGER, "0", "0",  # startingPrice to allOrNone
        NOTHING, str(order.oca_type or 3), "0", NOTHING, "0", "None", NOTHING, "0", "0", "0", NOTHING,  # to volatility
        "0", "0", *_trailing(order), *_combination(facts, order),  # continuousUpdate to routing
        UNSET_INTEGER, UNSET_INTEGER, NOTHING, NOTHING, NOTHING, "IB", "0", "0", *_algo(order), "0",  # to solicited
        order.status, "0", "0", *_conditions(order), UNSET_DOUBLE, UNSET_DOUBLE, "0", "1", "0", NOTHING,
        str(order.filled), UNSET_INTEGER, "0", "Not an insider or substantial shareholder", "0", "0", UNSET_LONG,
        finished, completed_status(order), *_pegged(version), *_since(COMPLETED_LAST, version))


def completed_status(order: Order) -> str:
    if order.status is OrderStatus.FILLED:
        return f"Filled Size: {order.filled}"
    return order.reason or order.status


def _contract(facts: ContractFacts) -> Message:
    is_combination = facts.sec_type == BAG
    return (wire_con_id(facts), facts.symbol, facts.sec_type, "" if is_combination else facts.expiry, "0", "?",
            "" if is_combination else facts.multiplier, facts.exchange, facts.currency, facts.local_symbol,
            facts.trading_class)


def _terms(order: Order, quantity: int | None = None) -> Message:
    size = order.quantity if quantity is None else quantity
    return (order.action, str(size), order.order_type, _price(order.limit_price), _price(order.aux_price), order.tif,
            order.oca_group, order.account, NOTHING, "0", order.order_ref)


def _price(price: object) -> str:
    return "0.0" if price is None else number(float(str(price)))


def _trailing(order: Order) -> Message:
    return tuple(NOTHING if value is None else number(value) for value in (order.trail_stop, order.trailing_percent))


def _combination(facts: ContractFacts, order: Order) -> Message:
    """The legs in words, then each with its eight fields, no leg prices, and how it is routed."""
    legs, routing = legs_of(facts), json.loads(order.routing) if order.routing else []
    words = ",".join(f"{leg.con_id}|{leg.ratio if leg.action == 'BUY' else -leg.ratio}" for leg in legs)
    rows = [text for leg in legs
            for text in (str(leg.con_id), str(leg.ratio), leg.action, leg.exchange, "0", "0", NOTHING, "-1")]
    return (words, str(len(legs)), *rows, "0", str(len(routing)), *(text for pair in routing for text in pair))


def _algo(order: Order) -> Message:
    if not order.algo:
        return (NOTHING,)
    params = json.loads(order.algo_params)
    return (order.algo, str(len(params)), *(text for pair in params for text in pair))


def _conditions(order: Order) -> Message:
    conditions = conditions_of(order)
    if not conditions:
        return ("0",)
    rows = [text for each in conditions for text in (str(each.kind), *each.fields)]
    return (str(len(conditions)), *rows, "0", _flag(order.conditions_cancel))


def _outside_margins(facts: ContractFacts, version: int) -> Message:
    """marginCurrency, nine margins outside regular hours, suggestedSize, rejectReason, no allocations."""
    return (facts.currency, *(NOTHING,) * 11, "0") if version >= OUTSIDE_MARGINS_SINCE else ()


def _advisor(version: int) -> Message:
    """faGroup, faMethod, faPercentage, and faProfile for clients that still read it."""
    return ("",) * (4 if version < FA_PROFILE_UNTIL else 3)


def _since(fields: tuple[tuple[int, str], ...], version: int) -> Message:
    return tuple(value for since, value in fields if version >= since)


def _pegged(version: int) -> Message:
    return ("",) * 5 if version >= PEGGED_SINCE else ()


def _flag(value: bool) -> str:
    return "1" if value else "0"
