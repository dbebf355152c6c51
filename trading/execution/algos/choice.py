"""Which algo works an order, and why, in a sentence. Pure (orders_and_risk.md 5.4, the choice rule)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trading.execution.algos.adaptive import adaptive
from trading.execution.algos.frame import AlgoState, Fallback, Look, Step, Terms, begun, universal
from trading.execution.algos.limit import limit
from trading.execution.algos.marketable import marketable
from trading.execution.algos.original_best import original_best, passive_only
from trading.execution.algos.pov import pov
from trading.execution.algos.twap import Course, twap
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import ContractOrder
from trading.risk.order_kind import OrderKind

S = ExecutionStyle
LASTS: Final[Mapping[ExecutionStyle, timedelta]] = {
    S.BEST: timedelta(minutes=10), S.MARKETABLE: timedelta(minutes=10), S.LIMIT: timedelta(days=1),
    S.ADAPTIVE: timedelta(minutes=10), S.TWAP: timedelta(minutes=30), S.POV: timedelta(minutes=30),
    S.PASSIVE_ONLY: timedelta(hours=8)}
ROLL_LASTS: Final = timedelta(hours=2)  # at least: it goes unit by unit
SLICED_ABOVE: Final = 3  # times the lots of one broker order
_ALGOS: Final[Mapping[ExecutionStyle, Callable[[AlgoState, Look, Terms], Step]]] = {
    S.BEST: original_best, S.MARKETABLE: marketable, S.LIMIT: limit, S.ADAPTIVE: adaptive,
    S.PASSIVE_ONLY: passive_only}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The style of an order, and why."""

    style: ExecutionStyle
    reason: str


def choose(wanted: ExecutionStyle, lots: int, most_lots: int) -> Choice:
    """The style for `lots` (unsigned) when one broker order may have `most_lots`."""
    if wanted in (S.BEST, S.ADAPTIVE) and lots > SLICED_ABOVE * most_lots:
        return Choice(style=S.TWAP, reason=f"{lots} lots are more than {SLICED_ABOVE} orders of {most_lots}, so they "
                                           f"are spread over time")
    return Choice(style=wanted, reason="as it was asked for")


def begin(leg: ContractOrder, style: ExecutionStyle, now: datetime) -> AlgoState:
    """A fresh state for `leg`."""
    lasts = max(LASTS[style], ROLL_LASTS) if leg.kind is OrderKind.ROLL else LASTS[style]
    return begun(now, lasts, leg.deadline)


def step(style: ExecutionStyle, state: AlgoState, look: Look, terms: Terms, quantity: int) -> Step:
    """The next state and the action, for an order of `quantity` lots in all."""
    found = universal(state, look)
    if found is not None:
        return found
    if state.fallback is not None:
        return _for_the_rest(state.fallback, state, look, terms)
    if style is S.TWAP:
        return twap(state, look, terms, Course(lots=quantity, since=state.started))
    if style is S.POV:
        return pov(state, look, terms, quantity)
    return _ALGOS[style](state, look, terms)


def _for_the_rest(rest: Fallback, state: AlgoState, look: Look, terms: Terms) -> Step:
    if rest.style is S.TWAP:
        return twap(state, look, terms, Course(lots=rest.lots, since=rest.since))
    return original_best(state, look, terms)
