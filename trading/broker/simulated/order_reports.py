"""Which messages tell a client what became of its order, in the sequences of ib_wire.md 3.1. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated import responses
from trading.broker.simulated.fill_responses import commission_report, execution
from trading.broker.simulated.hours import ExecutionStamps
from trading.broker.simulated.listing import BAG, ContractFacts
from trading.broker.simulated.order_responses import open_order, order_status
from trading.broker.simulated.orders import Execution, Order, OrderStatus
from trading.broker.simulated.refusals import Refusal
from trading.broker.simulated.responses import NO_REQUEST, Message

EXPIRED: Final = "Expired"


@dataclass(frozen=True)
class ToldFill:
    """One row of a fill with the contract that it is about."""

    row: Execution
    facts: ContractFacts


def order_messages(order: Order, facts: ContractFacts, fills: Sequence[ToldFill], stamps: ExecutionStamps,
                   version: int) -> list[Message]:
    """What the owner of `order` hears after it changed; `fills` are the executions that changed it."""
    if fills:
        return _filled(order, facts, fills, stamps, version)
    return _REPORTS[order.status](order, facts, version)


def state(order: Order, facts: ContractFacts, version: int) -> list[Message]:
    """openOrder and orderStatus: always together."""
    return [open_order(order, facts, version), order_status(order)]


def held_until(order: Order, facts: ContractFacts, zone: ZoneInfo) -> Refusal:
    """The warning 399 for an order that waits for the opening."""
    opening = order.active_from.astimezone(zone)
    return Refusal(399, f"Order Message:\n{order.action} {order.quantity} {facts.symbol} {facts.local_symbol}\n"
                        f"Warning: your order will not be placed at the exchange until "
                        f"{opening:%Y-%m-%d %H:%M:%S} {zone.key}")


def odd_lot(order: Order, facts: ContractFacts) -> Refusal:
    """The warning 399 for a currency order below the minimum."""
    return Refusal(399, f"Order Message:\n{order.action} {order.quantity} {facts.local_symbol}\nWarning: Your order "
                        f"size is below the {facts.symbol} 25000 IdealPro minimum and will be routed as an odd lot "
                        f"order.")


def _filled(order: Order, facts: ContractFacts, fills: Sequence[ToldFill], stamps: ExecutionStamps,
            version: int) -> list[Message]:
    """The sequence of a real capture: the final state twice, the second time with the commission."""
    rows = [execution(NO_REQUEST, fill.row, fill.facts, stamps, version) for fill in fills]
    paid = [commission_report(fill.row) for fill in fills if fill.facts.sec_type != BAG]
    if order.status is not OrderStatus.FILLED:
        return [*rows, *state(order, facts, version), *paid]
    return [*rows, *state(order, facts, version), open_order(order, facts, version, commission_known=True),
            order_status(order), *paid]


def _cancelled(order: Order, _facts: ContractFacts, version: int) -> list[Message]:
    expired = order.reason == EXPIRED
    pending = [] if expired else [order_status(order, "PendingCancel")]
    reason = "The time in force has expired." if expired else ""
    return [*pending, order_status(order),
            responses.error(order.order_id, Refusal(202, f"Order Canceled - reason:{reason}"), version)]


def _rejected(order: Order, facts: ContractFacts, version: int) -> list[Message]:
    return [responses.error(order.order_id, Refusal(201, order.reason), version), *state(order, facts, version)]


_REPORTS: Final[Mapping[OrderStatus, Callable[[Order, ContractFacts, int], list[Message]]]] = {
    OrderStatus.PRE_SUBMITTED: state,
    OrderStatus.SUBMITTED: state,
    OrderStatus.FILLED: state,
    OrderStatus.CANCELLED: _cancelled,
    OrderStatus.INACTIVE: _rejected,
}
