"""What follows from breaks, all of it as values; nothing is done here. Pure.

Carry it out in this order, each step harmless to repeat: kill level, `unknown` orders, `adopt`, `rebuild`,
adjustments, cancels, locks, openings; then store the run. Nothing here sends an order: to remove a difference by
trading is never right.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from trading.errors import DataError
from trading.execution.adjustments import Adjustment
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.locks import Lock
from trading.execution.reconciliation.breaks import BREAKS, Alarm, Break, BreakId, stage_of
from trading.execution.reconciliation.broker_view import BrokerView
from trading.execution.reconciliation.expiry import expiry_of
from trading.execution.reconciliation.lost_orders import LostOrder, lost_orders
from trading.execution.reconciliation.openings import openings
from trading.execution.reconciliation.our_view import OurView
from trading.execution.reconciliation.positions import Explained
from trading.risk.kill_level import Cause, KillLevel


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a person should know; INFO is for the log alone."""

    key: str
    alarm: Alarm
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """The broker's terms of an order of ours; see BrokerOrder.with_terms_told."""

    order: str
    lots: int | None
    limit: Decimal | None


@dataclass(frozen=True, kw_only=True)
class KillRaise:
    """A level that is called for, and why."""

    level: KillLevel
    cause: Cause
    why: str


@dataclass(frozen=True, kw_only=True)
class Actions:
    """What is to be done. `unknown` and `cancels` are broker orders, `close_out` contracts that must be left."""

    locks: tuple[Lock, ...] = ()
    openings: tuple[Explained, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    unknown: tuple[str, ...] = ()
    adopt: tuple[Adoption, ...] = ()
    rebuild: tuple[LostOrder, ...] = ()
    cancels: tuple[str, ...] = ()
    close_out: tuple[str, ...] = ()
    kill: KillRaise | None = None
    told: tuple[Told, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was decided, a line each, for the record of the run."""
        told = [f"locked {lock.id}: {lock.reason}" for lock in self.locks]
        told += [f"opened {each.lock.id}: {each.how}" for each in self.openings]
        told += [f"booked {each.id}: {each.reason}" for each in self.adjustments]
        told += [f"{each} is unknown" for each in self.unknown] + [f"{each} is cancelled" for each in self.cancels]
        told += [f"{each.order} has the broker's terms" for each in self.adopt]
        told += [f"rebuilt {each.reference}: {each.quantity:+d} {each.contract}" for each in self.rebuild]
        told += [f"{each} must be left" for each in self.close_out]
        return (*told, *([] if self.kill is None else [f"raised to {self.kill.level.name}: {self.kill.why}"]))


def decide(breaks: list[Break], ours: OurView, theirs: BrokerView) -> Actions:
    """What follows from `breaks`, and which locks open because their cause is known."""
    expiries, untold = _expiries(breaks, ours)
    return Actions(
        locks=_locks(breaks, ours), openings=tuple(openings(ours, theirs)), adjustments=expiries,
        unknown=_subjects(breaks, BreakId.ENDED_HERE_ONLY) + tuple(
            order.id for order in ours.live if order.lifecycle is not BrokerLifecycle.UNKNOWN
            and order.id in _subjects(breaks, BreakId.ABSENT)),
        adopt=tuple(Adoption(order=found.subject, lots=found.facts["lots"], limit=_price(found.facts["limit"]))
                    for found in breaks if found.id is BreakId.TERMS),
        rebuild=_rebuild(breaks, ours, theirs),
        cancels=_subjects(breaks, BreakId.ENDED_HERE_ONLY), close_out=_subjects(breaks, BreakId.OVERDUE),
        kill=_kill(breaks), told=(*map(_told, breaks), *untold))


def doubted(order: BrokerOrder, why: str) -> BrokerOrder:
    """`order` as unknown, so that its lots count as possible and somebody asks: also one that had ended here.

    The table of moves lets no order come back; here what ended it is known to be wrong (orders_and_risk.md B9).
    """
    if order.may_be_alive:
        return order.advanced(BrokerLifecycle.UNKNOWN, why)
    return replace(order, lifecycle=BrokerLifecycle.UNKNOWN, reason=why, told_status="", told_filled=None)


def _rebuild(breaks: list[Break], ours: OurView, theirs: BrokerView) -> tuple[LostOrder, ...]:
    """Ours that our store has lost; what another tradingd has made is not ours."""
    lost = _subjects(breaks, BreakId.LOST_ORDER)
    return tuple(each for each in lost_orders(ours, theirs) if each.reference in lost)


def _subjects(breaks: list[Break], kind: BreakId) -> tuple[str, ...]:
    return tuple(found.subject for found in breaks if found.id is kind)


def _price(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _locks(breaks: list[Break], ours: OurView) -> tuple[Lock, ...]:
    known = {lock.id for lock in ours.locks}
    wanted = {lock.id: lock for found in breaks if (lock := lock_of(found, ours)) is not None}
    return tuple(lock for key, lock in wanted.items() if key not in known)


def lock_of(found: Break, ours: OurView) -> Lock | None:
    """The lock that `found` calls for, with the numbers of the moment; None if it is about no instrument."""
    cause = BREAKS[found.id].lock
    if cause is None or not found.instrument:
        return None
    return Lock(instrument=found.instrument, cause=cause, subject=found.subject, reason=found.sentence,
                opened_at=ours.at, facts=found.facts)


def _expiries(breaks: list[Break], ours: OurView) -> tuple[tuple[Adjustment, ...], list[Told]]:
    booked, untold = [], []
    for found in breaks:
        if found.id is BreakId.EXPIRED:
            try:
                booked.append(expiry_of(found.subject, ours))
            except DataError as error:
                untold.append(Told(key=f"{found.key}:by hand", alarm=Alarm.CRITICAL, sentence=str(error)))
    return tuple(booked), untold


def _kill(breaks: list[Break]) -> KillRaise | None:
    """The highest level; what a person must lower stands before what sound data may."""
    wanted = [KillRaise(level=level, cause=BREAKS[found.id].kill_cause, why=found.sentence) for found in breaks
              if (level := stage_of(found).kill) is not None]
    return max(wanted, key=lambda each: (each.level, each.cause is Cause.CONTROL), default=None)


def _told(found: Break) -> Told:
    return Told(key=found.key, alarm=stage_of(found).alarm,
                sentence=f"{found.id}: {found.sentence}. {BREAKS[found.id].by_hand.replace('`', '')}")
