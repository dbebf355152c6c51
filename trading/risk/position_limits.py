"""How many lots of an order a position limit leaves. Shrinks an order, never grows or turns one. Pure.

A limit below the position forces nothing: it lets only reductions through. To leave a position, say CLOSE.
Source: orders_and_risk.md RC-03 to RC-05, invariant V14; check vectors of pysystemtrade.md 2.7. The first design's
`apply_position_limits` made trades of its own (S-25) and looked at no working orders (S-26).
"""

from datetime import date


def limited(quantity: int, position: int, working_buys: int, working_sells: int, limit: int | None) -> int:
    """As many of `quantity` signed lots as keep abs(position + our own working lots of that side) within `limit`.

    Reductions always pass, up to the limit of the other side. Without a limit (None) nobody has said how much is right,
    so only what brings the position nearer to zero passes, just as with a limit of 0.

    Args:
        working_buys, working_sells: lots, never negative, that our live orders may still trade, a side each.

    Raises:
        ValueError: the limit, or working lots, are negative.
    """
    if min(working_buys, working_sells, limit or 0) < 0:
        raise ValueError(f"Limits and working lots are never negative: limit {limit}, buys {working_buys}, sells "
                         f"{working_sells}. A limit of 0 lets only reductions through.")
    most = limit or 0
    if quantity > 0:
        return max(0, min(quantity, most - position - working_buys))
    return min(0, max(quantity, -most - position + working_sells))


def contract_limit(limit: int | None, *, is_approved: bool, must_be_out_by: date | None,
                   trading_day: date) -> int | None:
    """The limit of one contract month: 0 when not approved and from the day on by which we must be out.

    None, not set, when nobody has set a limit or the day is unknown.
    """
    if not is_approved:
        return 0
    if must_be_out_by is None:
        return None
    return 0 if trading_day >= must_be_out_by else limit
