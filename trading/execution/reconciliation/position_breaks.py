"""Breaks in what is held: positions, expired contracts, months that must be left, sums that do not agree. Pure."""

from collections.abc import Iterator
from itertools import combinations

from trading.execution.fills import Fill, FillStatus
from trading.execution.reconciliation.breaks import Break, BreakId
from trading.execution.reconciliation.broker_view import BrokerView, Part, is_unknown
from trading.execution.reconciliation.our_view import BreakSettings, OurView, Sighting
from trading.execution.reconciliation.positions import PositionBreak
from trading.execution.reconciliation.sightings import is_quiet, is_settled


def position_differences(ours: OurView, theirs: BrokerView, seen: dict[str, Sighting],
                         settings: BreakSettings) -> Iterator[Break]:
    """B5, B6, B8 or B13 for each contract in which both sides have differed for long enough."""
    for key in sorted({*ours.positions.contracts, *theirs.positions}) if theirs.knows(Part.POSITIONS) else ():
        sighting = seen.get(f"position {key}")
        if sighting is not None and is_settled(sighting, ours, settings) and is_quiet(key, ours, settings):
            yield from _difference(key, ours, theirs, sighting)


def _difference(contract: str, ours: OurView, theirs: BrokerView, seen: Sighting) -> Iterator[Break]:
    if _is_being_booked(contract, ours, theirs):
        return  # an execution that explains it may be on its way into our books
    gap = PositionBreak(contract=contract, ours=ours.positions.contracts.get(contract, 0),
                        theirs=theirs.positions.get(contract, 0))
    kind, sentence = BreakId.POSITION, f"position break: {gap}"
    twins = _two_sources(contract, ours, seen.gap)
    if is_unknown(contract):
        kind, sentence = BreakId.UNMAPPED, f"the broker holds {gap.theirs:+d} of a contract that we do not know: " \
                                           f"{contract}"
    elif is_expired(contract, ours) and gap.theirs == 0:
        kind = BreakId.EXPIRED
        sentence = f"{contract} has expired: our books hold {gap.ours:+d}, the broker no longer shows it"
    elif twins is not None:
        kind = BreakId.TWO_SOURCES
        sentence = f"{sentence}; {twins[0].execution_id} and {twins[1].execution_id} look like one fill"
    yield Break(id=kind, instrument=gap.instrument, subject=contract, sentence=sentence,
                facts={"ours": gap.ours, "theirs": gap.theirs}, times=seen.times,
                age_s=(ours.at - seen.since).total_seconds())


def is_expired(contract: str, ours: OurView) -> bool:
    """Whether the last trade day of `contract` is over."""
    facts = ours.contracts.get(contract)
    return facts is not None and facts.last_trade is not None and facts.last_trade < ours.today


def _is_being_booked(contract: str, ours: OurView, theirs: BrokerView) -> bool:
    booked = {fill.id for fill in ours.fills}
    return theirs.knows(Part.EXECUTIONS) and any(
        each.contract == contract and each.fill not in booked for each in theirs.executions)


def _two_sources(contract: str, ours: OurView, gap: int) -> tuple[Fill, Fill] | None:
    """Two executions with equal content, if one of them too many is just the difference (IB4m issue 80)."""
    mine = [fill for fill in ours.fills if fill.contract == contract and fill.quantity == -gap
            and fill.status is not FillStatus.BUSTED]
    return next(((one, other) for one, other in combinations(mine, 2)
                 if (one.reference, one.broker_order, one.price, one.at)
                 == (other.reference, other.broker_order, other.price, other.at)), None)


def uneven_sums(ours: OurView) -> Iterator[Break]:
    """B14: an instrument whose strategies and contracts do not sum to the same lots."""
    for code, (contracts, strategies) in ours.positions.uneven().items():
        yield Break(id=BreakId.UNEVEN, instrument=code, subject=code, facts={"contracts": contracts,
                                                                             "strategies": strategies},
                    sentence=f"{code}: its contracts sum to {contracts:+d}, its strategies to {strategies:+d}")


def overdue_positions(ours: OurView, theirs: BrokerView) -> Iterator[Break]:
    """B18: a position past the day by which it had to be left; not what has expired and is gone."""
    for key, lots in ours.positions.contracts.items():
        facts = ours.contracts.get(key)
        is_gone = theirs.knows(Part.POSITIONS) and not theirs.positions.get(key, 0)
        if facts is not None and facts.must_be_out_by is not None and facts.must_be_out_by < ours.today and not is_gone:
            yield Break(id=BreakId.OVERDUE, instrument=key.rpartition("/")[0], subject=key, facts={"lots": lots},
                        sentence=f"{key}: {lots:+d} are held, and had to be left by {facts.must_be_out_by}")
