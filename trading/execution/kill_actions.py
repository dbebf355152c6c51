"""What a kill level demands of orders that are out: which are cancelled, and when nothing is left. Pure.

"Nothing works" is said only when the broker itself says so, twice, for all clients; an order whose fate is unknown is
out (orders_and_risk.md 3.1, V19).
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from trading.execution.broker_orders import SENT_PERHAPS, BrokerOrder
from trading.execution.order_ids import is_ours
from trading.risk.exposure import Holding, effect
from trading.risk.kill_level import KillLevel, KillState, Scope
from trading.risk.kill_permission import WorkingOrder, must_cancel

REPEAT_CANCEL: Final = timedelta(seconds=5)
PASSES_NEEDED: Final = 2
FLAG_REASON: Final = "the halt flag lies in the state directory"


def with_flag(state: KillState, is_set: bool) -> KillState:
    """The state that counts: a flag on disk halts, whatever the store says."""
    if not is_set or state.level >= KillLevel.K3_HALT:
        return state
    return replace(state, level=KillLevel.K3_HALT, reason=FLAG_REASON, who="the halt flag")


def to_cancel(state: KillState, orders: Iterable[BrokerOrder], positions: Mapping[str, int],
              now: datetime) -> list[BrokerOrder]:
    """The live orders that the level cancels now: at the broker by a known handle, and not asked within 5 s.

    Args:
        positions: lots by instrument, for what adds and what reduces.
    """
    live = [order for order in orders if order.may_be_alive]
    return [order for order in live if _can_be_asked(order, now) and must_cancel(state, _working(order, positions))]


def still_out(state: KillState, orders: Iterable[BrokerOrder], positions: Mapping[str, int],
              at_broker: Set[str]) -> set[str]:
    """Orders of ours that the level forbids and that may still trade: the broker shows them open, or nobody knows.

    `at_broker` are the references of all that is open there; at K3 and above each one of ours is forbidden.
    """
    forbidden = {order.id: order for order in orders if order.may_be_alive
                 and must_cancel(state, _working(order, positions))}
    unknown = {key for key, order in forbidden.items() if order.lifecycle in SENT_PERHAPS}
    shown = {key for key in at_broker if is_ours(key) and (state.level >= KillLevel.K3_HALT or key in forbidden)}
    return unknown | shown


def _can_be_asked(order: BrokerOrder, now: datetime) -> bool:
    asked = order.cancel_requested
    return order.ib_order_id is not None and (asked is None or now - asked >= REPEAT_CANCEL)


def _working(order: BrokerOrder, positions: Mapping[str, int]) -> WorkingOrder:
    return WorkingOrder(
        scope=Scope(strategy=order.strategy, instrument=order.instrument, account=order.account),
        effect=effect(order.net, Holding(position=positions.get(order.instrument, 0))), kind=order.kind,
        sent_at=order.sent or order.created)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """How often in a row the broker has shown no working order since the level was raised."""

    empty_passes: int = 0

    def after(self, out: int) -> "Verified":
        return Verified(empty_passes=0 if out else self.empty_passes + 1)

    @property
    def is_done(self) -> bool:
        return self.empty_passes >= PASSES_NEEDED
