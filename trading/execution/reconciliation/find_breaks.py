"""Compare both sides and name every difference. Pure.

Call it only for a look of which `snapshot_problem` found nothing to say, or with the failures of one that did not
answer: from what was not answered nothing follows but B19.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from trading.execution.reconciliation.breaks import Alarm, Break, BreakId
from trading.execution.reconciliation.broker_view import BrokerView, ContractTerms, Part
from trading.execution.reconciliation.fill_breaks import conflicts, foreign_fills, missing_commissions
from trading.execution.reconciliation.order_breaks import absent_orders, missed_fills, order_differences
from trading.execution.reconciliation.our_view import BreakSettings, OurView, Sighting
from trading.execution.reconciliation.position_breaks import overdue_positions, position_differences, uneven_sums
from trading.execution.reconciliation.sightings import sighted

DEFAULT_SETTINGS: Final = BreakSettings()


def find_breaks(ours: OurView, theirs: BrokerView, settings: BreakSettings = DEFAULT_SETTINGS) -> list[Break]:
    """Every break, one an id and subject, in the order of their ids."""
    seen = sighted(ours, theirs)
    found = [*missed_fills(ours, theirs), *order_differences(ours, theirs, settings), *foreign_fills(ours, settings),
             *position_differences(ours, theirs, seen, settings), *conflicts(ours),
             *absent_orders(ours, theirs, seen, settings), *uneven_sums(ours), *_cash(ours, theirs, settings),
             *missing_commissions(ours, settings), *_changed_terms(ours, theirs), *overdue_positions(ours, theirs),
             *_failed_queries(ours, theirs, seen)]
    ranks = list(BreakId)
    return sorted({each.key: each for each in found}.values(), key=lambda each: (ranks.index(each.id), each.subject))


def _cash(ours: OurView, theirs: BrokerView, settings: BreakSettings) -> Iterator[Break]:
    """B15: cash of a currency that we keep an account of."""
    worth = abs(theirs.net_liquidation or Decimal(0))
    for currency, amount in sorted(ours.cash.items()) if theirs.knows(Part.CASH) else ():
        gap = theirs.cash.get(currency, Decimal(0)) - amount
        if abs(gap) > max(settings.cash_units, settings.cash_share * worth):
            grave = worth > 0 and abs(gap) > settings.cash_critical * worth
            yield Break(id=BreakId.CASH, instrument="", subject=currency,
                        facts={"alarm": (Alarm.CRITICAL if grave else Alarm.WARNING).value},
                        sentence=f"cash in {currency}: our books have {amount}, the broker {amount + gap}")


def _changed_terms(ours: OurView, theirs: BrokerView) -> Iterator[Break]:
    """B17: contracts that are not what is configured."""
    for key, told in sorted(theirs.contracts.items()) if theirs.knows(Part.CONTRACTS) else ():
        facts = ours.contracts.get(key)
        changed = [] if facts is None or facts.terms is None else _changes(facts.terms, told)
        if changed:
            yield Break(id=BreakId.REFERENCE_DATA, instrument=key.rpartition("/")[0], subject=key,
                        sentence=f"{key} is not what is configured: {', '.join(changed)}")


def _changes(ours: ContractTerms, told: ContractTerms) -> list[str]:
    pairs = (("multiplier", ours.multiplier, told.multiplier), ("tick", ours.min_tick, told.min_tick),
             ("currency", ours.currency, told.currency),
             ("last trade day", ours.last_trade or told.last_trade, told.last_trade or ours.last_trade))
    return [f"{name} {mine}, at the broker {theirs}" for name, mine, theirs in pairs if mine != theirs]


def _failed_queries(ours: OurView, theirs: BrokerView, seen: dict[str, Sighting]) -> Iterator[Break]:
    """B19: questions without an answer, and how often in a row."""
    for part, why in sorted(theirs.failures.items()):
        sighting = seen[f"query {part}"]
        yield Break(id=BreakId.FAILED_QUERY, instrument="", subject=part.value, times=sighting.times,
                    age_s=(ours.at - sighting.since).total_seconds(),
                    sentence=f"the broker did not answer about {part}: {why}")
