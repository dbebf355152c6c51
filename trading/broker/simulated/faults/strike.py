"""Carries a fault out: at once, for a while, or when what it waits for comes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from trading.broker.simulated import exchange
from trading.broker.simulated.book import Changes
from trading.broker.simulated.faults.fault import Fault, FaultKind
from trading.broker.simulated.faults.wire_faults import WIRE_FAULTS
from trading.broker.simulated.orders import Action, Execution, Order
from trading.broker.simulated.refusals import Refusal
from trading.broker.simulated.revisions import busted, corrected
from trading.errors import ConfigError, TradingError

if TYPE_CHECKING:
    from trading.broker.simulated.gateway import Gateway

K = FaultKind
LASTING: Final = frozenset({K.SLOW, K.UNREACHABLE, K.MUTE, K.ID_IN_USE, K.FLOOD, K.LINK_LOST, K.DATA_LOST,
                            K.FARM_LOST, K.EMPTY, K.QUOTES, K.HOLD})


def strike(gateway: "Gateway", fault: Fault) -> str:
    """Begin `fault`; a sentence about what was done.

    Raises:
        ConfigError: a `contract` or `size` is missing.
        TradingError: there is nothing that it could strike.
    """
    if fault.kind in LASTING:
        gateway.faults.last(fault, gateway.clock.monotonic_s() + fault.seconds)
        gateway.announce_fault(fault.kind)
        if fault.kind is K.QUOTES:
            gateway.quote_again()
        return f"{fault.kind} for {fault.seconds:g} s."
    if fault.kind in WIRE_FAULTS:
        return _on_connections(gateway, fault)
    act = ACTS.get(fault.kind)
    if act is not None:
        return act(gateway, fault)
    gateway.faults.arm(fault)
    return f"{fault.kind} waits for what it shall strike."


def _on_connections(gateway: "Gateway", fault: Fault) -> str:
    struck = [session for client, session in gateway.sessions.items() if fault.client in (None, client)]
    for session in struck:
        session.wire_faults.append(fault)
    if fault.kind is K.RESTART:
        gateway.book.move_ids(fault.size)
    return f"{fault.kind} on {len(struck)} connections."


def _error(gateway: "Gateway", fault: Fault) -> str:
    order = _order(gateway, fault)
    gateway.tell(order.client_id, order.order_id, Refusal(fault.code, fault.text or f"Fault {fault.code}"))
    return f"Error {fault.code} about order {order.order_ref or order.order_id}, which goes on."


def _lives_twice(gateway: "Gateway", fault: Fault) -> str:
    order = _order(gateway, fault)
    twin = replace(order, perm_id=gateway.book.next_perm_id(), order_id=gateway.book.next_order_id(order.client_id))
    gateway.record(Changes(orders=(twin,)))
    return f"Order {order.order_ref or order.order_id} lives a second time, as {twin.perm_id}."


def _manual_cancel(gateway: "Gateway", fault: Fault) -> str:
    order = _order(gateway, fault)
    gateway.record(exchange.cancel(order, "Cancelled by hand", gateway.now()))
    return f"Order {order.order_ref or order.order_id} was cancelled by hand."


def _manual_edit(gateway: "Gateway", fault: Fault) -> str:
    order = _order(gateway, fault)
    limit = Decimal(repr(fault.price)) if fault.price else order.limit_price
    gateway.record(Changes(orders=(replace(order, quantity=fault.size or order.quantity, limit_price=limit),)))
    return f"Order {order.order_ref or order.order_id} was changed by hand."


def _correct(gateway: "Gateway", fault: Fault) -> str:
    fill = _last_fill(gateway, fault)
    gateway.record(Changes(executions=(corrected(fill, fault.price or fill.price, fault.size or fill.shares),)))
    return f"Fill {fill.exec_id} was corrected."


def _bust(gateway: "Gateway", fault: Fault) -> str:
    fill = _last_fill(gateway, fault)
    gateway.record(Changes(executions=(busted(fill),)))
    return f"Fill {fill.exec_id} never was."


def _overfill(gateway: "Gateway", fault: Fault) -> str:
    fill, size = _last_fill(gateway, fault), fault.size or 1
    more = replace(fill, exec_id=gateway.book.next_exec_id(), shares=size, cumulative=fill.cumulative + size,
                   time=gateway.now(), realised=None, commission=fill.commission / fill.shares * size)
    gateway.record(Changes(executions=(more,)))
    return f"Order {fill.order_ref or fill.order_id} filled again: {size}."


def _manual_trade(gateway: "Gateway", fault: Fault) -> str:
    return _foreign(gateway, fault, fault.size, "by hand")


def _liquidate(gateway: "Gateway", fault: Fault) -> str:
    held = gateway.book.account(gateway.settings.account).holding(fault.contract)
    return _foreign(gateway, fault, -held.quantity, "by the broker", is_liquidation=True)


def _foreign(gateway: "Gateway", fault: Fault, size: int, who: str, *, is_liquidation: bool = False) -> str:
    """A trade that no client asked for: order id 0, client 0, no reference."""
    contract = gateway.listing.by_id(fault.contract)
    if contract is None or size == 0:
        raise ConfigError(f"{fault.kind} needs a known `contract` (its id) and something to trade; "
                          f"contract {fault.contract}, {size} lots.")
    price = fault.price or contract.prints.until(gateway.now()).last() or 0.0
    perm_id = gateway.book.next_perm_id()
    fill = Execution(
        exec_id=gateway.book.next_exec_id(), perm_id=perm_id, client_id=0, order_id=0, con_id=fault.contract,
        account=gateway.settings.account, action=Action.BUY if size > 0 else Action.SELL, shares=abs(size), price=price,
        time=gateway.now(), commission=contract.commission(size, price), currency=contract.facts.currency,
        realised=None, order_ref="", cumulative=abs(size), average=price, is_liquidation=is_liquidation)
    gateway.record(Changes(executions=(fill,), contracts=(contract.facts,)))
    return f"{fill.action} {fill.shares} {contract.facts.local_symbol} {who}."


def _order(gateway: "Gateway", fault: Fault) -> Order:
    found = [order for order in gateway.book.open_orders() if fault.strikes_order(order.order_ref)]
    if not found:
        raise TradingError(f"There is no open order whose reference is like {fault.order!r}.")
    return found[-1]


def _last_fill(gateway: "Gateway", fault: Fault) -> Execution:
    found = [fill for fill in gateway.book.effective() if fault.strikes_order(fill.order_ref)]
    if not found:
        raise TradingError(f"There is no fill of an order whose reference is like {fault.order!r}.")
    return found[-1]


ACTS: Final[Mapping[FaultKind, Callable[["Gateway", Fault], str]]] = {
    K.ERROR: _error, K.LIVES_TWICE: _lives_twice, K.MANUAL_CANCEL: _manual_cancel,
    K.MANUAL_EDIT: _manual_edit, K.CORRECT: _correct, K.BUST: _bust, K.OVERFILL: _overfill,
    K.MANUAL_TRADE: _manual_trade, K.LIQUIDATE: _liquidate,
}
