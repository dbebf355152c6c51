"""Whether a roll state may be changed now, by whom, and what must happen first. Pure: it answers, it does not act."""

from dataclasses import dataclass
from enum import StrEnum

from trading.errors import TradingError
from trading.execution.rolls.states import (
    FOR_A_PERSON_ONLY,
    RollState,
    following,
    following_by_itself,
    lowers_urgency,
    raises_urgency,
    reason_to_lock,
)


class ChangedBy(StrEnum):
    """Who asks for a change."""

    RULE = "RULE"  # the daily evaluation: only ever more urgent while anything is held in front
    PERSON = "PERSON"  # may also lower, with a reason


@dataclass(frozen=True, kw_only=True)
class AdjustmentFacts:
    """What must be so before the price series are switched; None: not known, which refuses."""

    front_at_broker: int | None = None
    live_orders_in_front: int | None = None
    series_checked: bool | None = None  # jump at the splice = price difference, no other return has changed


@dataclass(frozen=True, kw_only=True)
class RollChange:
    """A wish to change the state of one instrument, with all that decides about it."""

    instrument: str
    old: RollState
    new: RollState
    front: int  # lots of the front contract in our books
    live_orders: int | None  # roll and strategy orders of the instrument that may still fill; None: not known
    by: ChangedBy
    reason: str = ""
    adjustment: AdjustmentFacts = AdjustmentFacts()
    settlement_booked: bool | None = None  # for the way out of EXPIRED_HOLD


@dataclass(frozen=True, kw_only=True)
class AllowedChange:
    """The change may be made; if `needs_cancel_first`, only after all live orders are cancelled and proven dead."""

    new: RollState
    needs_cancel_first: bool


class InvalidRollChange(TradingError):
    """The state may not be changed so, or not now."""

    def __init__(self, change: RollChange, why: str) -> None:
        allowed = ", ".join(sorted(_allowed(change))) or "none"
        super().__init__(f"{change.instrument} is {change.old} with {change.front:+d} lots in front and cannot become "
                         f"{change.new}: {why} (allowed: {allowed}). To change it: "
                         f"tradectl rolls set {change.instrument} STATE --reason \"...\"")


def check_transition(change: RollChange) -> AllowedChange:
    """The change as it may be made.

    Live orders of the instrument refuse it, unless it is urgent: then they are to be cancelled first.

    Raises:
        InvalidRollChange: the tables of `states` do not list it, it is not for this asker, it needs a reason, orders
            are live, or what ROLL_ADJUSTED or the way out of EXPIRED_HOLD needs is not so, or not known to be so.

    Source: orders_and_risk.md 6.2.
    """
    why = _not_listed(change) or _not_by_this_asker(change) or _orders_are_live(change) or _not_ready(change)
    if why:
        raise InvalidRollChange(change, why)
    return AllowedChange(new=change.new, needs_cancel_first=change.live_orders != 0)


def _allowed(change: RollChange) -> frozenset[RollState]:
    by_itself = change.by is ChangedBy.RULE
    return (following_by_itself if by_itself else following)(change.old, change.front)


def _not_listed(change: RollChange) -> str:
    if change.new in following(change.old, change.front):
        return ""
    if change.old is RollState.ROLL_ADJUSTED and change.front:
        return reason_to_lock(change.instrument, change.old, change.front) or ""
    return "it already is" if change.new is change.old else "these two do not follow each other"


def _not_by_this_asker(change: RollChange) -> str:
    if change.by is ChangedBy.PERSON:
        needs_reason = lowers_urgency(change.old, change.new) and not change.reason.strip()
        return "a less urgent state needs a reason" if needs_reason else ""
    if (change.old, change.new) in FOR_A_PERSON_ONLY:
        return "only a person may do that"
    return "" if change.new in _allowed(change) else "by itself a roll only becomes more urgent while lots are in front"


def _orders_are_live(change: RollChange) -> str:
    if raises_urgency(change.old, change.new) or change.live_orders == 0:
        return ""
    return ("whether orders of it are live is not known" if change.live_orders is None
            else f"{change.live_orders} of its orders are live; cancel them, or wait until they end")


def _not_ready(change: RollChange) -> str:
    if change.new is RollState.ROLL_ADJUSTED:
        return _not_ready_to_adjust(change.adjustment)
    if change.old is RollState.EXPIRED_HOLD and change.settlement_booked is not True:
        return "the settlement of the ended contract is not booked"
    return ""


def _not_ready_to_adjust(facts: AdjustmentFacts) -> str:
    missing = []
    if facts.front_at_broker != 0:
        missing.append(_lots(facts.front_at_broker))
    if facts.live_orders_in_front != 0:
        missing.append("orders in the front contract are live, or it is not known that none is")
    if facts.series_checked is not True:
        missing.append("the new adjusted series is not checked")
    return "; ".join(missing)


def _lots(at_broker: int | None) -> str:
    if at_broker is None:
        return "what the broker holds in front is not known"
    return f"the broker holds {at_broker:+d} lots in front"
