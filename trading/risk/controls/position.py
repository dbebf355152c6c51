"""How many lots may we hold? RC-02 to RC-06, RC-43. Pure: each shrinks the order, none turns or grows it."""

import math

from trading.risk.check import Check, cut_down, denied, passed, unknown
from trading.risk.controls.effects import account_effect, own_holding
from trading.risk.exposure import Effect, reducing_part
from trading.risk.order_kind import OrderKind
from trading.risk.overrides import NO_OVERRIDE, OverrideKind, overridden_position
from trading.risk.position_limits import contract_limit, limited
from trading.risk.proposal import Proposal
from trading.risk.reduce_only import reduced_only
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import Change, Snapshot


def rc_02(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Overrides. Cuts toward what the override leaves of the target; it is applied once, however often asked.

    A trade that the override wants and the strategy does not, such as closing, is an order of its own: CLOSE_OUT.
    """
    override, quantity = snapshot.instrument.override, proposal.quantity
    what = f"The override {override.words} on {proposal.strategy} in {proposal.instrument}"
    if proposal.kind is OrderKind.ROLL or quantity == 0:
        leaves_rolls = override.kind < OverrideKind.CLOSE
        return passed("RC-02", quantity, override.words) if leaves_rolls else \
            denied("RC-02", f"{what} leaves nothing to roll: {override.meaning}.", override.words)
    return cut_down("RC-02", quantity, _overridden(proposal, snapshot), override.words, what)


def _overridden(proposal: Proposal, snapshot: Snapshot) -> int:
    held, quantity = snapshot.strategy_holding, proposal.quantity
    override = snapshot.instrument.override
    if override == NO_OVERRIDE or (proposal.only_reduces and override.kind is not OverrideKind.NO_TRADE):
        return quantity  # nothing is changed, or it asks for less already: RC-43 sees to that
    if override.kind is OverrideKind.NO_TRADE:
        return 0
    if override.kind is not OverrideKind.FACTOR:
        return reducing_part(quantity, held)
    target = held.position + quantity if proposal.target is None else proposal.target
    wanted = overridden_position(override, held.position, target)
    return max(0, min(quantity, wanted - held.longest)) if quantity > 0 else \
        min(0, max(quantity, wanted - held.shortest))


def rc_03(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Position limit of the instrument, all strategies."""
    held, limit = snapshot.holding, snapshot.instrument.position_limit
    return _limited("RC-03", proposal, limit, limited(proposal.net, held.position, held.working_buys,
                                                      held.working_sells, limit))


def rc_04(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Position limit of the strategy in the instrument."""
    held, limit = snapshot.strategy_holding, snapshot.instrument.strategy_limit
    return _limited("RC-04", proposal, limit, limited(proposal.net, held.position, held.working_buys,
                                                      held.working_sells, limit))


def _limited(control: str, proposal: Proposal, limit: int | None, allowed: int) -> Check:
    """`allowed` is of the net lots; a spread has none, and another combination passes as a whole or not at all."""
    if proposal.legs:
        allowed = proposal.quantity if allowed == proposal.net else 0
    whose = "the instrument" if control == "RC-03" else f"{proposal.strategy} in it"
    said = "is not set and" if limit is None else f"of {limit} lots"
    what = f"The position limit for {whose}, {proposal.instrument}, {said}"
    return cut_down(control, proposal.quantity, allowed, limit, what)


def rc_05(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Position limit of the contract month: denies, for the month was chosen wrongly."""
    if not proposal.trades:
        return unknown("RC-05", "The contract", proposal.quantity, account_effect(proposal, snapshot))
    for contract, lots in proposal.trades:
        check = _month_limited(contract, lots, snapshot)
        if check is not None:
            return check
    return passed("RC-05", proposal.quantity)


def _month_limited(contract: str, lots: int, snapshot: Snapshot) -> Check | None:
    facts, held = snapshot.instrument.contracts.get(contract), snapshot.contract_holdings.get(contract)
    if held is None:
        return denied("RC-05", f"What we hold in {contract} is unknown. Nothing is traded in it.")
    limit = None if facts is None else contract_limit(
        facts.position_limit, is_approved=facts.is_approved, must_be_out_by=facts.must_be_out_by,
        trading_day=snapshot.trading_day)
    allowed = limited(lots, held.position, held.working_buys, held.working_sells, limit)
    if allowed == lots:
        return None
    said = "has no limit set, so positions may only shrink" if limit is None else f"may hold {limit} lots now"
    return denied("RC-05", f"{contract} {said}: {lots:+d} lots are too many beside {held.position:+d}.", lots, limit)


def rc_06(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Portfolio: what adds risk is cut pro rata, all orders of the batch by the same fraction, toward zero."""
    quantity = proposal.quantity
    reducing = quantity if account_effect(proposal, snapshot) is Effect.REDUCES_RISK else \
        reducing_part(quantity, snapshot.holding)
    if reducing == quantity:
        return passed("RC-06", quantity)
    if snapshot.portfolio is None or not (snapshot.account.nav or 0) > 0:
        return unknown("RC-06", "What the orders make of the portfolio", quantity, Effect.ADDS_RISK)
    name, fraction, after, limit = min(_portfolio(snapshot, settings), key=lambda each: each[1])
    allowed = reducing + int((quantity - reducing) * fraction + (1e-9 if quantity > 0 else -1e-9))
    check = cut_down("RC-06", quantity, allowed, limit, f"The portfolio limit on {name} of {limit:g} (after all orders "
                                                        f"{after:g})")
    return check if allowed != quantity else passed("RC-06", quantity, after, limit)


def _portfolio(snapshot: Snapshot, settings: RiskSettings) -> list[tuple[str, float, float, float]]:
    """For each measure its name, the fraction that it leaves, its value after all orders, and its limit.

    Notional and volatility are convex in the fraction traded, so a straight line errs on the safe side.
    """
    facts, size, nav = snapshot.portfolio, settings.size, snapshot.account.nav
    assert facts is not None
    measures = (("gross notional", facts.gross_notional, size.gross_notional_per_nav * (nav or 0.0)),
                ("annual volatility", facts.annual_vol, size.vol_per_target * facts.vol_target),
                ("the risk share of the asset class", facts.class_risk_share, size.class_risk_share),
                ("the risk share of the instrument", facts.instrument_risk_share, size.instrument_risk_share))
    return [(name, _fraction(change, limit), change.after, limit) for name, change, limit in measures]


def _fraction(change: Change, limit: float) -> float:
    """How much of the way from before to after stays within the limit, from 0 to 1; NaN leaves nothing."""
    if change.after <= limit:
        return 1.0
    if not change.before < limit or not change.after < math.inf:
        return 0.0
    return (limit - change.before) / (change.after - change.before)


def rc_43(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Reduce-only arithmetic, for orders that promise it."""
    if not proposal.only_reduces or proposal.legs:
        return passed("RC-43", proposal.quantity)
    held = own_holding(proposal, snapshot)
    allowed = reduced_only(proposal.quantity, held.position, held.closing_leaves)
    what = f"Reduce-only beside {held.position:+d} lots held and {held.closing_leaves} that close already"
    return cut_down("RC-43", proposal.quantity, allowed, held.closable(), what)
