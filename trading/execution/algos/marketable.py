"""Take the price that is there, with a limit a little behind it; what is not filled soon is tried anew. Pure.

A market order has no worst price; a limit through the far side has one, and fills as well (RC-11). It chases at most
so many times, each time from a fresh quote.
"""

from decimal import Decimal
from typing import Final

from trading.execution.algos.frame import (
    AlgoState,
    Cancel,
    Finish,
    Look,
    Phase,
    Place,
    Step,
    Terms,
    child_lots,
    with_arrival,
)

THROUGH_TICKS: Final = 2
THROUGH_SIGMAS: Final = Decimal("0.1")


def marketable(state: AlgoState, look: Look, terms: Terms) -> Step:
    """One look, `universal` having had nothing to say."""
    assert look.touch is not None
    state = with_arrival(state, look.touch).moved(Phase.AGGRESSIVE, look.now)
    living = look.living
    if living is not None:
        is_late = living.sent is not None and not living.held and look.now - living.sent >= terms.patience
        return state, Cancel(reason="not filled in time") if is_late else None
    if look.children >= terms.attempts:
        return state.done(Finish.ATTEMPTS, look.now), None
    quantity = child_lots(look, terms)
    through = max(THROUGH_TICKS * terms.grid.tick, THROUGH_SIGMAS * (terms.sigma_d or Decimal(0)))
    price = look.touch.far(quantity) + (through if quantity > 0 else -through)
    return state, Place(quantity=quantity, limit=terms.grid.aggressive(price, quantity), is_passive=False)
