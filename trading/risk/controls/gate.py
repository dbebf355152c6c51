"""The last look before a message leaves. RC-33 to RC-35. Pure, and it counts by itself.

Knight sent 212 parents as four million executions because nothing at the gateway compared orders out with orders in.
"""

from trading.risk.check import Check, Outcome, Severity, denied, passed
from trading.risk.kill_level import KillLevel
from trading.risk.proposal import Action, Proposal
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import Snapshot


def rc_33(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Gateway gate: no more lots leave than were approved, for the instrument and day, and for the parent.

    Lots count when they are sent and stop counting when they are proven never to fill, not before. Without counters
    nothing leaves, not even reductions. A modification is no new lot.
    """
    count = snapshot.gate
    if count is None:
        return denied("RC-33", "The gate has no count of what was sent and approved today. Nothing leaves without.")
    lots = 0 if proposal.action is Action.MODIFY else proposal.lots
    day, approved = count.sent_today - count.dead_today + lots, count.approved_today + count.roll_approved_today
    if day > approved:
        return _halt(f"{day} lots of {proposal.instrument} would be out today, but {approved} were approved",
                     day, approved)
    parent = count.parent_sent - count.parent_dead + lots
    if parent > count.parent_quantity:
        return _halt(f"{parent} lots of {proposal.parent} would be out, but it is for {count.parent_quantity}",
                     parent, count.parent_quantity)
    return passed("RC-33", proposal.quantity, day, approved)


def _halt(why: str, number: int, limit: int) -> Check:
    return Check(control="RC-33", outcome=Outcome.LEVEL, number=number, limit=limit, severity=Severity.CRITICAL,
                 level=KillLevel.K3_HALT, sentence=f"Halted at the gate: {why}. Find out who sent too many.")


def rc_34(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Dead man: where the venue can, the order dies by itself soon after its algo should have ended it."""
    given = proposal.attributes
    if given is not None and not given.venue_knows_good_till:
        return passed("RC-34", proposal.quantity, sentence="The venue knows no order that ends by itself.")
    if given is None or given.good_till is None or given.deadline is None:
        return denied("RC-34", "The order would outlive us: it needs a time at which it ends by itself.")
    latest = given.deadline + settings.time.good_till_margin
    if snapshot.now < given.good_till <= latest:
        return passed("RC-34", proposal.quantity, str(given.good_till), str(latest))
    return denied("RC-34", f"The order ends at {given.good_till:%H:%M:%S} UTC; it must end after now and by "
                           f"{latest:%H:%M:%S}.", str(given.good_till), str(latest))


def rc_35(proposal: Proposal, _snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Attributes: nothing is left to a preset of the broker's program (error 10349 cancelled live orders)."""
    given = proposal.attributes
    if given is None:
        return denied("RC-35", "The message has no attributes: time in force, hours, account, transmit.")
    values = (("time in force", given.time_in_force or None), ("outside hours", given.outside_hours),
              ("account", given.account or None), ("transmit", given.transmit),
              ("non-guaranteed", given.non_guaranteed if proposal.legs else False))
    missing = ", ".join(name for name, value in values if value is None)
    if missing:
        return denied("RC-35", f"The message leaves to a preset: {missing}. Set each.", missing)
    if given.account != proposal.account:
        return denied("RC-35", f"The message is for account {given.account}, the order for {proposal.account}.",
                      given.account, proposal.account)
    return passed("RC-35", proposal.quantity)
