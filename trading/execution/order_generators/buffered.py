"""The trade of a strategy that lets a position be anywhere inside a buffer around its optimum. Pure.

The buffer lies around the optimal position that is not rounded, never around the present one: around the present one
9 to 10 trades and 11 to 10 does not, and 0.9 to 0 never closes (orders_and_risk.md S-23). It saves costs, so it holds
back nothing that lowers risk on purpose: no zero target, override, expiry or limit waits for it.
Source: pysystemtrade.md 2.1, 4.6.
"""

import math
from typing import Protocol

from trading.errors import DataError
from trading.execution.buffered import required_trade
from trading.execution.order_generators.wanted_trades import (
    Allowed,
    PositionRule,
    Standing,
    WantedTrade,
    trade_to,
)


class WantedBuffer(Protocol):
    """What a system wants to hold: lots, not rounded, with lower <= optimal <= upper."""

    @property
    def lower(self) -> float: ...
    @property
    def optimal(self) -> float: ...
    @property
    def upper(self) -> float: ...


def buffered_trade(wanted: WantedBuffer | None, standing: Standing, allowed: Allowed) -> WantedTrade:
    """The trade to the near edge of the buffer, or past the buffer to where `allowed` says.

    CLOSE and an optimum of zero go to zero; REDUCE_ONLY to the rounded optimum as far as that reduces what is held;
    and whatever comes out is brought within the limit, also when the position would have stayed in its buffer.

    Args:
        wanted: None on a day without signals: the position stays, but for what `allowed` asks (pst #822).

    Raises:
        DataError: a number of the buffer is not finite or out of order, or the limit is negative; nothing is traded.
    """
    if allowed.limit is not None and allowed.limit < 0:
        raise DataError(f"A limit of {allowed.limit} lots is not allowed (allowed: 0 and more, or none).")
    target, reason = _target(wanted, standing, allowed.rule)
    is_wish = wanted is not None and allowed.rule is PositionRule.FREE
    if allowed.limit is not None and abs(target) > allowed.limit:
        target, reason = _within(target, -allowed.limit, allowed.limit), f"at most {allowed.limit} lots may be held"
        is_wish = is_wish and abs(target) > abs(standing.held)
    return trade_to(target, standing, reason, is_wish=is_wish)


def _target(wanted: WantedBuffer | None, standing: Standing, rule: PositionRule) -> tuple[int, str]:
    if rule is PositionRule.CLOSE:
        return 0, "it is to be closed"  # whatever the buffer says, if it says anything at all
    if wanted is not None:
        _check(wanted)
    if wanted is not None and wanted.optimal == 0:
        return 0, "nothing is wanted"
    if rule is PositionRule.REDUCE_ONLY:
        towards = standing.expected if wanted is None else round(wanted.optimal)
        return _within(towards, min(0, standing.held), max(0, standing.held)), "it may only be reduced"
    if wanted is None:
        return standing.expected, "there is no new signal"
    edge = standing.expected + required_trade(standing.held, standing.working, wanted.lower, wanted.upper)
    return edge, f"the buffer goes from {wanted.lower:.2f} to {wanted.upper:.2f}"


def _check(wanted: WantedBuffer) -> None:
    numbers = (wanted.lower, wanted.optimal, wanted.upper)
    if not all(math.isfinite(number) for number in numbers):
        raise DataError(f"A buffer of {_said(wanted)} is not made of numbers. Nothing is traded; run the strategy "
                        f"again.")
    if sorted(numbers) != list(numbers):
        raise DataError(f"A buffer of {_said(wanted)} is out of order. Nothing is traded; run the strategy again.")


def _said(wanted: WantedBuffer) -> str:
    return f"{wanted.lower} below {wanted.optimal} below {wanted.upper}"


def _within(lots: int, least: int, most: int) -> int:
    return min(max(lots, least), most)
