"""What earlier looks at the broker have seen, and since when: two looks apart make a break, one may be a race. Pure.

A question that was not answered leaves what is known of its subject as it was, and only counts itself (V35).
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.reconciliation.broker_view import BrokerView, Part
from trading.execution.reconciliation.our_view import BreakSettings, OurView, Sighting

ORDERS_NEED = (Part.OPEN_ORDERS, Part.COMPLETED_ORDERS, Part.EXECUTIONS)  # to say that the broker knows nothing of one


def sighted(ours: OurView, theirs: BrokerView) -> dict[str, Sighting]:
    """What is strange by now, by subject; give it to the next look as `ours.sightings`."""
    now = dict([*_gaps(ours, theirs), *_absences(ours, theirs), *_failures(theirs)])
    kept = {subject: found for subject, found in ours.sightings.items() if not _is_answered(subject, theirs)}
    return kept | {subject: _again(ours, subject, gap) for subject, gap in now.items()}


def is_settled(seen: Sighting, ours: OurView, settings: BreakSettings) -> bool:
    """Whether two looks, far enough apart, have seen the same."""
    return ours.at - seen.since >= settings.apart


def is_quiet(contract: str, ours: OurView, settings: BreakSettings) -> bool:
    """Whether nothing was filled in `contract` for a while: positions at the broker lag behind its executions."""
    newest = ours.newest_fill.get(contract)
    return newest is None or ours.at - newest >= settings.quiet


def waits_for(ours: OurView, theirs: BrokerView, settings: BreakSettings) -> timedelta:
    """How long to wait before another look can settle what this one has seen; zero when nothing is open."""
    open_ones = [seen for subject, seen in sighted(ours, theirs).items() if not subject.startswith("query ")]
    left = [settings.apart - (ours.at - seen.since) for seen in open_ones if not is_settled(seen, ours, settings)]
    left += [settings.quiet - (ours.at - ours.newest_fill[contract]) for contract in _contracts(open_ones)
             if not is_quiet(contract, ours, settings)]
    return max([timedelta(0), *left])


def is_absent(order: BrokerOrder, theirs: BrokerView) -> bool:
    """Whether the broker, asked for everything, named `order` nowhere."""
    if not theirs.knows(*ORDERS_NEED):
        return False
    listed = (*theirs.open_orders, *theirs.completed_orders)
    found = any(each.reference == order.id or each.perm_id == order.perm_id for each in listed)
    return not found and all(each.reference != order.id for each in theirs.executions)


def _gaps(ours: OurView, theirs: BrokerView) -> Iterator[tuple[str, int]]:
    if theirs.knows(Part.POSITIONS):
        for key in sorted({*ours.positions.contracts, *theirs.positions}):
            gap = theirs.positions.get(key, 0) - ours.positions.contracts.get(key, 0)
            if gap:
                yield f"position {key}", gap


def _absences(ours: OurView, theirs: BrokerView) -> Iterator[tuple[str, int]]:
    for order in ours.live:
        if order.lifecycle is not BrokerLifecycle.INTENT and is_absent(order, theirs):
            yield f"order {order.id}", -order.committed


def _failures(theirs: BrokerView) -> Iterator[tuple[str, int]]:
    for part in sorted(theirs.failures):
        yield f"query {part}", 0


def _is_answered(subject: str, theirs: BrokerView) -> bool:
    kind, _, name = subject.partition(" ")
    needed: Mapping[str, tuple[Part, ...]] = {"position": (Part.POSITIONS,), "order": ORDERS_NEED}
    return theirs.knows(*needed[kind]) if kind in needed else theirs.knows(Part(name))


def _again(ours: OurView, subject: str, gap: int) -> Sighting:
    known = ours.sightings.get(subject)
    if known is None or known.gap != gap:
        return Sighting(subject=subject, gap=gap, since=ours.at)
    return Sighting(subject=subject, gap=gap, since=known.since, times=known.times + 1)


def _contracts(sightings: list[Sighting]) -> list[str]:
    return [seen.subject.removeprefix("position ") for seen in sightings if seen.subject.startswith("position ")]
