"""All that is to be traded in an instrument now, roll and strategies in one plan. Pure.

States that do not force a roll have no plan of their own: their strategy orders go where `strategy_trade` says.
"""

from dataclasses import dataclass

from trading.execution.rolls.netting import RollStep, RollTrades, close_months, in_order_of_sending, net
from trading.execution.rolls.states import RollState


@dataclass(frozen=True, kw_only=True)
class Held:
    """Lots of each contract of a roll, and lots that all strategies together still want to trade.

    Plan anew only when no order of the last plan works: half a pair that is under way would be planned again.
    """

    front: int
    forward: int
    trade: int = 0

    @property
    def target(self) -> int:
        """What the instrument is to hold when everything is done."""
        return self.front + self.forward + self.trade


def roll_plan(state: RollState, held: Held, roll_forward_leg: bool = False) -> tuple[RollStep, ...]:
    """Steps in the order of sending; empty in the states that do not force anything.

    It is made anew from what is held, so it needs no order of a strategy to begin (pst #822), and none blocks it.

    Args:
        roll_forward_leg: whether CLOSE may hold the target forward: RollDecision.roll_forward_leg. Without it both
            months are closed.
    """
    return in_order_of_sending(_trades(state, held, roll_forward_leg), held.forward)


def _trades(state: RollState, held: Held, roll_forward_leg: bool) -> RollTrades:
    if state in (RollState.FORCE_SPREAD, RollState.FORCE_OUTRIGHT):
        return net(held.front, held.forward, held.target)
    if state is RollState.CLOSE:
        return close_months(held.front, held.forward, held.target if roll_forward_leg else 0)
    return RollTrades(spread_units=0, front_outright=0, forward_outright=0)
