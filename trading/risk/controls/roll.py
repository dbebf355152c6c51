"""Does a roll only roll? RC-45. Pure."""

from dataclasses import replace

from trading.risk.check import Check, denied, held, passed
from trading.risk.exposure import Effect, Holding, effect
from trading.risk.order_kind import OrderKind
from trading.risk.proposal import Proposal
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import Snapshot


def rc_45(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """A roll closes the front month, by no more than is held, and on its way holds one unit more at most."""
    if proposal.kind is not OrderKind.ROLL:
        return passed("RC-45", proposal.quantity)
    holdings = snapshot.contract_holdings
    if proposal.roll is None or not {proposal.roll.front, proposal.roll.forward} <= holdings.keys():
        return denied("RC-45", "A roll must name its months, and what we hold in both must be known.")
    front, forward = holdings[proposal.roll.front], holdings[proposal.roll.forward]
    trades = dict(proposal.trades)
    front_lots = trades.pop(proposal.roll.front, 0)
    forward_lots = trades.pop(proposal.roll.forward, 0)
    if trades or not (front_lots or forward_lots):
        return denied("RC-45", f"The roll trades {', '.join(trades) or 'nothing'}, not its own months.")
    if effect(front_lots, front) is Effect.ADDS_RISK:
        return denied("RC-45", f"{front_lots:+d} lots in front are more than can be closed of {front.position:+d}, "
                               f"beside {front.closing_leaves} that close already.", front_lots, front.closable())
    return _total(proposal, (front, front_lots), (forward, forward_lots), settings.account.roll_slack)


def _total(proposal: Proposal, front: tuple[Holding, int], forward: tuple[Holding, int], slack: int) -> Check:
    """The sum of abs(position) after any fill is at most `slack` units above that before the roll.

    Along whole units the sum is largest at an end; within one unit a leg may be ahead of the other, which is the slack.
    What only has to wait until the front is closed is held.
    """
    assert proposal.roll is not None
    worst = _together if proposal.legs else _apart
    in_front, behind = (worst(holding, lots) for holding, lots in (front, forward))
    most = proposal.roll.total_before + (0 if proposal.legs else slack * proposal.roll.unit)
    if in_front + behind <= most:
        return passed("RC-45", proposal.quantity, in_front + behind, most)
    may_wait = not proposal.legs and behind <= most
    return (held if may_wait else denied)(
        "RC-45", f"The roll would hold {in_front + behind} lots over both months, and {most} may be. Close the front "
                 f"first.", in_front + behind, most)


def _together(holding: Holding, lots: int) -> int:
    """Lots held when all of a combination fills, and what works of it already: its legs fill together."""
    return abs(holding.position + lots + (holding.working_buys if lots > 0 else -holding.working_sells))


def _apart(holding: Holding, lots: int) -> int:
    """Lots held at worst when an outright order fills: what works beside it fills, or does not."""
    return replace(holding, position=holding.position + lots).worst
