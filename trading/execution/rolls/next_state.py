"""The state that a decision leads to from the present one: never back while anything is held in front. Pure."""

from typing import Final

from trading.execution.rolls.states import URGENCY, RollState, following_by_itself, raises_urgency

LATE_AFTER_SESSIONS: Final = 2


def next_state(current: RollState, decided: RollState, front: int, sessions_in_state: int = 0) -> RollState:
    """The first change on the way from `current` to `decided`; `current` itself when none is to be made.

    With lots in front urgency only rises (V31), and spreads that did not complete in two sessions are given up for
    outrights: an instrument without a spread market never completes one (pst #1632). Ask again from the new state
    until it stays, before orders are made: EXPIRED_HOLD is entered by way of CLOSE. ROLL_ADJUSTED and EXPIRED_HOLD are
    not left by a decision, but by the switch of the prices and by a booked settlement.

    Args:
        front: lots held in the front contract. sessions_in_state: sessions that have ended in `current`.
    """
    if current in (RollState.ROLL_ADJUSTED, RollState.EXPIRED_HOLD):
        return current
    possible = following_by_itself(current, front)
    if not front:
        return decided if decided in possible else current
    wanted = _escalated(current, decided, sessions_in_state)
    nearer = [state for state in possible if not raises_urgency(wanted, state)]
    if not raises_urgency(current, wanted) or not nearer:
        return current
    return max(nearer, key=URGENCY.index)


def _escalated(current: RollState, decided: RollState, sessions_in_state: int) -> RollState:
    is_late = current is RollState.FORCE_SPREAD and sessions_in_state >= LATE_AFTER_SESSIONS
    return RollState.FORCE_OUTRIGHT if is_late and not raises_urgency(current, decided) else decided
