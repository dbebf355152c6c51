"""The twenty ways in which our side and the broker's can differ, and what follows from each: data. Pure.

docs/operations.md, section Breaks, is this table for people; a test compares the two.
Source: orders_and_risk.md 4.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from trading.execution.locks import LockCause
from trading.risk.kill_level import Cause, KillLevel


class BreakId(StrEnum):
    """Which break it is."""

    MISSED_FILL = "B1"
    LOST_ORDER = "B2"
    FOREIGN_FILL = "B3"
    LIQUIDATION = "B4"
    POSITION = "B5"
    EXPIRED = "B6"
    CONFLICT = "B7"
    TWO_SOURCES = "B8"
    ENDED_HERE_ONLY = "B9"
    ABSENT = "B10"
    TERMS = "B11"
    FOREIGN_ORDER = "B12"
    UNMAPPED = "B13"
    UNEVEN = "B14"
    CASH = "B15"
    COMMISSION = "B16"
    REFERENCE_DATA = "B17"
    OVERDUE = "B18"
    FAILED_QUERY = "B19"
    SECOND_DAEMON = "B20"


class Alarm(StrEnum):
    """How much it matters to a person; the values are those of trading.control.alert.Severity."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, kw_only=True)
class Break:
    """One difference. `subject` is the contract, order, execution, currency or query that it is about."""

    id: BreakId
    instrument: str  # "" when it is about none
    subject: str
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)  # plain values
    age_s: float = 0.0  # since it was first noticed
    times: int = 1  # looks in a row that saw it

    @property
    def key(self) -> str:
        return f"{self.id}:{self.subject}"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """From when on a break is so grave; both must be reached."""

    alarm: Alarm
    after: timedelta = timedelta(0)
    times: int = 1
    kill: KillLevel | None = None


@dataclass(frozen=True, kw_only=True)
class BreakRule:
    """What a break means, what is done about it, and what a person does. `stages` from mild to grave."""

    meaning: str
    action: str
    by_hand: str
    stages: tuple[Stage, ...]
    lock: LockCause | None = None
    kill_cause: Cause = Cause.CONTROL
    fails: bool = False  # nothing may be traded on this connection while it lasts


_INFO, _WARNING, _CRITICAL = (Stage(alarm=alarm) for alarm in Alarm)
_LOCKS: Final = "`tradectl locks`"

BREAKS: Final[Mapping[BreakId, BreakRule]] = {
    BreakId.MISSED_FILL: BreakRule(
        meaning="The broker lists an execution of our order that our books lack.",
        action="Books it; a warning if the order had ended.", by_hand="Nothing.", stages=(_INFO,)),
    BreakId.LOST_ORDER: BreakRule(
        meaning="The broker names an order of ours that our store lacks: it was restored from a backup.",
        action="Makes the order anew from its reference, takes back what works of it, locks the instrument. What it "
               "traded is its strategy's if a parent of it is still known, else external.",
        by_hand="Give what is external to its strategy (`tradectl positions`), then open the lock "
                f"({_LOCKS}).",
        stages=(_CRITICAL,), lock=LockCause.LOST_ORDER),
    BreakId.FOREIGN_FILL: BreakRule(
        meaning="Somebody else traded in our account: by hand, or another program.",
        action="Books it as external, locks the instrument until nothing of it is left unassigned.",
        by_hand="Give it to a strategy (`tradectl positions`), or close it by hand.",
        stages=(_WARNING,), lock=LockCause.FOREIGN_FILL),
    BreakId.LIQUIDATION: BreakRule(
        meaning="The broker closed a position on its own.",
        action="Books it as external, locks the instrument, raises K2: nothing adds risk.",
        by_hand="Find out why (margin?), give it to a strategy (`tradectl positions`), only then lower the kill level.",
        stages=(Stage(alarm=Alarm.CRITICAL, kill=KillLevel.K2_NO_NEW_RISK),), lock=LockCause.FOREIGN_FILL),
    BreakId.POSITION: BreakRule(
        meaning="Positions differ, and no execution explains it.",
        action="Trades nothing, locks the instrument; opens it only if executions from before the break come in and "
               "explain it whole.",
        by_hand="Read the broker's statement (`tradectl reconcile statement FILE`), which books what it proves; book "
                f"the rest with its evidence (`tradectl positions`), then open the lock ({_LOCKS}).",
        stages=(_CRITICAL,), lock=LockCause.POSITION_BREAK),
    BreakId.EXPIRED: BreakRule(
        meaning="A contract is past its last trade day, and the broker no longer shows it.",
        action="Books the expiry, at the settlement price if it is known.",
        by_hand="If no price was known, compare it with the statement.", stages=(_WARNING,)),
    BreakId.CONFLICT: BreakRule(
        meaning="The broker said two different things about one execution.",
        action="Keeps the first, locks the instrument.",
        by_hand=f"Compare with the statement, correct our books (`tradectl positions`), open the lock ({_LOCKS}).",
        stages=(_CRITICAL,), lock=LockCause.CONFLICT),
    BreakId.TWO_SOURCES: BreakRule(
        meaning="Our books hold more than the broker, and the same fill was reported under two executions.",
        action="Removes nothing, locks the instrument.",
        by_hand="If the statement has it once, correct our books (`tradectl positions`); open the lock "
                f"({_LOCKS}).",
        stages=(_CRITICAL,), lock=LockCause.POSITION_BREAK),
    BreakId.ENDED_HERE_ONLY: BreakRule(
        meaning="An order works at the broker that had ended here.",
        action="Cancels it, counts its lots as possible again, locks the instrument until it is dead.",
        by_hand="If it does not die, cancel it at the broker.", stages=(_CRITICAL,), lock=LockCause.UNKNOWN_ORDER),
    BreakId.ABSENT: BreakRule(
        meaning="An order lives here, and the broker does not list it at all.",
        action="Makes it unknown, locks the instrument, asks until there is proof; told after 2 minutes, critical "
               "after 10.",
        by_hand="Look for it in the broker's own window or statement; once you know its end, say so (`tradectl trade "
                "ended BROKER_ORDER`).",
        stages=(_INFO, Stage(alarm=Alarm.WARNING, after=timedelta(minutes=2)),
                Stage(alarm=Alarm.CRITICAL, after=timedelta(minutes=10))), lock=LockCause.UNKNOWN_ORDER),
    BreakId.TERMS: BreakRule(
        meaning="An order of ours has other lots or another price at the broker: somebody edited it.",
        action="Takes over the broker's terms and counts its lots by them.", by_hand="Find out who edited it.",
        stages=(_WARNING,)),
    BreakId.FOREIGN_ORDER: BreakRule(
        meaning="Somebody else's order rests in a contract of ours.",
        action="Locks the instrument until the broker says that this order has ended; never cancels it.",
        by_hand="Cancel it where it was made, or wait for its end.",
        stages=(_WARNING,), lock=LockCause.FOREIGN_ORDER),
    BreakId.UNMAPPED: BreakRule(
        meaning="The broker holds a contract for us that we do not know.",
        action="Raises K2: nothing adds risk until it is known.",
        by_hand="Add its instrument and run `tradectl run update_futures_contracts`, or close it by hand.",
        stages=(Stage(alarm=Alarm.CRITICAL, kill=KillLevel.K2_NO_NEW_RISK),), lock=LockCause.UNKNOWN_CONTRACT,
        kill_cause=Cause.DATA),
    BreakId.UNEVEN: BreakRule(
        meaning="Strategies and contracts of an instrument do not sum to the same lots: a fault of ours.",
        action="Raises K3: trades nothing at all.",
        by_hand="Keep the store as it is and report it; positions at the broker are what counts.",
        stages=(Stage(alarm=Alarm.CRITICAL, kill=KillLevel.K3_HALT),), lock=LockCause.BOOKS_DIFFER, fails=True),
    BreakId.CASH: BreakRule(
        meaning="Cash differs by more than a unit and a hundredth of a percent of the account.",
        action="Tells; critical from half a percent.", by_hand="Compare with the statement: fees, interest, a payment.",
        stages=(_WARNING,)),
    BreakId.COMMISSION: BreakRule(
        meaning="What a fill cost is still not known a day later.",
        action="Tells once; positions do not depend on it.", stages=(_INFO,),
        by_hand="Nothing if statements are configured; else `tradectl reconcile statement FILE`."),
    BreakId.REFERENCE_DATA: BreakRule(
        meaning="Multiplier, tick, currency or last trade day are not what is configured.",
        action="Locks the instrument.",
        by_hand=f"Correct the configuration, or ask the broker; then open the lock ({_LOCKS}).",
        stages=(_CRITICAL,), lock=LockCause.REFERENCE_DATA),
    BreakId.OVERDUE: BreakRule(
        meaning="A position is held past the day by which its contract must be left.",
        action="Asks for a forced roll or close.", by_hand="If it is not left today, close it by hand: the broker may.",
        stages=(_CRITICAL,)),
    BreakId.FAILED_QUERY: BreakRule(
        meaning="The broker did not answer a question, or not to its end.",
        action="Concludes nothing, asks again; told after 3 failures, K2 after 10 minutes.",
        by_hand="Look at the gateway: `tradectl status`.",
        stages=(_INFO, Stage(alarm=Alarm.WARNING, times=3),
                Stage(alarm=Alarm.CRITICAL, after=timedelta(minutes=10), kill=KillLevel.K2_NO_NEW_RISK)),
        kill_cause=Cause.DATA, fails=True),
    BreakId.SECOND_DAEMON: BreakRule(
        meaning="Another tradingd trades in this account.",
        action="Raises K3: trades nothing at all.",
        by_hand="Stop one of the two (`tradectl leader`), compare orders and positions, then lower the kill level.",
        stages=(Stage(alarm=Alarm.CRITICAL, kill=KillLevel.K3_HALT),), fails=True),
}


def stage_of(found: Break) -> Stage:
    """How grave `found` is by now: the gravest stage that it has reached."""
    if "alarm" in found.facts:
        return Stage(alarm=Alarm(found.facts["alarm"]))  # by its size, not its age
    return [stage for stage in BREAKS[found.id].stages
            if found.age_s >= stage.after.total_seconds() and found.times >= stage.times][-1]
