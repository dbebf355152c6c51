"""Daily, unrealised and realised profit (messages 94 and 95). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from trading.broker.simulated.listing import ContractFacts
from trading.broker.simulated.orders import Execution, Holding


@dataclass(frozen=True, kw_only=True)
class Profit:
    """Of one contract, in its currency; None where it cannot be known."""

    position: int
    daily: float | None
    unrealised: float | None
    realised: float | None
    value: float | None


def profit(facts: ContractFacts, fills: Iterable[Execution], midnight: datetime, before: float | None,
           now: float | None) -> Profit:
    """What the fills of a contract brought; the day began at `midnight`, when its price was `before`.

    Realised is that of the day, and unknown on a day without a closing trade, as on the real gateway.
    """
    fills = list(fills)
    then = _holding(facts, [fill for fill in fills if fill.time < midnight])
    holding = _holding(facts, fills)
    worth, worth_before = _worth(facts, holding, now), _worth(facts, then, before)
    realised = holding.realised - then.realised
    value = None if now is None and holding.quantity else holding.quantity * (now or 0.0) * facts.point_value
    return Profit(
        position=holding.quantity, value=value, unrealised=None if value is None else value - holding.cost,
        realised=realised or None,
        daily=None if worth is None or worth_before is None else worth - worth_before)


def _holding(facts: ContractFacts, fills: Iterable[Execution]) -> Holding:
    holding = Holding(con_id=facts.con_id)
    for fill in fills:
        if fill.shares:
            value = fill.signed_shares * fill.price * facts.point_value
            holding = holding.after(fill.signed_shares, value, fill.commission)
    return holding


def _worth(facts: ContractFacts, holding: Holding, price: float | None) -> float | None:
    """Everything that the contract has brought so far, open profit included."""
    if price is None and holding.quantity:
        return None
    return holding.quantity * (price or 0.0) * facts.point_value - holding.cost + holding.realised
