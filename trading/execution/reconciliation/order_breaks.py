"""Breaks in orders: of ours, of others, of a store that was restored, of a second daemon. Pure.

An order that lives twice at the broker (same reference, another permanent id) is not looked at here: it has a lock of
its own, see trading.execution.twins.
"""

from collections.abc import Iterator
from datetime import datetime

from ulid import ULID

from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.order_ids import is_ours
from trading.execution.reconciliation.breaks import Alarm, Break, BreakId
from trading.execution.reconciliation.broker_view import BrokerView, Part, SeenOrder, is_unknown
from trading.execution.reconciliation.our_view import BreakSettings, OurView, Sighting
from trading.execution.reconciliation.sightings import is_absent, is_settled

_KEEPS_TERMS = frozenset({BrokerLifecycle.INTENT, BrokerLifecycle.PENDING_REPLACE})


def order_differences(ours: OurView, theirs: BrokerView, settings: BreakSettings) -> Iterator[Break]:
    """B2, B9, B11, B12 and B20 among the orders that work at the broker."""
    for seen in theirs.open_orders if theirs.knows(Part.OPEN_ORDERS) else ():
        if seen.is_working:
            found = _difference(seen, ours, settings)
            if found is not None:
                yield found


def _difference(seen: SeenOrder, ours: OurView, settings: BreakSettings) -> Break | None:
    order = ours.order(seen.reference)
    if order is None:
        return unknown_order(seen.reference, seen.contract, ours, settings) if is_ours(seen.reference) \
            else _foreign_order(seen)
    if order.perm_id is not None and seen.perm_id not in (0, order.perm_id):
        return None  # its second life
    return _terms(order, seen) if order.may_be_alive else Break(
        id=BreakId.ENDED_HERE_ONLY, instrument=order.instrument, subject=order.id, facts={"status": seen.status},
        sentence=f"broker order {order.id} is {order.lifecycle} here, and {seen.status} at the broker")


def unknown_order(reference: str, contract: str, ours: OurView, settings: BreakSettings) -> Break:
    """B20 if somebody else must have made the order `reference`, which has our form; else B2."""
    instrument = "" if is_unknown(contract) else contract.rpartition("/")[0]
    if _is_of_another(reference, ours, settings):
        return Break(id=BreakId.SECOND_DAEMON, instrument=instrument, subject=reference,
                     sentence=f"order {reference} in {contract} was made by another tradingd: our store does not know "
                              f"it, and it is younger than our term as the leader, or our term is over")
    return Break(id=BreakId.LOST_ORDER, instrument=instrument, subject=reference, facts={"contract": contract},
                 sentence=f"the broker names our order {reference} in {contract}, and our store does not know it")


def _is_of_another(reference: str, ours: OurView, settings: BreakSettings) -> bool:
    leading, made = ours.leading, made_at(reference)
    if leading is None:
        return False
    is_younger = made is not None and made > leading.since + settings.made_after
    return leading.token != leading.token_in_store or is_younger


def made_at(reference: str) -> datetime | None:
    """When the decision behind an order reference was made: its id carries the time; None for another form."""
    try:
        return ULID.from_str(reference.partition("-")[0]).datetime
    except ValueError:
        return None


def _foreign_order(seen: SeenOrder) -> Break | None:
    if is_unknown(seen.contract):
        return None
    return Break(id=BreakId.FOREIGN_ORDER, instrument=seen.contract.rpartition("/")[0], subject=str(seen.perm_id),
                 facts={"perm_id": seen.perm_id, "lots": seen.lots, "contract": seen.contract},
                 sentence=f"somebody else's order {seen.perm_id} for {seen.lots} lots rests in {seen.contract}")


def _terms(order: BrokerOrder, seen: SeenOrder) -> Break | None:
    lots = abs(order.quantity if order.broker_quantity is None else order.broker_quantity)
    same_lots = seen.lots is None or seen.lots == lots
    same_limit = seen.limit is None or order.limit_price is None or seen.limit == order.limit_price
    if order.lifecycle in _KEEPS_TERMS or (same_lots and same_limit):
        return None
    told = {"lots": seen.lots, "limit": None if seen.limit is None else str(seen.limit)}
    return Break(id=BreakId.TERMS, instrument=order.instrument, subject=order.id, facts=told,
                 sentence=f"broker order {order.id} is for {lots} lots at {order.limit_price} here, and at the "
                          f"broker for {seen.lots} at {seen.limit}")


def absent_orders(ours: OurView, theirs: BrokerView, seen: dict[str, Sighting],
                  settings: BreakSettings) -> Iterator[Break]:
    """B10: orders that may live, and that the broker has named nowhere in two looks."""
    for order in ours.live:
        sighting = seen.get(f"order {order.id}")
        if sighting is not None and is_absent(order, theirs) and is_settled(sighting, ours, settings):
            age_s = (ours.at - sighting.since).total_seconds()
            yield Break(id=BreakId.ABSENT, instrument=order.instrument, subject=order.id, age_s=age_s,
                        times=sighting.times, facts={"committed": order.committed},
                        sentence=f"broker order {order.id} is {order.lifecycle} here, and the broker does not list it")


def missed_fills(ours: OurView, theirs: BrokerView) -> Iterator[Break]:
    """B1: executions of our orders that our books lack; those of others are booked and then seen as such."""
    booked = {fill.id for fill in ours.fills}
    for each in theirs.executions if theirs.knows(Part.EXECUTIONS) else ():
        order = ours.order(each.reference)
        if order is not None and each.fill not in booked:
            alarm = Alarm.INFO if order.may_be_alive else Alarm.WARNING
            yield Break(id=BreakId.MISSED_FILL, instrument=order.instrument, subject=each.fill,
                        facts={"order": order.id, "quantity": each.quantity, "alarm": alarm.value},
                        sentence=f"execution {each.fill} of {each.quantity:+d} {each.contract} for broker order "
                                 f"{order.id} was not in our books")
