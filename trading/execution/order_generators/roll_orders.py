"""The order that a roll state demands: out of the front contract and into the next one, or out of it alone. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol

from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import Decision, InstrumentOrder, new_instrument_order_id
from trading.execution.rolls.states import RollState
from trading.objects.contracts import Contract
from trading.risk.order_kind import OrderKind

FORCED: Final = frozenset({RollState.FORCE_SPREAD, RollState.FORCE_OUTRIGHT})
NOBODY: Final = "_UNATTRIBUTED"


class Rolling(Protocol):
    """The two contracts of a roll, and the lots that are held in the first one."""

    @property
    def front(self) -> Contract: ...
    @property
    def forward(self) -> Contract: ...
    @property
    def front_lots(self) -> int: ...


def roll_order(contracts: Rolling, state: RollState, strategy_positions: Mapping[tuple[str, str], int],
               decision: Decision, *, may_go_on: bool) -> InstrumentOrder | None:
    """One order for the lots in front; None when the state demands nothing, or nothing is held there.

    It is booked to the strategy that holds most of the instrument; a roll does not change its position. A close-out
    goes on in the next contract only if `may_go_on`.
    """
    lots = contracts.front_lots
    if lots == 0 or (state not in FORCED and state is not RollState.CLOSE):
        return None
    if state is RollState.CLOSE and not may_go_on:
        return replace(_order(contracts, strategy_positions, decision), kind=OrderKind.CLOSE_OUT, quantity=-lots,
                       idempotency_key=f"close/{contracts.front.key}/{decision.trading_day}",
                       contract=contracts.front.key, reduce_only=True, style=ExecutionStyle.MARKETABLE,
                       reason="the contract must be left")
    return replace(_order(contracts, strategy_positions, decision), roll_from=contracts.front.key,
                   roll_to=contracts.forward.key, roll_quantity=lots)


def _order(contracts: Rolling, strategy_positions: Mapping[tuple[str, str], int],
           decision: Decision) -> InstrumentOrder:
    code = contracts.front.instrument
    return InstrumentOrder(
        id=new_instrument_order_id(), account=decision.account, strategy=_largest_holder(code, strategy_positions),
        instrument=code, trading_day=decision.trading_day, created=decision.now, kind=OrderKind.ROLL, quantity=0,
        idempotency_key=f"roll/{contracts.front.key}/{contracts.forward.month}/{decision.trading_day}")


def _largest_holder(instrument: str, strategy_positions: Mapping[tuple[str, str], int]) -> str:
    holders = [(abs(quantity), strategy) for (strategy, code), quantity in strategy_positions.items()
               if code == instrument and quantity]
    return max(holders)[1] if holders else NOBODY
