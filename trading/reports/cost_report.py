"""What trading cost: each order of a day in parts, and what is usual by instrument, algo, hour and size.

Cost > 0 is bad. The parts are those of trading.execution.shortfall; a dash is a price that nobody knew, never 0.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.execution.cost_analysis import OrderCost, Unit
from trading.execution.cost_summary import Comparison, GroupCost, Grouping, compared, summary
from trading.execution.shortfall import PARTS, Costs, Part, summed
from trading.reports.order_costs import OrderCosts, Span
from trading.reports.report import Report, Section, price_cell
from trading.risk.order_kind import OrderKind

USUAL_DAYS: Final = 90
SEED: Final = 20260302
_SHORT: Final = {Part.HALF_SPREAD: "half", Part.EXECUTION: "exec", Part.OPPORTUNITY: "left"}
_GROUPS: Final = {Grouping.INSTRUMENT: "By instrument", Grouping.ALGO: "By algo", Grouping.HOUR: "By hour, UTC",
                  Grouping.SIZE: "By size"}


def collect(data: DataBlob, day: str, base_currency: str, timezone: str) -> Report:
    """The orders of `day`, and what is usual in the 90 days that end with it."""
    first = (date.fromisoformat(day) - timedelta(days=USUAL_DAYS - 1)).isoformat()
    return over(OrderCosts(data, Span(first=first, last=day), base_currency, timezone), day)


def over(source: OrderCosts, day: str | None) -> Report:
    """The same over any span; without a `day` no single orders are listed."""
    found = source.measured()
    outright = [cost for cost in found if cost.kind is not OrderKind.ROLL]
    listed = [cost for cost in found if day is not None and cost.trading_day == day]
    span, base = source.span, source.base_currency
    until = span.last if span.first == span.last else f"{span.first} to {span.last}"
    return Report(name="costs", title="Costs of trading", day=day or until, about="Trading days", sections=(
        *_of_the_day(listed, base, is_wanted=day is not None),
        *(_usual(outright, by, heading, until) for by, heading in _GROUPS.items()),
        _rolls(found, base, until), _beside_backtest(compared(outright, source.charged()), until), _unknown(found)))


def _of_the_day(costs: Sequence[OrderCost], base: str, *, is_wanted: bool) -> list[Section]:
    if not is_wanted:
        return []
    table = pd.DataFrame([_order(cost) for cost in costs])
    note = f"In {base}; bps of the notional. Cost is positive." if costs else "No order was sent."
    how = pd.DataFrame([_way(cost) for cost in costs])
    return [Section(heading="Orders of the day", table=table, note=note),
            Section(heading="How they were worked", table=how, note="Seconds from decision to intent, to sending, "
                    "and from there to the first and the last fill, which brokers tell in whole seconds, so that a "
                    "quick one may seem to come before its order; changes of the price for each fill; exec / half: 0 "
                    "paid the far side, -1 the mid, -2 our own side; + min: points that a filled lot had gained by "
                    "then." if costs else "No order was sent.")]


def _order(cost: OrderCost) -> dict[str, object]:
    return {"contract": cost.contract, "algo": cost.algo, "lots": cost.quantity, "filled": cost.filled,
            **_named(cost.money), "bps": _number(cost.in_unit(Unit.BPS)[Part.TOTAL]),
            "ticks": _number(cost.in_unit(Unit.TICKS)[Part.TOTAL]),
            "sigma_d": _number(cost.in_unit(Unit.SIGMA_D)[Part.TOTAL])}


def _way(cost: OrderCost) -> dict[str, object]:
    after = {f"+{int(wait.total_seconds() // 60)} min": _number(gain) for wait, gain in cost.mark_outs.items()}
    return {"contract": cost.contract, "to intent": _seconds(cost.decision_to_intent),
            "to sent": _seconds(cost.intent_to_sent), "to fill": _seconds(cost.sent_to_fill),
            "to last": _seconds(cost.time_to_fill), "passive %": _percent(cost.passive_share),
            "changes": cost.changes_per_fill,
            "exec / half": _number(cost.in_unit(Unit.HALF_SPREADS)[Part.EXECUTION]), **after}


def _usual(costs: Sequence[OrderCost], by: Grouping, heading: str, until: str) -> Section:
    """Medians in bps, and the interval of the whole."""
    groups = summary(costs, by, Unit.BPS, SEED)
    return Section(heading=f"{heading}, {until}", table=pd.DataFrame([_line(group) for group in groups]),
                   note="Medians in bps of the notional; from, to: where nine of ten medians of the total would lie."
                   if groups else "No order was sent.")


def _line(group: GroupCost) -> dict[str, object]:
    total = group.parts[Part.TOTAL]
    return {"of": group.group, "orders": group.orders, "lots": group.lots, "filled %": 100 * group.fill_ratio,
            "passive %": _percent(group.passive_share),
            **{_SHORT.get(part, part.value): group.parts[part].median for part in PARTS},
            "from": total.low, "to": total.high, "not known": total.missing}


def _rolls(costs: Sequence[OrderCost], base: str, until: str) -> Section:
    """Both legs together, from the mids at which they began."""
    legs: dict[str, list[OrderCost]] = defaultdict(list)
    for cost in costs:
        if cost.kind is OrderKind.ROLL:
            legs[cost.order.rpartition("-C")[0]].append(cost)
    rows = [{"instrument": each[0].instrument, "day": each[0].trading_day, "lots": max(abs(leg.quantity) for leg in
             each), **_named(summed([leg.money for leg in each]))} for each in legs.values()]
    return Section(heading=f"Rolls, {until}", table=pd.DataFrame(rows),
                   note=f"In {base}, both legs together, from the mids at which they began." if rows else "None.")


def _beside_backtest(found: Sequence[Comparison], until: str) -> Section:
    rows = [{"instrument": each.instrument, "orders": each.orders, "lots": each.lots,
             "paid": price_cell(float(each.paid)), "charged": price_cell(float(each.charged)),
             "times": float(each.paid / each.charged)} for each in found]
    findings = " ".join(each.sentence() for each in found if each.is_finding)
    told = "Points a filled lot, from the mid on arrival to the fills, beside the slippage of the backtest."
    return Section(heading=f"Beside the backtest, {until}", table=pd.DataFrame(rows),
                   note=f"{told} {findings or 'None is more than 1.5 times as dear.'}" if rows else
                   "No instrument has both a filled order and a slippage to compare it with.")


def _unknown(costs: Sequence[OrderCost]) -> Section:
    """How many orders lack a part: a dash is no zero."""
    counted = Counter(part for cost in costs for part in cost.missing)
    told = ", ".join(f"{part.value} of {counted[part]}" for part in PARTS if counted[part])
    return Section(heading="Not known", note=f"Of {len(costs)} orders: {told}. A price or a commission is missing."
                   if told else f"All parts of all {len(costs)} orders are known.")


def _named(money: Costs | Mapping[Part, object]) -> dict[str, object]:
    return {_SHORT.get(part, part.value): _number(money[part]) for part in PARTS}


def _number(value: object) -> float | None:
    return None if value is None else float(value) + 0.0  # type: ignore[arg-type]  # a Decimal; no minus before a 0


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _seconds(wait: timedelta | None) -> float | None:
    return None if wait is None else wait.total_seconds()
