"""Is trading allowed at all now? RC-01, RC-22, RC-28, RC-36. Pure."""

from trading.risk.check import Check, Outcome, denied, held, passed, unknown
from trading.risk.controls.effects import account_effect, account_holding, strategy_effect
from trading.risk.exposure import reducing_part
from trading.risk.kill_level import KillLevel
from trading.risk.kill_permission import permitted_by_level, permitted_in_scope
from trading.risk.proposal import Proposal
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import Snapshot


def rc_01(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Trading state: the kill level by the risk of the account, pauses by the risk of the strategy.

    Where reducing is allowed, an order that closes and opens is cut to its closing part: no new risk is reduce-only.
    """
    state, allowed = snapshot.system.kill, proposal.quantity
    by_level = permitted_by_level(state, account_effect(proposal, snapshot), proposal.kind)
    in_scope = permitted_in_scope(state, strategy_effect(proposal, snapshot), proposal.scope)
    refusal = by_level or in_scope
    if refusal is None:
        return passed("RC-01", allowed, state.level.name)
    if by_level is not None:
        allowed = reducing_part(allowed, account_holding(proposal, snapshot))
    if in_scope is not None:
        allowed = reducing_part(allowed, snapshot.strategy_holding)
    if allowed == 0 or proposal.legs or refusal.level >= KillLevel.K3_HALT:
        return denied("RC-01", refusal.sentence, refusal.level.name)
    return Check(control="RC-01", outcome=Outcome.CUT, allowed=allowed, number=proposal.quantity,
                 limit=refusal.level.name, sentence=refusal.sentence)


def rc_22(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Unknown gate: nothing goes to a contract on which the fate of an order is unknown."""
    unresolved = snapshot.activity.unknown_contract
    if unresolved is None:
        return held("RC-22", "Whether the fate of an order on the contract is unknown could not be read. Wait for it.")
    if unresolved == 0:
        return passed("RC-22", proposal.quantity, 0, 0)
    return held("RC-22", f"The fate of {unresolved} order(s) on {proposal.contract} is unknown; nothing is sent there "
                         f"until it is proven.", unresolved, 0)


def rc_28(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Reconciliation gate: nothing is traded before the day and this connection are reconciled, nor when locked."""
    system = snapshot.system
    if not system.is_day_reconciled or system.reconciled_epoch != system.epoch:
        return denied("RC-28", f"Positions are not reconciled for connection {system.epoch} (reconciled: "
                               f"{system.reconciled_epoch}). Nothing is traded until they are.",
                      system.reconciled_epoch, system.epoch)
    why = system.locks.get(proposal.instrument)
    if why is not None:
        return denied("RC-28", f"{proposal.instrument} is locked: {why}. A person must open it.", why)
    return passed("RC-28", proposal.quantity, system.reconciled_epoch, system.epoch)


def rc_36(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Contract map: every contract is at the broker what it is here; nothing to compare before one is chosen."""
    for contract, _lots in proposal.trades:
        facts = snapshot.instrument.contracts.get(contract)
        if facts is None or facts.terms is None or facts.broker_terms is None:
            return unknown("RC-36", f"What {contract} is at the broker", proposal.quantity,
                           account_effect(proposal, snapshot))
        if facts.terms != facts.broker_terms:
            return denied("RC-36", f"{contract} is {facts.terms} here, but {facts.broker_terms} at the broker. "
                                   f"Correct the configuration before trading it.",
                          str(facts.terms), str(facts.broker_terms))
    return passed("RC-36", proposal.quantity)
