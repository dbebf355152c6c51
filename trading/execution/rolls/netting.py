"""A roll and what the strategies want, planned together: the fewest lots that empty the front contract. Pure.

Roll and strategy orders that are planned apart collide, block or shrink each other (pst #1260, #1278, #1043, #1569).
A spread unit buys one lot of the forward contract and sells one of the front contract; negative units do the reverse.
Source: orders_and_risk.md 6.3; the forced closing of 6.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class RollTrades:
    """Lots: spreads are the roll's own, outrights sum to what the strategies want to trade."""

    spread_units: int
    front_outright: int
    forward_outright: int

    @property
    def lots(self) -> int:
        """Lots that change hands, both legs of a spread counted."""
        return 2 * abs(self.spread_units) + abs(self.front_outright) + abs(self.forward_outright)


class StepKind(StrEnum):
    """What one step of a plan does; also the order of sending."""

    REDUCE = "REDUCE"  # outright, towards zero
    SPREAD = "SPREAD"  # both legs; as two outrights, front leg first, unit by unit, where there is no spread market
    INCREASE = "INCREASE"  # outright, away from zero; what to leave out when margin is refused


@dataclass(frozen=True, kw_only=True)
class RollStep:
    """Lots of each contract; a step is sent when the one before is over, or fits the limits with it committed."""

    kind: StepKind
    front: int
    forward: int


def net(front: int, forward: int, target: int) -> RollTrades:
    """Trades from `front` and `forward` lots to nothing in front and `target` lots (of all strategies) forward.

    The fewest lots that do it, as many as possible of them in spreads; abs(front) never grows on the way.
    """
    leave, enter = -front, target - forward
    units = _sign(enter) * min(abs(leave), abs(enter)) if leave * enter < 0 else 0
    return RollTrades(spread_units=units, front_outright=leave + units, forward_outright=enter - units)


def close_months(front: int, forward: int, target: int = 0) -> RollTrades:
    """Trades that close each contract month by itself: a net position of zero may hide one in both (pst #1246).

    Args:
        target: lots to hold forward all the same, when the decision says that the forward leg may be rolled.
    """
    return RollTrades(spread_units=0, front_outright=-front, forward_outright=target - forward)


def in_order_of_sending(trades: RollTrades, forward: int) -> tuple[RollStep, ...]:
    """Reducing outrights first, then spreads, then increasing outrights, from `forward` lots held forward."""
    return tuple(_steps(trades, forward))


def without_increases(steps: tuple[RollStep, ...]) -> tuple[RollStep, ...]:
    """What is still sent after the broker refused margin: the lower exposure is kept, nothing is tried again."""
    return tuple(step for step in steps if step.kind is not StepKind.INCREASE)


def _steps(trades: RollTrades, forward: int) -> Iterator[RollStep]:
    closing = min(abs(forward), abs(trades.forward_outright)) if forward * trades.forward_outright < 0 else 0
    closing *= _sign(trades.forward_outright)
    if trades.front_outright:
        yield RollStep(kind=StepKind.REDUCE, front=trades.front_outright, forward=0)
    if closing:
        yield RollStep(kind=StepKind.REDUCE, front=0, forward=closing)
    if trades.spread_units:
        yield RollStep(kind=StepKind.SPREAD, front=-trades.spread_units, forward=trades.spread_units)
    if trades.forward_outright != closing:
        yield RollStep(kind=StepKind.INCREASE, front=0, forward=trades.forward_outright - closing)


def _sign(lots: int) -> int:
    return (lots > 0) - (lots < 0)
