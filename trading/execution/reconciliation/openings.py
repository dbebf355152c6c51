"""Which locks open by themselves now, because what caused them is known. Pure.

That two numbers agree again is no cause: two errors can cancel out (orders_and_risk.md 4.2). Locks for unknown orders
and second lives are opened by whoever resolves these.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from trading.execution.adjustments import Adjustment, AdjustmentKind
from trading.execution.fills import Fill
from trading.execution.locks import Lock, LockCause
from trading.execution.reconciliation.broker_view import BrokerView, Part
from trading.execution.reconciliation.our_view import OurView
from trading.execution.reconciliation.positions import Explained


def openings(ours: OurView, theirs: BrokerView) -> list[Explained]:
    """Each lock that opens now, and how its cause became known."""
    found = ((lock, _HOW[lock.cause](lock, ours, theirs)) for lock in ours.locks if lock.cause in _HOW)
    return [Explained(lock=lock, how=how) for lock, how in found if how is not None]


def held_then(contract: str, moment: datetime, fills: Iterable[Fill], adjustments: Iterable[Adjustment]) -> int:
    """The lots of `contract` at `moment`, by all that is known today: what came to be known later counts as well.

    Later trades and what a person booked later do not; an expiry does whenever it was booked, for it is a cause too.
    """
    traded = sum(fill.quantity for fill in fills if fill.contract == contract and fill.at <= moment)
    return traded + sum(entry.lots for each in adjustments for entry in each.entries if entry.contract == contract
                        and (each.at <= moment or each.kind is AdjustmentKind.EXPIRY))


def _position(lock: Lock, ours: OurView, theirs: BrokerView) -> str | None:
    """Executions from before the break, or an expiry, make our past what the broker said it was."""
    then, told = ours.held_then.get(lock.id), lock.facts["theirs"]
    agree = theirs.knows(Part.POSITIONS) and theirs.positions.get(lock.subject, 0) == ours.positions.contracts.get(
        lock.subject, 0)
    if not agree or then != told:
        return None
    return f"executions from before the break explain it: {then:+d} {lock.subject} were held then, as the broker said"


def _foreign_fill(lock: Lock, ours: OurView, _theirs: BrokerView) -> str | None:
    left = ours.positions.external.get(lock.instrument) or ours.external.get(lock.instrument)
    return None if left else "nothing of what others traded is left unassigned"


def _foreign_order(lock: Lock, _ours: OurView, theirs: BrokerView) -> str | None:
    if not theirs.knows(Part.COMPLETED_ORDERS):
        return None
    return next((f"the broker says that this order has ended: {seen.status}" for seen in theirs.completed_orders
                 if seen.perm_id == lock.facts["perm_id"] and not seen.is_working), None)


def _unknown_contract(lock: Lock, ours: OurView, _theirs: BrokerView) -> str | None:
    con_id = lock.subject.rpartition("/")[2]
    return next((f"it is known by now: {key}" for key, facts in ours.contracts.items() if str(facts.con_id) == con_id),
                None)


_HOW: Final[Mapping[LockCause, Callable[[Lock, OurView, BrokerView], str | None]]] = {
    LockCause.POSITION_BREAK: _position, LockCause.FOREIGN_FILL: _foreign_fill,
    LockCause.FOREIGN_ORDER: _foreign_order, LockCause.UNKNOWN_CONTRACT: _unknown_contract,
}
