"""With the market: so many of each hundred lots that others trade, whenever they trade. Pure.

What we have done is never ahead of our share of the market's volume since we began, but for the lot that makes it
whole; our own fills are no volume of the market. A volume that stops growing may be a quiet market or a dead feed,
and nobody can tell which: after a minute of it the rest goes by time, and a person is told.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

from trading.execution.algos.frame import AlgoState, Look, Phase, Step, Tell, Terms, Volume
from trading.execution.algos.original_best import ends_soon, original_best
from trading.execution.order_states import ExecutionStyle

MOST_PARTICIPATION: Final = Decimal("0.10")
SILENT_AFTER: Final = timedelta(seconds=60)
PASSIVE_AT_MOST: Final = timedelta(seconds=36)  # for each slice, as long as for one that goes by time
INSTANT: Final = timedelta(seconds=1)  # one time, told twice, differs by less
SPACING: Final = timedelta(seconds=15)  # between slices: more than five orders a minute are a fault (RC-17)
MOST_SLICES: Final = 50  # of an order; a day of one instrument has a hundred (RC-16)


def share(volume: int, participation: Decimal) -> int:
    """Lots (unsigned) that should be done when others have traded `volume`; a part of a lot counts as one."""
    allowed = min(participation, MOST_PARTICIPATION)
    return int((max(0, volume) * allowed).to_integral_value(ROUND_CEILING))


def pov(state: AlgoState, look: Look, terms: Terms, quantity: int) -> Step:
    """One look at an order of `quantity` lots, `universal` having had nothing to say."""
    volume = _heard(state.volume or Volume(heard=look.now), look)
    state = replace(state, volume=volume)
    if look.now - volume.heard >= SILENT_AFTER:
        return _by_time(state, look, volume)
    if look.living is not None:
        return original_best(_in_a_hurry(state, look), look, terms)
    lots = _slice(volume, look, terms, quantity)
    if lots == 0:
        return state, None
    phase = Phase.AGGRESSIVE if ends_soon(look) else Phase.PASSIVE
    fresh = replace(state, phase=phase, since=look.now, adverse_since=None, adverse_looks=0)
    return original_best(fresh, look, replace(terms, most_lots=min(terms.most_lots, lots)))


def _heard(known: Volume, look: Look) -> Volume:
    """`known` and what the quote tells; a smaller volume is a new day, or a correction, and counts for nothing."""
    traded = None if look.touch is None else look.touch.traded
    if traded is None:
        return known
    if known.first is None:
        return Volume(heard=max(known.heard, traded.changed), first=traded.lots, newest=traded.lots)
    has_grown = traded.lots > known.newest
    if not has_grown and traded.changed - known.heard < INSTANT:
        return known
    return replace(known, heard=max(known.heard, traded.changed), newest=max(known.newest, traded.lots))


def _by_time(state: AlgoState, look: Look, volume: Volume) -> Step:
    told = "has not grown" if volume.first is not None else "was not told"
    reason = f"the volume of the market {told} for {SILENT_AFTER.total_seconds():.0f} s"
    return state.without_own_style(ExecutionStyle.TWAP, look, reason), Tell(
        text=f"{reason}; the {abs(look.residual)} lots that are left go by time")


def _in_a_hurry(state: AlgoState, look: Look) -> AlgoState:
    """A slice that rests for long takes the other side."""
    is_late = state.phase is Phase.PASSIVE and look.now - state.since >= PASSIVE_AT_MOST
    return state.moved(Phase.AGGRESSIVE, look.now) if is_late else state


def _slice(volume: Volume, look: Look, terms: Terms, quantity: int) -> int:
    """Lots (unsigned) of the next broker order; 0 when it is not its time."""
    if look.child is not None and look.now - look.child.created < SPACING:
        return 0
    done = abs(quantity) - abs(look.residual)
    due = min(share(volume.since_start - done, terms.participation) - done, abs(look.residual))
    smallest = min(abs(look.residual), terms.most_lots, -(-abs(quantity) // MOST_SLICES))
    return due if due >= smallest else 0
