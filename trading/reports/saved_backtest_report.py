"""Why a strategy wanted what it wanted: the last day of a backtest that run_systems kept. Pure."""

from collections.abc import Iterator

import pandas as pd

from trading.data.parquet.backtests import SavedBacktest
from trading.errors import NotFound
from trading.reports.report import Report, Section


def saved_backtest_report(strategy: str, kept: SavedBacktest, code: str | None = None) -> Report:
    """What led to each position; with `code` the opinion of each rule in that instrument instead.

    Raises:
        NotFound: nothing was computed for `code`.
    """
    day = max(kept.item("portfolio.notional_position").index)
    sections = (_instruments(kept),) if code is None else tuple(_rules(kept, code))
    return Report(name="saved_backtest", title=f"What {strategy} wanted", day=f"{day:%Y-%m-%d}", sections=sections)


def _instruments(kept: SavedBacktest) -> Section:
    optimal, half = _newest(kept, "portfolio.notional_position"), _newest(kept, "portfolio.buffer")
    table = pd.DataFrame({
        "FORECAST": _newest(kept, "combForecast.combined_forecast"),
        "RISK A DAY": _newest(kept, "contractRisk.value_volatility"),
        "ALONE": _newest(kept, "positionSize.subsystem_position"),
        "WEIGHT": _newest(kept, "instrumentWeights.weight"), "OPTIMAL": optimal, "LOWER": optimal - half,
        "UPPER": optimal + half}).rename_axis("INSTRUMENT").reset_index()
    return Section(heading="Instruments", table=table, note=(
        f"Run {kept.run}. Forecasts are 10 in size on average; risk is that of one contract, in "
        f"{kept.config.base_currency}; alone: contracts if all the capital were this instrument's; optimal, lower and "
        f"upper: contracts."))


def _rules(kept: SavedBacktest, code: str) -> Iterator[Section]:
    if code not in kept.sources:
        raise NotFound(f"Run {kept.run} computed nothing for {code} (it has: {', '.join(kept.sources)}).")
    forecasts, weights = (_newest(kept, name)[code] for name in (
        "forecastScaleCap.capped_forecasts", "forecastWeights.weights"))
    table = pd.DataFrame({"FORECAST": forecasts, "WEIGHT": weights, "ADDS": forecasts * weights})
    combined = float(_newest(kept, "combForecast.combined_forecast")[code])
    source = kept.sources[code]
    yield Section(heading=f"Rules in {code}", table=table.rename_axis("RULE").reset_index(), note=(
        f"They add up to {table['ADDS'].sum():.2f}; with the multiplier and the cap the forecast is {combined:.2f}. "
        f"Run {kept.run}, settings {source.config}, data {source.data}."))


def _newest(kept: SavedBacktest, item: str) -> pd.Series:
    """The newest known value of each column."""
    newest: pd.Series = kept.item(item).ffill().iloc[-1]
    return newest
