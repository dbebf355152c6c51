"""An instrument order before the controls of the decision: what they are shown, and the order with their answers."""

from collections.abc import Mapping

from trading.data.risk.decision_facts import DecisionFacts
from trading.execution.decided_orders import decided
from trading.execution.orders import InstrumentOrder
from trading.risk.order_kind import OrderKind
from trading.risk.pre_trade import at_decision
from trading.risk.proposal import Proposal
from trading.risk.settings import RiskSettings
from trading.systems.buffered_position import BufferedPosition


def judged(order: InstrumentOrder, wanted: BufferedPosition | None, facts: DecisionFacts, settings: RiskSettings,
           batch: Mapping[str, int]) -> InstrumentOrder:
    """`order` open, waiting or denied, with every control's answer.

    Args:
        batch: lots by instrument once everything that is decided together is filled.
    """
    proposal = proposal_of(order, wanted)
    snapshot = facts.snapshot(proposal, None if wanted is None else wanted.usual_change, batch, order.id)
    return decided(order, at_decision(proposal, snapshot, settings), facts.now)


def judged_alone(order: InstrumentOrder, facts: DecisionFacts, settings: RiskSettings) -> InstrumentOrder:
    """An order that a person has made, beside all that was judged before; those that come after it count it."""
    found = judged(order, None, facts, settings, facts.settled_with(order))
    if found.is_open:
        facts.note(found)
    return found


def proposal_of(order: InstrumentOrder, wanted: BufferedPosition | None) -> Proposal:
    """The order as the controls see it."""
    closes_a_month = order.kind in (OrderKind.CLOSE_OUT, OrderKind.FLATTEN)  # the month is chosen already
    previous = None if wanted is None or wanted.previous is None else round(wanted.previous)
    return Proposal(
        account=order.account, strategy=order.strategy, instrument=order.instrument, kind=order.kind,
        quantity=order.quantity, key=order.idempotency_key, contract=order.contract if closes_a_month else None,
        target=order.target if wanted is None else round(wanted.optimal), previous_target=previous,
        decided_at=order.created, price_at=order.reference_at, reduce_only=order.reduce_only, reason=order.reason)
