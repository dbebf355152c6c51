"""Who must hear of a roll state while lots of its front contract are held (orders_and_risk.md 6.4). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from trading.execution.rolls.decision import RULES, Notice

BY_ROW: Final = {rule.row: rule.notice for rule in RULES if rule.notice is not Notice.NOBODY}


class Decided(Protocol):
    """A stored roll state; `row` is that of the table which decided, 0 for a person."""

    @property
    def instrument(self) -> str: ...
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
    return {state.instrument: RollNotice(notice=BY_ROW[state.row], sentence=_sentence(state))
            for state in states if state.row in BY_ROW and positions.get(state.front)}


def _sentence(state: Decided) -> str:
    if BY_ROW[state.row] is Notice.PAGE:
        return f"{state.front}: {state.reason}. If it is not left today, close it by hand. See: tradectl rolls"
    return f"{state.front}: {state.reason}. See: tradectl rolls"
