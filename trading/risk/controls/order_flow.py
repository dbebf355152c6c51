"""How many orders and messages are under way? RC-16, RC-17, RC-19 to RC-21. Pure."""

from datetime import datetime

from trading.risk.check import Check, Outcome, Severity, held, passed, unknown
from trading.risk.controls.effects import account_effect
from trading.risk.kill_level import KillLevel
from trading.risk.message_bucket import taken
from trading.risk.proposal import Action, Proposal
from trading.risk.settings import FlowSettings, RiskSettings
from trading.risk.snapshot import Activity, Snapshot


def rc_16(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Message rate: by the second, by the order, by the instrument and day; the whole system's day raises the level."""
    activity, flow = snapshot.activity, settings.flow
    if activity.bucket is None or activity.instrument_day_orders is None or activity.system_day_orders is None:
        return unknown("RC-16", "How many messages were sent", proposal.quantity, account_effect(proposal, snapshot))
    if activity.system_day_orders >= flow.system_day_orders:
        return Check(control="RC-16", outcome=Outcome.LEVEL, number=activity.system_day_orders,
                     limit=flow.system_day_orders, severity=Severity.CRITICAL, level=KillLevel.K2_NO_NEW_RISK,
                     sentence=f"{activity.system_day_orders} orders were sent today; no day needs so many.")
    if activity.instrument_day_orders >= flow.instrument_day_orders:
        return held("RC-16", f"{activity.instrument_day_orders} orders in {proposal.instrument} were sent today, which "
                             f"is all that may be.", activity.instrument_day_orders, flow.instrument_day_orders)
    if taken(activity.bucket, snapshot.now, flow, is_cancel=False) is None:
        return held("RC-16", f"More than {flow.messages_per_s:g} messages a second; it waits.",
                    activity.bucket.tokens, 1)
    return _modified(proposal, snapshot, flow)


def _modified(proposal: Proposal, snapshot: Snapshot, flow: FlowSettings) -> Check:
    activity = snapshot.activity
    if proposal.action is not Action.MODIFY:
        return passed("RC-16", proposal.quantity, activity.system_day_orders, flow.system_day_orders)
    if activity.modifies is None:
        return unknown("RC-16", "How often the order was modified", proposal.quantity,
                       account_effect(proposal, snapshot))
    if activity.modifies >= flow.modifies:
        return held("RC-16", f"The order was modified {activity.modifies} times, which is all that may be. Cancel it.",
                    activity.modifies, flow.modifies)
    if activity.modified_at is not None and snapshot.now - activity.modified_at < flow.modify_spacing:
        return held("RC-16", f"The order was modified less than {flow.modify_spacing.total_seconds():g} s ago.",
                    (snapshot.now - activity.modified_at).total_seconds(), flow.modify_spacing.total_seconds())
    return passed("RC-16", proposal.quantity, activity.modifies, flow.modifies)


def rc_17(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Repeated execution: an order that is sent again and again locks its instrument (pst #1580, fifteen orders)."""
    activity, flow = snapshot.activity, settings.flow
    if activity.parent_sent_at is None or activity.parent_unfilled_at is None or activity.parent_fill is None \
            or activity.parent_quantity is None:
        return unknown("RC-17", "What became of the earlier orders of the same parent", proposal.quantity,
                       account_effect(proposal, snapshot))
    since = snapshot.now - flow.repeat_window
    sent = sum(1 for at in activity.parent_sent_at if at > since) + (proposal.action is Action.NEW)
    unfilled = _in_a_row(activity.parent_unfilled_at, since)
    if sent > flow.repeat_orders:
        return _lock(f"this would be order {sent} for {proposal.parent} within "
                     f"{flow.repeat_window.total_seconds():.0f} s", sent, flow.repeat_orders)
    if unfilled > flow.repeat_unfilled:
        return _lock(f"{unfilled} orders in a row for {proposal.parent} ended without a fill", unfilled,
                     flow.repeat_unfilled)
    return _overfilled(proposal, activity)


def _in_a_row(ends: tuple[datetime, ...], since: datetime) -> int:
    return sum(1 for at in ends if at > since)


def _overfilled(proposal: Proposal, activity: Activity) -> Check:
    fill, quantity = activity.parent_fill or 0, activity.parent_quantity or 0
    if abs(fill) > abs(quantity) or fill * quantity < 0:
        return _lock(f"{proposal.parent} was for {quantity:+d} lots, but {fill:+d} were filled", fill, quantity)
    return passed("RC-17", proposal.quantity, fill, quantity)


def _lock(why: str, number: int, limit: int) -> Check:
    return Check(control="RC-17", outcome=Outcome.LOCK, number=number, limit=limit, severity=Severity.CRITICAL,
                 sentence=f"The instrument is disabled: {why}. A named person must enable it again.")


def rc_19(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Self-cross: nothing is sent against an order of ours on the same contract."""
    for contract, lots in proposal.trades:
        holding = snapshot.contract_holdings.get(contract)
        if holding is None:
            return unknown("RC-19", f"What works on {contract}", proposal.quantity, account_effect(proposal, snapshot))
        against = holding.working_sells if lots > 0 else holding.working_buys
        if against:
            return held("RC-19", f"{against} lots of ours work on the other side of {contract}; net them, or wait.",
                        against, 0)
    return passed("RC-19", proposal.quantity)


def rc_20(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Open orders, on this side of the contract and in total. A modification opens none."""
    activity = snapshot.activity
    own_side = activity.open_buys if proposal.quantity > 0 else activity.open_sells
    checks = (("orders on that side of the contract", own_side, settings.flow.open_orders_per_side),
              ("orders in total", activity.open_orders, settings.flow.open_orders))
    return _room(proposal, snapshot, "RC-20", checks)


def rc_21(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """In flight: an order that the broker has not acknowledged holds the next one on the contract."""
    activity, flow = snapshot.activity, settings.flow
    checks = (("orders on the contract that are not acknowledged", activity.in_flight_contract,
               flow.in_flight_per_contract),
              ("orders in total that are not acknowledged", activity.in_flight, flow.in_flight))
    return _room(proposal, snapshot, "RC-21", checks)


def _room(proposal: Proposal, snapshot: Snapshot, control: str,
          checks: tuple[tuple[str, int | None, int], ...]) -> Check:
    """Hold unless each count is below its limit."""
    if proposal.action is Action.MODIFY:
        return passed(control, proposal.quantity)
    for what, count, limit in checks:
        if count is None:
            return unknown(control, f"The number of {what}", proposal.quantity, account_effect(proposal, snapshot))
        if count >= limit:
            return held(control, f"There are {count} {what}; {limit} may be.", count, limit)
    return passed(control, proposal.quantity, checks[0][1], checks[0][2])
