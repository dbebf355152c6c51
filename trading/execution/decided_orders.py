"""An instrument order after the controls have judged it: it trades, trades less, waits, or has ended. Pure.

Every answer is kept on the order, also of those that pass, so that "why was it not sent" is one look at its story.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from trading.execution.order_states import CloseReason, Hold, Lifecycle
from trading.execution.orders import InstrumentOrder, StoredCheck
from trading.risk.check import Check, Outcome
from trading.risk.pre_trade import Verdict

NEEDS_APPROVAL: Final = frozenset({"RC-09", "RC-32", "RC-38"})


def decided(order: InstrumentOrder, verdict: Verdict, now: datetime) -> InstrumentOrder:
    """`order` with every check on it, open for as many lots as they leave, waiting, or closed as denied."""
    checked = replace(order, checks=(*order.checks, *stored_checks(verdict.checks, now)))
    if verdict.outcome is Outcome.HOLD:
        return replace(checked, lifecycle=Lifecycle.CREATED, holds=checked.holds | {_hold(verdict)})
    if verdict.outcome not in (Outcome.PASS, Outcome.CUT) or (verdict.quantity == 0 and order.quantity != 0):
        return replace(checked, lifecycle=Lifecycle.CLOSED, close_reason=CloseReason.DENIED)
    return replace(checked, quantity=verdict.quantity)


def approved(order: InstrumentOrder, who: str) -> InstrumentOrder:
    """A waiting order that a person lets go."""
    return approval_noted(replace(order.moved(Lifecycle.OPEN), holds=order.holds - {Hold.APPROVAL}), who)


def approval_noted(order: InstrumentOrder, who: str) -> InstrumentOrder:
    """`order` with the name of the person who let it go."""
    return replace(order, reason=f"{order.reason} approved by {who}".strip())


def stored_checks(checks: Iterable[Check], now: datetime) -> tuple[StoredCheck, ...]:
    """The checks as they are kept, with the number that decided and its limit."""
    return tuple(StoredCheck(control=each.control, outcome=each.outcome.value, quantity=each.allowed,
                             number=_text(each.number), limit=_text(each.limit), sentence=each.sentence, at=now)
                 for each in checks)


def why(order: InstrumentOrder) -> str:
    """What the deciding control said; empty when all lots passed."""
    return next((check.sentence for check in reversed(order.checks) if check.outcome != Outcome.PASS), "")


def _hold(verdict: Verdict) -> Hold:
    control = verdict.checks[-1].control
    return Hold.APPROVAL if control in NEEDS_APPROVAL else Hold.NO_DATA if control == "RC-13" else Hold.RATE


def _text(number: float | str | None) -> str | None:
    return None if number is None else f"{number:g}" if isinstance(number, float) else str(number)
