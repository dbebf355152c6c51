"""What a kill level lets through, and which working orders it cancels. Pure: decides nothing about the level itself.

From K3 on nothing leaves that raises exposure on the worst side (V18). Source: orders_and_risk.md 3.1.
"""

from dataclasses import dataclass
from datetime import datetime

from trading.risk.exposure import Effect
from trading.risk.kill_level import KillLevel, KillState, Scope
from trading.risk.order_kind import OrderKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a message may not leave at this level."""

    level: KillLevel
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingOrder:
    """What is asked of a live order before it is cancelled. `sent_at` is aware."""

    scope: Scope
    effect: Effect
    kind: OrderKind
    sent_at: datetime
    is_ours: bool = True


def permitted(state: KillState, effect: Effect, kind: OrderKind, scope: Scope) -> Refusal | None:
    """Why a message may not leave now; None when it may. Cancels always may."""
    return permitted_by_level(state, effect, kind) or permitted_in_scope(state, effect, scope)


def permitted_by_level(state: KillState, effect: Effect, kind: OrderKind) -> Refusal | None:
    """The part of `permitted` that holds for the whole system; `effect` is that on the account."""
    if effect is Effect.CANCEL or state.level <= KillLevel.K1_PAUSE_SCOPE:
        return None
    if state.level is KillLevel.K2_NO_NEW_RISK:
        return _refusal(state, "only orders that reduce risk are sent") if effect is Effect.ADDS_RISK else None
    if state.level is KillLevel.K5_SEVER:
        return _refusal(state, "nothing is sent")
    if kind is OrderKind.FLATTEN and effect is Effect.REDUCES_RISK:
        return None
    return _refusal(state, "only FLATTEN orders of an operator that reduce risk are sent")


def permitted_in_scope(state: KillState, effect: Effect, scope: Scope) -> Refusal | None:
    """The part of `permitted` that pauses forbid; `effect` is that on what is paused."""
    if effect is not Effect.ADDS_RISK:
        return None
    pause = next((each for each in state.pauses if each.scope.covers(scope)), None)
    if pause is None:
        return None
    sentence = f"{pause.scope} is paused by {pause.who} ({pause.reason}): only orders that reduce risk are sent."
    return Refusal(level=KillLevel.K1_PAUSE_SCOPE, sentence=sentence)


def _refusal(state: KillState, allowed: str) -> Refusal:
    return Refusal(level=state.level, sentence=f"{state.level.name} by {state.who} ({state.reason}): {allowed}.")


def must_cancel(state: KillState, order: WorkingOrder) -> bool:
    """Whether the level, or a pause, cancels this working order. Orders of others only at K5.

    FLATTEN orders that were sent since K3 or K4 began are what the level wants, and stay.
    """
    if state.level is KillLevel.K5_SEVER:
        return True
    if not order.is_ours:
        return False
    if state.level >= KillLevel.K3_HALT:
        return not (order.kind is OrderKind.FLATTEN and state.when is not None and order.sent_at >= state.when)
    if state.level is KillLevel.K2_NO_NEW_RISK and order.effect is Effect.ADDS_RISK:
        return True
    return any(each.cancels_working and each.scope.covers(order.scope) for each in state.pauses)
