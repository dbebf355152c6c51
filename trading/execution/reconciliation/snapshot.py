"""Whether positions, executions and positions again make one picture; else nothing is concluded from them. Pure.

Positions that were read while something traded belong to no moment (orders_and_risk.md 4.1).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from trading.execution.reconciliation.broker_view import BrokerView, Part
from trading.execution.reconciliation.our_view import OurView
from trading.execution.reconciliation.position_breaks import is_expired


@dataclass(frozen=True, kw_only=True)
class Meanwhile:
    """What happened between the first answer and the last one.

    `booked` are the ids of all fills in our books at the end, `arrived` those of executions that came in between,
    `moved` the broker orders that changed their state. `session` says why the connection was not healthy, or is None.
    """

    booked: Collection[str]
    arrived: Collection[str] = ()
    moved: Collection[str] = ()
    session: str | None = None


def snapshot_problem(before: Mapping[str, int] | None, executions: Collection[str] | None,
                     after: Mapping[str, int] | None, meanwhile: Meanwhile) -> str | None:
    """Why nothing may be concluded from this look, as a sentence; None when it is valid.

    Args:
        before, after: lots by contract, asked for before and after the executions; None when the query failed or
            gave no end.
        executions: the fill ids that the broker lists; None likewise.
    """
    if meanwhile.session is not None:
        return f"The connection was not healthy while the broker was asked: {meanwhile.session}."
    if before is None or executions is None or after is None:
        missing = [name for name, answer in (("positions", before), ("executions", executions),
                                             ("positions again", after)) if answer is None]
        return f"The broker did not answer about {', '.join(missing)}; nothing is concluded from the rest."
    return _changed(before, after) or _moving(executions, meanwhile)


def _changed(before: Mapping[str, int], after: Mapping[str, int]) -> str | None:
    differ = [key for key in sorted({*before, *after}) if before.get(key, 0) != after.get(key, 0)]
    return f"Positions moved while they were read: {', '.join(differ)}. They are asked for again." if differ else None


def _moving(executions: Collection[str], meanwhile: Meanwhile) -> str | None:
    unbooked = sorted({*executions} - {*meanwhile.booked})
    for what, found in (("executions arrived", meanwhile.arrived), ("orders changed", meanwhile.moved),
                        ("executions are not in our books yet", unbooked)):
        if found:
            return f"While the broker was asked, {what}: {', '.join(sorted(found))}. It is asked again."
    return None


def without_empty_answer(theirs: BrokerView, ours: OurView) -> BrokerView:
    """`theirs`, with positions that failed where the broker lists not one while our books hold some.

    A gateway that has only just connected answers so; that never means flat (orders_and_risk.md 7.2, case 37).
    """
    held = [key for key, lots in ours.positions.contracts.items() if lots and not is_expired(key, ours)]
    if not held or any(theirs.positions.values()):
        return theirs
    why = f"it lists not one, while our books hold {len(held)} (if the account is flat, book that: tradectl positions)"
    return replace(theirs, answered=theirs.answered - {Part.POSITIONS}, failures={**theirs.failures,
                                                                                   Part.POSITIONS: why})
