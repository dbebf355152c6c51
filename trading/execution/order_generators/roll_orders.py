"""The orders that a roll state demands: out of the front contract and into the next one, or out of it alone. Pure.

What the strategies want to trade themselves is netted first (orders_and_risk.md 6.3): lots of the front contract that
they sell need not be rolled, so a roll and a strategy never close the same lot twice (pst #1278).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from trading.execution.order_ids import new_instrument_order_id
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import Decision, InstrumentOrder
from trading.execution.rolls.attribution import attribute
from trading.execution.rolls.decision import RollStyle
from trading.execution.rolls.netting import RollTrades, net
from trading.execution.rolls.states import RollState
from trading.objects.contracts import Contract
from trading.risk.order_kind import OrderKind

FORCED: Final = frozenset({RollState.FORCE_SPREAD, RollState.FORCE_OUTRIGHT})
NOBODY: Final = "_UNATTRIBUTED"


class Rolling(Protocol):
    """The two contracts of a roll, and the lots that are held in each."""

    @property
    def front(self) -> Contract: ...
    @property
    def forward(self) -> Contract: ...
    @property
    def front_lots(self) -> int: ...
    @property
    def forward_lots(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What the day's decision asks of an instrument.

    A close-out goes on in the next contract only if it `may_go_on`. `trade` are the signed lots that the strategies
    trade by orders of their own, all together.
    """

    state: RollState
    may_go_on: bool = False
    style: RollStyle = RollStyle.BEST
    trade: int = 0


def roll_orders(contracts: Rolling, demand: Demand, holders: Mapping[str, int],
                decision: Decision) -> list[InstrumentOrder]:
    """One order that rolls, or one for each strategy that must leave; none when nothing is to be done.

    A roll is booked to the strategy that holds most of the instrument, and changes no position when it is complete;
    what stays incomplete is that strategy's.

    Args:
        holders: lots of the instrument by strategy.
    """
    if contracts.front_lots == 0:
        return []
    if demand.state is RollState.CLOSE and not demand.may_go_on:
        return _close_outs(contracts, holders, decision)
    if demand.state is not RollState.CLOSE and demand.state not in FORCED:
        return []
    lots = _netted(contracts, demand.trade).spread_units
    return [_roll(contracts, lots, demand, holders, decision)] if lots else []


def own_part(contracts: Rolling, trade: int) -> int:
    """Lots of the strategies' own `trade` that go to the front contract, so that another one is left the rest."""
    return _netted(contracts, trade).front_outright


def _netted(contracts: Rolling, trade: int) -> RollTrades:
    front, forward = contracts.front_lots, contracts.forward_lots
    return net(front, forward, front + forward + trade)


def _roll(contracts: Rolling, lots: int, demand: Demand, holders: Mapping[str, int],
          decision: Decision) -> InstrumentOrder:
    style = RollStyle.MARKETABLE if demand.state is RollState.CLOSE else demand.style
    return replace(_order(contracts, _largest(holders), decision), kind=OrderKind.ROLL,
                   style=ExecutionStyle[style.name],
                   idempotency_key=f"roll/{contracts.front.key}/{contracts.forward.month}/{decision.trading_day}",
                   roll_from=contracts.front.key, roll_to=contracts.forward.key, roll_quantity=lots,
                   as_spread=demand.state is RollState.FORCE_SPREAD)


def _close_outs(contracts: Rolling, holders: Mapping[str, int], decision: Decision) -> list[InstrumentOrder]:
    """The front contract closed, each strategy by its share of it."""
    key, lots = contracts.front.key, -contracts.front_lots
    asked = {strategy: -held for strategy, held in holders.items()}
    shares = attribute(lots, asked) if any(wish * lots > 0 for wish in asked.values()) else {NOBODY: lots}
    return [replace(_order(contracts, strategy, decision), kind=OrderKind.CLOSE_OUT, quantity=share,
                    idempotency_key=f"close/{key}/{strategy}/{decision.trading_day}", contract=key, reduce_only=True,
                    style=ExecutionStyle.MARKETABLE, reason="the contract must be left")
            for strategy, share in shares.items()]


def _order(contracts: Rolling, strategy: str, decision: Decision) -> InstrumentOrder:
    return InstrumentOrder(
        id=new_instrument_order_id(), account=decision.account, strategy=strategy, kind=OrderKind.ROLL, quantity=0,
        instrument=contracts.front.instrument, trading_day=decision.trading_day, created=decision.now,
        idempotency_key="")


def _largest(holders: Mapping[str, int]) -> str:
    found = [(abs(lots), strategy) for strategy, lots in holders.items() if lots]
    return max(found)[1] if found else NOBODY
