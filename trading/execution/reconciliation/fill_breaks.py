"""Breaks in what was traded: by others, by the broker itself, by orders that our store lost; and what it cost. Pure."""

from collections.abc import Iterator

from trading.execution.fills import Fill, FillStatus
from trading.execution.locks import LockCause
from trading.execution.order_ids import is_ours
from trading.execution.reconciliation.breaks import Break, BreakId
from trading.execution.reconciliation.broker_view import reference_of
from trading.execution.reconciliation.lost_orders import orphans
from trading.execution.reconciliation.order_breaks import unknown_order
from trading.execution.reconciliation.our_view import BreakSettings, OurView


def foreign_fills(ours: OurView, settings: BreakSettings) -> Iterator[Break]:
    """B2, B3, B4 or B20 for each instrument in which something that no order of ours traded is left unassigned."""
    for code in sorted({*ours.positions.external, *ours.external}):
        strangers = [fill for fill in ours.strangers if fill.instrument == code]
        lost = [fill for fill in strangers if _is_lost(fill, ours)]
        of_rebuilt = [fill for fill in orphans(ours) if fill.instrument == code]
        yield from (unknown_order(reference, lost[0].contract or code, ours, settings)
                    for reference in sorted({reference_of(fill.reference) for fill in lost}))
        yield from (_orphaned(order, code) for order in sorted({fill.broker_order or "" for fill in of_rebuilt}))
        if any(fill.is_liquidation for fill in strangers):
            yield _unassigned(BreakId.LIQUIDATION, code, ours, "the broker closed a position on its own")
        elif len(lost) < len(strangers) or not (strangers or of_rebuilt):
            yield _unassigned(BreakId.FOREIGN_FILL, code, ours, "somebody else traded")


def _is_lost(fill: Fill, ours: OurView) -> bool:
    return is_ours(fill.reference) and ours.order(reference_of(fill.reference)) is None


def _orphaned(order: str, code: str) -> Break:
    """Of an order that was rebuilt: nobody knows whose it was."""
    return Break(id=BreakId.LOST_ORDER, instrument=code, subject=order, facts={"contract": code},
                 sentence=f"our order {order}, which our store had lost, has traded {code} for no strategy known")


def _unassigned(kind: BreakId, instrument: str, ours: OurView, what: str) -> Break:
    lots = ours.positions.external.get(instrument, 0)
    told = f"{lots:+d} lots" if lots else ", ".join(
        f"{held:+d} {contract}" for contract, held in sorted(ours.external[instrument].items()))
    return Break(id=kind, instrument=instrument, subject=instrument, facts={"lots": lots},
                 sentence=f"{what} in {instrument}: {told} belong to no strategy")


def conflicts(ours: OurView) -> Iterator[Break]:
    """B7: executions of which the broker has said two things; the books have kept the first."""
    for lock in ours.locks:
        if lock.cause is LockCause.CONFLICT:
            yield Break(id=BreakId.CONFLICT, instrument=lock.instrument, subject=lock.subject, sentence=lock.reason)


def missing_commissions(ours: OurView, settings: BreakSettings) -> Iterator[Break]:
    """B16: fills whose cost is not known after a day."""
    for fill in ours.fills:
        is_late = ours.at - fill.at > settings.commission_within
        if fill.commission is None and fill.status is not FillStatus.BUSTED and is_late:
            yield Break(id=BreakId.COMMISSION, instrument=fill.instrument or "", subject=fill.id,
                        sentence=f"what fill {fill.id} cost is not known")
