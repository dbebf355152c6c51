"""Which contract month a strategy's trade goes to, in every roll state, looking at what is held in both. Pure.

No trade leaves lots of opposite sign in the two months when none were there before, and one that can end such a pair
does (pst #1246). Positions are what `left_to_close` leaves of the lots held: two orders never close the same lots, and
no lot is closed that is not held yet.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trading.execution.rolls.netting import net
from trading.execution.rolls.states import RollState


class RollLeg(StrEnum):
    """The two contracts of a roll."""

    FRONT = "FRONT"  # the priced contract, which a roll leaves
    FORWARD = "FORWARD"  # the next contract of the hold cycle


@dataclass(frozen=True, kw_only=True)
class LegTrade:
    """Lots of one contract, never zero."""

    contract: RollLeg
    quantity: int


def strategy_trade(state: RollState, front: int, forward: int, trade: int) -> tuple[LegTrade, ...]:
    """What is traded when strategies want `trade` lots, the front contract first; empty: nothing may be.

    The lots sum to `trade`, or to less where a state allows no opening: NO_OPEN and CLOSE only reduce each month
    (RC-43; pst #1256), ROLL_ADJUSTED and EXPIRED_HOLD trade nothing. In the FORCE states these are the outrights of
    the plan that `netting.net` makes of trade and roll together.

    Source: orders_and_risk.md 6.1, 6.3; pysystemtrade.md 2.6.
    """
    in_front, in_forward = _RULES[state](front, forward, trade)
    return _legs(((RollLeg.FRONT, in_front), (RollLeg.FORWARD, in_forward)))


def reducing(position: int, trade: int) -> int:
    """The part of `trade` that brings `position` nearer to zero; none of it crosses (RC-43)."""
    if position * trade >= 0:
        return 0
    return max(trade, -position) if trade < 0 else min(trade, -position)


def left_to_close(position: int, working: Iterable[int]) -> int:
    """Lots of a contract that no order of ours closes yet, from the signed lots of each that works (RC-43).

    Orders that open do not count: they may never fill, and to close them in advance would open the other side.
    """
    closing = sum(lots for lots in working if lots * position < 0)
    return position + reducing(position, closing)


_Lots = tuple[int, int]  # front, forward


def _only_reducing(front: int, forward: int, trade: int) -> _Lots:
    in_front = reducing(front, trade)
    return in_front, reducing(forward, trade - in_front)


def _opening_in_front(front: int, forward: int, trade: int) -> _Lots:
    _, in_forward = _only_reducing(front, forward, trade)
    return trade - in_forward, in_forward


def _opening_forward(front: int, forward: int, trade: int) -> _Lots:
    in_front, _ = _only_reducing(front, forward, trade)
    return in_front, trade - in_front


def _outrights_of_the_roll(front: int, forward: int, trade: int) -> _Lots:
    plan = net(front, forward, front + forward + trade)
    return plan.front_outright, plan.forward_outright


def _nothing(_front: int, _forward: int, _trade: int) -> _Lots:
    return 0, 0


_RULES: Final[Mapping[RollState, Callable[[int, int, int], _Lots]]] = {
    RollState.NO_ROLL: _opening_in_front,
    RollState.NO_OPEN: _only_reducing,
    RollState.PASSIVE: _opening_forward,
    RollState.FORCE_SPREAD: _outrights_of_the_roll,
    RollState.FORCE_OUTRIGHT: _outrights_of_the_roll,
    RollState.CLOSE: _only_reducing,
    RollState.ROLL_ADJUSTED: _nothing,
    RollState.EXPIRED_HOLD: _nothing,
}


def _legs(lots: Iterable[tuple[RollLeg, int]]) -> tuple[LegTrade, ...]:
    return tuple(LegTrade(contract=leg, quantity=quantity) for leg, quantity in lots if quantity)
