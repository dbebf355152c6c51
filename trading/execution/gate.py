"""The last look before a message leaves: by the sender, from what is stored now, whatever was decided before. Pure.

It knows nothing of why an order was made. It refuses what a lock or the kill level forbids, what lies beside an order
of unknown fate, what would make more lots possible than the parent has, a price off its grid or outside its collar, and
an order whose time is over (orders_and_risk.md RC-01, 10, 12, 22, 28, 33, 34).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.orders import ContractOrder
from trading.execution.spreads import share_a_month
from trading.risk.exposure import Holding, effect
from trading.risk.kill_level import KillState, Scope
from trading.risk.kill_permission import permitted


@dataclass(frozen=True, kw_only=True)
class GateFacts:
    """What is stored at the moment of sending. `position` is ours in the instrument; `others` are all live orders."""

    kill: KillState
    is_halted_by_flag: bool
    unreconciled: str | None  # why the books are not known to agree with the broker over this connection
    locks: Mapping[str, str]
    parent: ContractOrder
    siblings: tuple[BrokerOrder, ...]  # of the same parent, this order among them
    others: tuple[BrokerOrder, ...]  # live orders of the instrument, this one left out
    position: int
    now: datetime


def gate_problem(order: BrokerOrder, facts: GateFacts) -> str | None:
    """Why `order` must not leave now, as a sentence; None when it may."""
    return (_halted(order, facts) or _locked(order, facts) or _beside_unknown(order, facts)
            or _too_many(order, facts) or price_problem(order, order.limit_price) or _is_over(order, facts))


def change_problem(order: BrokerOrder, limit: Decimal, facts: GateFacts) -> str | None:
    """Why the price of the living `order` must not become `limit` now."""
    return _halted(order, facts) or _locked(order, facts) or price_problem(order, limit)


def _halted(order: BrokerOrder, facts: GateFacts) -> str | None:
    if facts.is_halted_by_flag:
        return "the halt flag lies in the state directory: nothing is sent. Remove it with tradectl resume-trading"
    holding = Holding(position=facts.position, working_buys=_lots(facts.others, 1),
                      working_sells=_lots(facts.others, -1))
    scope = Scope(strategy=order.strategy, instrument=order.instrument, account=order.account)
    refusal = permitted(facts.kill, effect(order.net, holding), order.kind, scope)
    return None if refusal is None else refusal.sentence


def _lots(orders: Iterable[BrokerOrder], side: int) -> int:
    return sum(abs(each.net_committed) for each in orders if each.net_committed * side > 0)


def _locked(order: BrokerOrder, facts: GateFacts) -> str | None:
    reason = facts.locks.get(order.instrument)
    return None if reason is None else f"{order.instrument} is locked: {reason}"


def _beside_unknown(order: BrokerOrder, facts: GateFacts) -> str | None:
    """Its lock comes only when somebody has looked at it; nothing may leave before that (V22)."""
    unknown = next((each for each in facts.others if share_a_month(each.contract, order.contract)
                    and each.lifecycle is BrokerLifecycle.UNKNOWN), None)
    return None if unknown is None else f"nobody knows the fate of {unknown.id}, also of {order.contract}"


def _too_many(order: BrokerOrder, facts: GateFacts) -> str | None:
    """Recounted from the broker orders themselves: lots filled, and lots that may be alive, of this parent."""
    possible = sum(each.filled + each.committed for each in facts.siblings)
    if abs(possible) > abs(facts.parent.quantity) or possible * facts.parent.quantity < 0:
        return (f"with {order.id}, {possible:+d} lots of {facts.parent.id} could be filled, which is for "
                f"{facts.parent.quantity:+d}")
    return None


def _is_over(order: BrokerOrder, facts: GateFacts) -> str | None:
    if order.good_till is None or facts.now < order.good_till:
        return None
    return f"{order.id} was to end at {order.good_till:%Y-%m-%d %H:%M:%S} UTC, which is over"


def price_problem(order: BrokerOrder, limit: Decimal | None) -> str | None:
    """Why `limit` is no price for `order`."""
    if limit is None:
        return f"{order.id} has no limit, and market orders are never sent"
    if not limit.is_finite():
        return f"{limit} is no price"
    if order.tick is not None and limit % order.tick:
        return f"{limit} is not a multiple of the tick {order.tick}"
    if order.collar is not None and not order.collar[0] <= limit <= order.collar[1]:
        return f"{limit} lies outside {order.collar[0]} to {order.collar[1]}, where {order.contract} may be traded now"
    return None
