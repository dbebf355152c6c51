"""Kill levels: how much trading is allowed at all, who raises and lowers, and what a level costs. Pure.

Anything may raise a level; only a person with a reason lowers one, save K2 after a passing fault of data. Store the new
state before acting on it: a level survives every restart. Source: orders_and_risk.md 3.1, RC-01, V18.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final

from trading.errors import TradingError

CONFIRMATIONS: Final = 2  # of clear data, before K2 falls by itself


class KillLevel(IntEnum):
    """From everything to nothing."""

    K0_NORMAL = 0
    K1_PAUSE_SCOPE = 1  # lives in the pauses of a KillState, a strategy or an instrument each
    K2_NO_NEW_RISK = 2
    K3_HALT = 3
    K4_FLATTEN = 4
    K5_SEVER = 5


class Cause(StrEnum):
    """Why the system level is what it is; only DATA may clear itself."""

    OPERATOR = "OPERATOR"
    CONTROL = "CONTROL"
    DATA = "DATA"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a pause covers; None covers all. An order's own scope names everything it belongs to."""

    strategy: str | None = None
    instrument: str | None = None
    account: str | None = None

    def covers(self, other: "Scope") -> bool:
        """Whether an order of scope `other` lies in this one."""
        pairs = ((self.strategy, other.strategy), (self.instrument, other.instrument), (self.account, other.account))
        return all(ours is None or ours == theirs for ours, theirs in pairs)

    def __str__(self) -> str:
        named = (("strategy", self.strategy), ("instrument", self.instrument), ("account", self.account))
        return ", ".join(f"{noun} {name}" for noun, name in named if name is not None) or "the whole system"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """Level K1 for one scope."""

    scope: Scope
    cancels_working: bool
    reason: str
    who: str
    when: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class KillState:
    """The level of the whole system and the paused scopes. `version` is the store's: what was read, to write against.

    `clear_readings` counts, while K2 holds for want of data, how often the data was found sound since.
    """

    level: KillLevel = KillLevel.K0_NORMAL
    pauses: tuple[Pause, ...] = ()
    cause: Cause = Cause.OPERATOR
    clear_readings: int = 0
    reason: str = ""
    who: str = ""
    when: datetime | None = None
    version: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """Who wants a change of level, why, and when (aware). A program names itself, and is no person."""

    who: str
    why: str
    when: datetime
    is_person: bool = False
    cause: Cause = Cause.CONTROL


class NotLowered(TradingError):
    """The level stays; the message says who may lower it, and how far."""


_CONSEQUENCES: Final = {
    KillLevel.K0_NORMAL:
        "K0 normal: everything is traded. Nothing is cancelled; paused scopes stay paused.",
    KillLevel.K1_PAUSE_SCOPE:
        "K1 pause: in the named scope nothing adds risk, reducing goes on; working orders are kept or cancelled as you "
        "choose. Everything else trades on. An operator resumes it.",
    KillLevel.K2_NO_NEW_RISK:
        "K2 no new risk: in the whole system nothing adds risk, reducing goes on; working orders that add risk are "
        "cancelled. An operator lowers it, or sound data when data raised it.",
    KillLevel.K3_HALT:
        "K3 halt: in the whole system nothing is sent but FLATTEN orders of an operator; all our working orders are "
        "cancelled. Positions are kept and unmanaged. An operator lowers it, with a reason.",
    KillLevel.K4_FLATTEN:
        "K4 flatten: all our working orders are cancelled, then ALL positions are closed at the market, largest risk "
        "first, as soon as markets are open. It ends in K3 and cannot be undone.",
    KillLevel.K5_SEVER:
        "K5 sever: all orders of the account are cancelled, also those of others, then the broker is disconnected. "
        "Positions are kept and nobody can close them here. A manual restart leads to K3.",
}


def consequences(level: KillLevel) -> str:
    """What raising to `level` does, to whom, and how it ends; print it before asking for a confirmation."""
    return _CONSEQUENCES[level]


def raised(state: KillState, level: KillLevel, by: Command, scope: Scope | None = None, *,
           cancels_working: bool = False) -> KillState:
    """The state after a raise. The level never falls, and repeating a raise changes nothing.

    Args:
        by: its cause DATA lets K2 fall by itself; a second cause of another kind takes that away.
        scope: what to pause, for K1; None for every other level, which holds for the whole system.
        cancels_working: for K1, whether working orders in the scope are cancelled.

    Raises:
        ValueError: K1 without a scope, or a scope with another level.
    """
    if (level is KillLevel.K1_PAUSE_SCOPE) is not (scope is not None and scope != Scope()):
        raise ValueError(f"K1 needs a strategy, instrument or account, and other levels are for the whole system: "
                         f"got {level.name} for {scope}.")
    if scope is not None:
        return _with_pause(state, Pause(scope=scope, cancels_working=cancels_working, reason=by.why, who=by.who,
                                        when=by.when))
    return _moved(state, level, by) if level > state.level else _repeated(state, level, by)


def _moved(state: KillState, level: KillLevel, by: Command) -> KillState:
    return replace(state, level=level, cause=by.cause, clear_readings=0, reason=by.why, who=by.who, when=by.when)


def _with_pause(state: KillState, pause: Pause) -> KillState:
    known = next((each for each in state.pauses if each.scope == pause.scope), None)
    if known is not None and (known.cancels_working or not pause.cancels_working):
        return state
    return replace(state, pauses=(*(each for each in state.pauses if each is not known), pause))


def _repeated(state: KillState, level: KillLevel, by: Command) -> KillState:
    """A raise to no higher level: a new fault of data starts the count anew, another cause needs a person to lower."""
    if level is not state.level or state.cause is not Cause.DATA:
        return state
    if by.cause is Cause.DATA:
        return state if state.clear_readings == 0 else replace(state, clear_readings=0)
    return _moved(state, level, by)


def data_found_sound(state: KillState) -> KillState:
    """One more reading at which every cause of data was gone; call `lowered` after CONFIRMATIONS of them."""
    return replace(state, clear_readings=state.clear_readings + 1) if _may_fall(state) else state


def _may_fall(state: KillState) -> bool:
    return state.level is KillLevel.K2_NO_NEW_RISK and state.cause is Cause.DATA


def lowered(state: KillState, level: KillLevel, by: Command) -> KillState:
    """The state at a lower `level`; lowering to where it is changes nothing. Pauses stay.

    Raises:
        NotLowered: it was not a person with a reason; or K4 not to K3; or K5, which only a restart ends.
        ValueError: `level` is higher, or K1, which is no level of the whole system.
    """
    if level > state.level or level is KillLevel.K1_PAUSE_SCOPE:
        raise ValueError(f"The system is at {state.level.name} and cannot be lowered to {level.name}.")
    if level is state.level:
        return state
    refusal = _why_not_lowered(state, level, by)
    if refusal:
        raise NotLowered(f"The kill level stays at {state.level.name}: {refusal}")
    return _moved(state, level, by)


def _why_not_lowered(state: KillState, level: KillLevel, by: Command) -> str | None:
    if state.level is KillLevel.K5_SEVER:
        return "a severed system comes back only by a manual restart, which leads to K3."
    if state.level is KillLevel.K4_FLATTEN and level is not KillLevel.K3_HALT:
        return "flattening ends in K3. Lower it to K3 first."
    if by.is_person:
        return None if by.why.strip() else "a reason is missing. Give one with --reason."
    if not _may_fall(state):
        return "only a person may lower it, with a reason."
    return None if state.clear_readings >= CONFIRMATIONS else \
        f"data was found sound {state.clear_readings} of {CONFIRMATIONS} times."


def restarted(state: KillState, by: Command) -> KillState:
    """The state after a restart: a severed system comes back at K3, by a person with a reason; no other level changes.

    Raises:
        NotLowered: it was not a person with a reason.
    """
    if state.level is not KillLevel.K5_SEVER:
        return state
    if not by.is_person or not by.why.strip():
        raise NotLowered("The kill level stays at K5_SEVER: only a person may restart it, with a reason.")
    return _moved(state, KillLevel.K3_HALT, by)


def resumed(state: KillState, scope: Scope, by: Command) -> KillState:
    """The state without the pause of exactly `scope`; no such pause changes nothing.

    Raises:
        NotLowered: it was not a person with a reason.
    """
    if all(each.scope != scope for each in state.pauses):
        return state
    if not by.is_person or not by.why.strip():
        raise NotLowered(f"{scope} stays paused: only a person may resume it, with a reason.")
    return replace(state, pauses=tuple(each for each in state.pauses if each.scope != scope))
