"""The roll states of an instrument, and which may follow which. Pure: nothing is stored, sent or cancelled here.

Which table holds depends on whether anything is still held in the front contract (orders_and_risk.md 6.1, 6.2).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RollState(StrEnum):
    """Where an instrument stands between its front contract and the one after it."""

    NO_ROLL = "NO_ROLL"
    NO_OPEN = "NO_OPEN"
    PASSIVE = "PASSIVE"
    FORCE_SPREAD = "FORCE_SPREAD"
    FORCE_OUTRIGHT = "FORCE_OUTRIGHT"
    CLOSE = "CLOSE"
    ROLL_ADJUSTED = "ROLL_ADJUSTED"
    EXPIRED_HOLD = "EXPIRED_HOLD"

    @property
    def meaning(self) -> str:
        """One sentence for a person."""
        return MEANINGS[self]


_S = RollState

MEANINGS: Final[Mapping[RollState, str]] = {
    _S.NO_ROLL: "Only the front contract is traded.",
    _S.NO_OPEN: "The front position may only shrink: expiry is near, and the forward contract is not liquid yet.",
    _S.PASSIVE: "New risk goes into the forward contract, reductions come out of the front one.",
    _S.FORCE_SPREAD: "The front position is moved forward now, with calendar spreads.",
    _S.FORCE_OUTRIGHT: "The front position is moved forward now, with one order in each contract.",
    _S.CLOSE: "The instrument is left: each contract month is closed, nothing is opened.",
    _S.ROLL_ADJUSTED: "Nothing is held in front; the price series are being switched to the forward contract.",
    _S.EXPIRED_HOLD: "The contract ended while it was held: no orders; the broker acts, a person must look.",
}

URGENCY: Final = (_S.NO_ROLL, _S.NO_OPEN, _S.PASSIVE, _S.FORCE_SPREAD, _S.FORCE_OUTRIGHT, _S.CLOSE, _S.EXPIRED_HOLD)
# ROLL_ADJUSTED is the end of a roll, no degree of it: it has no urgency

FRONT_EMPTY: Final[Mapping[RollState, frozenset[RollState]]] = {
    _S.NO_ROLL: frozenset({_S.ROLL_ADJUSTED, _S.PASSIVE, _S.NO_OPEN}),
    _S.NO_OPEN: frozenset({_S.ROLL_ADJUSTED, _S.PASSIVE, _S.NO_ROLL}),
    _S.PASSIVE: frozenset({_S.ROLL_ADJUSTED, _S.NO_OPEN}),
    _S.FORCE_SPREAD: frozenset({_S.ROLL_ADJUSTED}),
    _S.FORCE_OUTRIGHT: frozenset({_S.ROLL_ADJUSTED}),
    _S.CLOSE: frozenset({_S.ROLL_ADJUSTED, _S.NO_ROLL}),
    _S.ROLL_ADJUSTED: frozenset({_S.NO_ROLL}),
    _S.EXPIRED_HOLD: frozenset({_S.NO_ROLL}),  # once the settlement is booked
}

FRONT_HELD: Final[Mapping[RollState, frozenset[RollState]]] = {
    _S.NO_ROLL: frozenset({_S.PASSIVE, _S.NO_OPEN, _S.FORCE_SPREAD, _S.FORCE_OUTRIGHT, _S.CLOSE}),
    _S.NO_OPEN: frozenset({_S.PASSIVE, _S.FORCE_SPREAD, _S.FORCE_OUTRIGHT, _S.CLOSE}),
    _S.PASSIVE: frozenset({_S.FORCE_SPREAD, _S.FORCE_OUTRIGHT, _S.NO_OPEN, _S.CLOSE}),
    _S.FORCE_SPREAD: frozenset({_S.FORCE_OUTRIGHT, _S.CLOSE, _S.PASSIVE}),
    _S.FORCE_OUTRIGHT: frozenset({_S.CLOSE}),
    _S.CLOSE: frozenset({_S.EXPIRED_HOLD}),
    _S.ROLL_ADJUSTED: frozenset(),  # illegal: a fill arrived late; see `reason_to_lock`
    _S.EXPIRED_HOLD: frozenset(),
}

FOR_A_PERSON_ONLY: Final = frozenset({(_S.FORCE_SPREAD, _S.PASSIVE), (_S.CLOSE, _S.NO_ROLL)})


def following(state: RollState, front: int) -> frozenset[RollState]:
    """States that may follow `state` while `front` lots are held in the front contract, if a person asks."""
    return (FRONT_HELD if front else FRONT_EMPTY)[state]


def following_by_itself(state: RollState, front: int) -> frozenset[RollState]:
    """Those that need no person: with anything in front only more urgent ones."""
    return frozenset(new for new in following(state, front) if (state, new) not in FOR_A_PERSON_ONLY
                     and not (front and lowers_urgency(state, new)))


def lowers_urgency(old: RollState, new: RollState) -> bool:
    """Whether `new` is less urgent than `old`; the end of a roll is neither more nor less."""
    return _S.ROLL_ADJUSTED not in (old, new) and URGENCY.index(new) < URGENCY.index(old)


def raises_urgency(old: RollState, new: RollState) -> bool:
    """Whether `new` is more urgent than `old`; the end of a roll is neither more nor less."""
    return _S.ROLL_ADJUSTED not in (old, new) and URGENCY.index(new) > URGENCY.index(old)


def reason_to_lock(instrument: str, state: RollState, front: int) -> str | None:
    """Why `instrument` must be locked and somebody told; None when its state and its position agree."""
    if state is _S.ROLL_ADJUSTED and front:
        return (f"{instrument} is ROLL_ADJUSTED, but {front:+d} lots are held in its front contract: a fill arrived "
                f"late. Nothing is traded in it. Close these lots by hand, then: tradectl rolls show {instrument}")
    if state is _S.EXPIRED_HOLD and front:
        return (f"{instrument} holds {front:+d} lots of a contract that has ended: the broker acts, we send nothing. "
                f"Book what the broker did, then: tradectl rolls set {instrument} NO_ROLL --reason \"...\"")
    return None
