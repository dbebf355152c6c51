"""Who must hear of a roll state while lots of its front contract are held (orders_and_risk.md 6.4). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from trading.execution.rolls.decision import RULES, Notice
from trading.execution.rolls.states import RollState, reason_to_lock

BY_ROW: Final = {rule.row: rule.notice for rule in RULES if rule.notice is not Notice.NOBODY}


class Decided(Protocol):
    """A stored roll state; `row` is that of the table which decided, 0 for a person."""

    @property
    def instrument(self) -> str: ...
    @property
    def state(self) -> RollState: ...
    @property
    def front(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def row(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class RollNotice:
    """What people are told of one instrument, and how loud."""

    notice: Notice
    sentence: str


def notices(states: Iterable[Decided], positions: Mapping[str, int]) -> dict[str, RollNotice]:
    """One for each instrument that calls for it; `positions` are lots by contract."""
    found = {state.instrument: _notice(state, positions.get(state.front, 0)) for state in states}
    return {code: notice for code, notice in found.items() if notice is not None}


def _notice(state: Decided, lots: int) -> RollNotice | None:
    if not lots:
        return None
    broken = reason_to_lock(state.instrument, state.state, lots)
    if broken is not None:
        return RollNotice(notice=Notice.PAGE, sentence=broken)
    notice = BY_ROW.get(state.row)
    if notice is None:
        return None
    until = " If it is not left today, close it by hand." if notice is Notice.PAGE else ""
    return RollNotice(notice=notice, sentence=f"{state.front}: {state.reason}.{until} See: tradectl rolls")
