"""Reduce-only arithmetic: close what is held, less what already works to close it. Pure.

It will not open, grow or turn a position, whatever the order of fills (invariant V15).
Source: orders_and_risk.md RC-43.
"""

from trading.risk.exposure import Holding, reducing_part


def reduced_only(quantity: int, position: int, closing_leaves: int) -> int:
    """As much of `quantity` as may be sent: sign opposite to `position`, at most abs(position) - `closing_leaves`.

    Args:
        quantity: signed lots asked for.
        position: signed lots held, from fills.
        closing_leaves: lots, never negative, of our live orders that may still close.

    Raises:
        ValueError: `closing_leaves` is negative.
    """
    buys, sells = (closing_leaves, 0) if position < 0 else (0, closing_leaves)
    return reducing_part(quantity, Holding(position=position, working_buys=buys, working_sells=sells))
