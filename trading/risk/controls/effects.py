"""What a proposal does to the risk of the account, of its strategy and of its contracts. Pure."""

from typing import Final

from trading.risk.exposure import Effect, Holding, effect
from trading.risk.order_kind import OrderKind
from trading.risk.proposal import Proposal
from trading.risk.snapshot import Snapshot

_BY_CONTRACT: Final = (OrderKind.ROLL, OrderKind.CLOSE_OUT, OrderKind.FLATTEN)


def account_effect(proposal: Proposal, snapshot: Snapshot) -> Effect:
    """What it does to the account's risk.

    What closes or rolls is judged by contract month, never by the net: -1 in front and -1 behind are two positions
    (pst #1246). All else is judged by the net position of the instrument. A calendar spread reduces when its front leg
    only closes and the net stays.
    """
    if proposal.legs:
        front = proposal.trades[0]
        return Effect.ADDS_RISK if proposal.net else contract_effect(*front, snapshot)
    if proposal.kind in _BY_CONTRACT and proposal.contract is not None:
        return contract_effect(proposal.contract, proposal.quantity, snapshot)
    return effect(proposal.quantity, snapshot.holding)


def account_holding(proposal: Proposal, snapshot: Snapshot) -> Holding:
    """What `account_effect` of an outright order is judged by."""
    if proposal.kind in _BY_CONTRACT and proposal.contract is not None:
        return snapshot.contract_holdings.get(proposal.contract, Holding())
    return snapshot.holding


def strategy_effect(proposal: Proposal, snapshot: Snapshot) -> Effect:
    """What it does to the position of its strategy; a roll changes none."""
    return effect(proposal.net, snapshot.strategy_holding)


def contract_effect(contract: str, quantity: int, snapshot: Snapshot) -> Effect:
    """What signed lots do in one contract month; an unknown position makes everything an addition."""
    held = snapshot.contract_holdings.get(contract)
    return Effect.ADDS_RISK if held is None else effect(quantity, held)


def own_holding(proposal: Proposal, snapshot: Snapshot) -> Holding:
    """What a closing order closes: the contract once it is chosen, before that the strategy's position."""
    if proposal.contract is not None:
        return snapshot.contract_holdings.get(proposal.contract, Holding())
    return snapshot.strategy_holding
