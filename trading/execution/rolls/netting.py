"""A roll and what the strategies want, planned together: the fewest lots that empty the front contract. Pure.

Roll and strategy orders that are planned apart collide, block or shrink each other (pst #1260, #1278, #1043, #1569).
A spread unit buys one lot of the forward contract and sells one of the front contract; negative units do the reverse.
Source: orders_and_risk.md 6.3.
"""

from dataclasses import dataclass


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


def net(front: int, forward: int, target: int) -> RollTrades:
    """Trades from `front` and `forward` lots to nothing in front and `target` lots (of all strategies) forward.

    The fewest lots that do it, as many as possible of them in spreads; abs(front) never grows on the way.
    """
    leave, enter = -front, target - forward
    units = _sign(enter) * min(abs(leave), abs(enter)) if leave * enter < 0 else 0
    return RollTrades(spread_units=units, front_outright=leave + units, forward_outright=enter - units)


def _sign(lots: int) -> int:
    return (lots > 0) - (lots < 0)
