"""A roll of which one leg has traded more than the other, in words for a person. Pure."""

from collections.abc import Iterable

from trading.execution.orders import ContractOrder, InstrumentOrder


def uneven(roll: InstrumentOrder, legs: Iterable[ContractOrder]) -> str:
    """What is left over, and whose it is; empty when both legs have traded alike."""
    lots = sum(leg.filled for leg in legs)
    if lots == 0:
        return ""
    return (f"{roll.roll_from} to {roll.roll_to} leaves {lots:+d} lots, which count as those of {roll.strategy} "
            f"(tradectl story {roll.id})")
