"""Whose fills are whose, when one order traded for several strategies. Pure; whole lots, and every one is given.

Spread fills belong to the roll and to no strategy (orders_and_risk.md 6.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trading.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Crossed:
    """Lots that strategies gave each other without the market, and what is left of their wishes."""

    lots: Mapping[str, int]
    left: Mapping[str, int]


def attribute(filled: int, asked: Mapping[str, int]) -> dict[str, int]:
    """Lots of `filled` for each strategy that asked for lots of its sign, in proportion to what it asked for.

    What does not divide goes to the largest remainders, and among equal ones by strategy. More than was asked for is
    shared as well: a fill that happened is somebody's.

    Raises:
        DataError: lots were filled, and nobody asked for any of that sign.
    """
    if filled == 0:
        return {}
    sign = 1 if filled > 0 else -1
    wishes = {strategy: abs(lots) for strategy, lots in sorted(asked.items()) if lots * sign > 0}
    if not wishes:
        raise DataError(f"{filled:+d} lots were filled, but no strategy asked for any of that sign ({_said(asked)}). "
                        f"Book them by hand to the strategy they belong to.")
    return {strategy: sign * lots for strategy, lots in _shared(abs(filled), wishes).items() if lots}


def cross(asked: Mapping[str, int]) -> Crossed:
    """Let opposite wishes meet: buyers and sellers of the same instrument need no market for the smaller side."""
    buys, sells = (sum(max(sign * lots, 0) for lots in asked.values()) for sign in (1, -1))
    met = min(buys, sells)
    lots = attribute(met, asked) | attribute(-met, asked)
    left = {strategy: wish - lots.get(strategy, 0) for strategy, wish in sorted(asked.items())}
    return Crossed(lots=lots, left={strategy: wish for strategy, wish in left.items() if wish})


def _shared(lots: int, wishes: Mapping[str, int]) -> dict[str, int]:
    total = sum(wishes.values())
    shares = {strategy: divmod(lots * wish, total) for strategy, wish in wishes.items()}
    missing = lots - sum(whole for whole, _ in shares.values())
    favoured = sorted(shares, key=lambda strategy: (-shares[strategy][1], strategy))[:missing]
    return {strategy: whole + (strategy in favoured) for strategy, (whole, _) in shares.items()}


def _said(asked: Mapping[str, int]) -> str:
    return ", ".join(f"{strategy} {lots:+d}" for strategy, lots in sorted(asked.items())) or "nobody asked for anything"
