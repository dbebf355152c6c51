"""What each strategy has made on the trading day, from fills, positions and closes, and what is usual for it.

A strategy of which something is not known yet, such as today's close of one instrument, is left out. Lots that
were assigned or transferred today count as held since yesterday.
"""

import math
from collections.abc import Iterator, Sequence

from trading.data.risk.decision_facts import DecisionFacts
from trading.data.risk.instrument_risk import InstrumentRisk
from trading.errors import DataError
from trading.execution.fills import Fill, FillStatus
from trading.objects.contracts import Contract
from trading.risk.strategy_day import StrategyDay


def strategy_days(facts: DecisionFacts, fills: Sequence[Fill]) -> Iterator[StrategyDay]:
    """`fills` are those of the trading day."""
    counted = [fill for fill in fills if fill.status is FillStatus.ACTIVE and fill.instrument is not None]
    active = {name for name, _ in facts.held} | {fill.strategy for fill in counted}
    for strategy in sorted(active & facts.weights.keys()):
        found = _strategy_day(strategy, facts, [fill for fill in counted if fill.strategy == strategy])
        if found is not None:
            yield found


def _strategy_day(strategy: str, facts: DecisionFacts, fills: list[Fill]) -> StrategyDay | None:
    now = {code: lots for (name, code), lots in facts.held.items() if name == strategy}
    before = dict(now)
    for fill in fills:
        code = fill.instrument or ""
        before[code] = before.get(code, 0) - fill.quantity
    gains = [_gain(facts, code, lots, [fill for fill in fills if fill.instrument == code])
             for code, lots in before.items() if lots or any(fill.instrument == code for fill in fills)]
    usual = max(facts.daily_vol(before) or 0.0, facts.daily_vol(now) or 0.0)
    result = math.nan if any(gain is None for gain in gains) else sum(gain or 0.0 for gain in gains)
    is_known = math.isfinite(result) and usual > 0
    return StrategyDay(strategy=strategy, result=result, expected_vol=usual) if is_known else None


def _gain(facts: DecisionFacts, code: str, before: int, fills: list[Fill]) -> float | None:
    """In the base currency; None: not known."""
    risk = facts.risks.get(code)
    change = None if risk is None else _change_today(risk, facts)
    if risk is None or change is None or risk.money_per_point is None or risk.fx is None:
        return None
    try:
        traded = sum(fill.quantity * (_price_now(facts, fill) - float(fill.price)) for fill in fills)
    except (DataError, IndexError):
        return None
    costs = sum(float(fill.commission or 0) for fill in fills) * risk.fx.rate
    return (before * change + traded) * risk.money_per_point - costs


def _change_today(risk: InstrumentRisk, facts: DecisionFacts) -> float | None:
    changes = risk.changes
    is_there = len(changes) > 0 and changes.index[-1].date() == facts.trading_day
    return float(changes.iloc[-1]) if is_there else None


def _price_now(facts: DecisionFacts, fill: Fill) -> float:
    """The last close of the contract itself: after a roll it is not the one that is priced."""
    closes = facts.data.db_contract_prices.load(Contract.parse(fill.contract or ""))["FINAL"].dropna()
    return float(closes.iloc[-1])
