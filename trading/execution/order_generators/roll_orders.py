"""Orders that move positions from contracts we have left to the priced one; each sums to zero. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from trading.execution.orders import Decision, InstrumentOrder, new_instrument_order_id
from trading.objects.contracts import Contract
from trading.risk.order_kind import OrderKind


def roll_orders(contract_positions: Mapping[str, int], strategy_positions: Mapping[tuple[str, str], int],
                priced: Mapping[str, Contract], working: Iterable[InstrumentOrder],
                decision: Decision) -> Iterator[InstrumentOrder]:
    """One order for each position outside the priced contract, unless one is already under way.

    The lots are booked to the strategy that holds most of the instrument; a roll does not change its position.
    """
    rolling = {order.roll_from for order in working}
    for key, quantity in contract_positions.items():
        contract = Contract.parse(key)
        target = priced[contract.instrument]
        if contract == target or key in rolling:
            continue
        yield InstrumentOrder(
            id=new_instrument_order_id(), idempotency_key=f"roll/{key}/{target.month}/{decision.trading_day}",
            account=decision.account, strategy=_largest_holder(contract.instrument, strategy_positions),
            instrument=contract.instrument, kind=OrderKind.ROLL, quantity=0,
            trading_day=decision.trading_day, created=decision.now, roll_from=key,
            roll_to=target.key, roll_quantity=quantity)


def _largest_holder(instrument: str, strategy_positions: Mapping[tuple[str, str], int]) -> str:
    holders = [(abs(quantity), strategy) for (strategy, code), quantity in strategy_positions.items()
               if code == instrument]
    return max(holders)[1] if holders else "unattributed"
