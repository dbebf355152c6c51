"""A roll of which one month has traded more than the other, in words for a person. Pure.

Two outright orders show it by their sums; a spread by the months of its broker orders, which trade together or never.
"""

from collections.abc import Iterable

from trading.execution.broker_orders import BrokerOrder
from trading.execution.orders import ContractOrder, InstrumentOrder


def uneven(roll: InstrumentOrder, legs: Iterable[ContractOrder]) -> str:
    """What is left over, and whose it is; empty when both legs have traded alike."""
    lots = sum(leg.filled for leg in legs if leg.spread is None)
    if lots == 0:
        return ""
    return (f"{roll.roll_from} to {roll.roll_to} leaves {lots:+d} lots, which count as those of {roll.strategy} "
            f"(tradectl story {roll.id})")


def alone(orders: Iterable[BrokerOrder]) -> str:
    """What `orders` of a spread have traded in one month without the other; empty when all are whole units."""
    lots: dict[str, int] = {}
    for order in orders:
        for contract, left in (order.spread.alone if order.spread else {}).items():
            lots[contract] = lots.get(contract, 0) + left
    return ", ".join(f"{left:+d} {contract}" for contract, left in sorted(lots.items()) if left)
