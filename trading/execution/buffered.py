"""How much to trade when a position may lie anywhere inside a buffer (pysystemtrade.md 2.1). Pure."""

import math


def required_trade(held: int, working: int, lower: float, upper: float) -> int:
    """Lots to trade now: to the near edge of the buffer, counting what already works as held.

    Args:
        held: lots in the books. working: lots of open orders. lower, upper: the buffer, lower <= upper.

    An edge rounds to the nearest lot, half a lot to the even one.

    Raises:
        ValueError: the buffer is upside down, or one of its edges is not a finite number.
    """
    if lower > upper:
        raise ValueError(f"a buffer from {lower} to {upper} is upside down")
    if not (math.isfinite(lower) and math.isfinite(upper)):
        raise ValueError(f"a buffer from {lower} to {upper} has no edges to trade to")
    expected = held + working
    if expected < lower:
        return max(0, round(lower) - expected)
    if expected > upper:
        return min(0, round(upper) - expected)
    return 0
